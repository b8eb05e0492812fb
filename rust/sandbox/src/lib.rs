//! Untrusted Python, run in WebAssembly: a fresh interpreter for every program.
//!
//! ```no_run
//! use azr_sandbox::{Ended, Guest, Limits, Program, Sandbox, repr};
//!
//! fn main() -> Result<(), azr_sandbox::Error> {
//!     // Compiles the interpreter, some 15 s; `Guest::precompile` moves that to build time.
//!     let sandbox = Sandbox::new(&Guest::embedded()?, Limits::default())?;
//!     let program = Program::call("def f(xs):\n    return sorted(xs)[-1]", "f", "[3, 1, 2]");
//!     let outcome = sandbox.run(&program)?;
//!     match outcome.ended {
//!         Ended::Returned(value) => assert_eq!(repr(&value), "3"),
//!         ended => panic!("the program ended otherwise: {ended:?}"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # What is promised
//!
//! - **Isolation.** The interpreter is one WebAssembly module that imports nothing: there is no call by
//!   which a program could reach the host. `SECURITY.md` has the threat model.
//! - **Freshness.** Every program starts from the same state and leaves nothing behind.
//! - **Verdicts.** Fuel, not the clock, ends programs: the same program has the same [`Outcome`] and the
//!   same [`Outcome::fuel_used`] on every machine. A failure of the sandbox is an [`Error`], never an outcome.
//! - **Values.** What a program returns is encoded from exact built-in types without asking the program's
//!   code, and compared on the host ([`Equality`]).

mod cards;
mod error;
mod fuel;
mod guest;
mod instance;
mod limits;
mod memory;
mod nesting;
mod outcome;
mod program;
mod sandbox;
mod signals;
#[cfg_attr(not(feature = "compiler"), expect(dead_code, reason = "a guest that comes compiled has been split"))]
mod split;
mod task;
mod unicode;
mod value;

pub use azr_wire::{DecodeError, Frame, Literal, Reads};
pub use error::Error;
pub use guest::{Guest, embedded_wasm};
pub use limits::Limits;
pub use outcome::{Ended, Outcome};
pub use program::Program;
pub use sandbox::{Cancel, Sandbox};
pub use task::{Check, ENTRY, InvalidReason, Score, VERIFIER_ENTRY, Validation};
pub use value::{Equality, Int, Value, repr};
