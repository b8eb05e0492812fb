//! Untrusted Python, run in WebAssembly: a fresh interpreter for every program.
//!
//! ```no_run
//! use azr_sandbox::{Termination, Guest, Limits, Program, Sandbox, repr};
//!
//! fn main() -> Result<(), azr_sandbox::Error> {
//!     let sandbox = Sandbox::new(&Guest::embedded()?, Limits::default())?;
//!     let program = Program::call("def f(xs):\n    return sorted(xs)[-1]", "f", "[3, 1, 2]");
//!     let outcome = sandbox.run(&program)?;
//!     match outcome.termination {
//!         Termination::Returned(value) => assert_eq!(repr(&value), "3"),
//!         termination => panic!("the program ended otherwise: {termination:?}"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # What is promised
//!
//! - **Isolation.** The interpreter is one WebAssembly module that imports nothing: there is no call by
//!   which a program could reach the host. The code that counts fuel, which is added to the module here, calls one
//!   function of the host (`refuel`); the module's own code has no way to name it. `SECURITY.md` has the threat model.
//! - **Freshness.** Every program starts from the same state and leaves nothing behind.
//! - **Verdicts.** Fuel, not the clock, ends programs: the same program has the same [`Outcome`] and the
//!   same [`Outcome::fuel_used`] on every machine. A failure of the sandbox is an [`Error`], never an outcome.
//! - **Values.** What a program returns is encoded from exact built-in types without asking the program's
//!   code, and compared on the host ([`Equality`]).
//!
//! # Features
//!
//! - `native`, on by default: the build script compiles the embedded guest to native code.
//! - `compiler`: Cranelift in the program, for guests of its own; `cross` for the other kind of processor too.
//! - `serde`: outcomes, verdicts and limits as data. A value is tagged by its type: `{"tuple":[{"int":"1"},"none"]}`.
//! - `tokio`: futures, `Sandbox::run_async`, `Sandbox::run_batch_async`, `Session::run_async`.

mod answer;
#[cfg(feature = "tokio")]
mod async_runs;
mod cancel;
mod check;
mod code;
#[cfg(feature = "compiler")]
mod compile;
mod engine;
mod entropy;
mod error;
mod functions;
mod guest;
mod instance;
#[cfg(feature = "compiler")]
mod instrument;
mod layout;
mod limits;
mod memory;
mod modules;
mod nesting;
mod outcome;
mod pages;
mod parse;
mod pool;
mod program;
mod request;
mod sandbox;
#[cfg(feature = "serde")]
mod serde_data;
mod session;
#[cfg(unix)]
mod signals;
mod snapshot;
mod source;
mod unicode;
mod validate;
mod value;

pub use azr_wire::{DecodeError, Frame, Literal, Reads};
pub use cancel::Cancel;
pub use check::{Check, Score, VERIFIER_ENTRY};
pub use error::Error;
pub use functions::{Arguments, Exception, FunctionTable, Functions, Record, Recorded, Replayed};
pub use guest::{Guest, Target, embedded_wasm};
pub use limits::Limits;
pub use outcome::{Outcome, OutcomeKind, Termination, UnknownOutcome};
pub use program::Program;
pub use request::Stream;
pub use sandbox::Sandbox;
pub use session::{ExecMode, FileQuota, Session, SessionOptions, SessionRun};
pub use validate::{ENTRY, InvalidReason, Validation};
pub use value::{Equality, Int, Value, repr};
