//! The memory of the curriculum: tasks that a model proposed and a sandbox verified.
//!
//! [`TaskBuffer`] takes tasks from any number of threads at once, keeps one of each ([`Level`] says what counts as the
//! same), gives it an id, and serves batches. Inserting and sampling wait for nobody: storage is lock-free, ids are dense
//! and in order of publication, and an id is visible only once its task is. What was committed survives the process: it is
//! in an append-only log with checksums, which is never overwritten, and which tells a torn tail from damage.
//!
//! ```
//! use azr_buffer::{Kind, Options, Request, Strategy, Task, TaskBuffer};
//!
//! let buffer = TaskBuffer::in_memory(Options::default());
//! let id = buffer.insert(&Task::new(Kind::Deduction, "def f(x): return x + 1", "41"))?.expect("it is new");
//! let again = buffer.insert(&Task::new(Kind::Deduction, "def f(y):\n    # one more\n    return y+1", "41"))?;
//! assert!(again.is_err(), "the same program, whatever its variables are called");
//!
//! let request =
//!     Request { kinds: &[Kind::Deduction], count: 1, strategy: Strategy::Uniform, seed: 7, exclude: &[] };
//! assert_eq!(buffer.sample(&request), [id]);
//! # Ok::<(), azr_buffer::Error>(())
//! ```
//!
//! The parts, each with its promise at its head: `canonical` (one text for programs that mean the same), `raw`, `table`
//! and `lanes` (the storage and how tasks are published in it), `sample` (batches), `similarity` (neighbours), `log` and
//! `persist` (durability).

mod buffer;
mod canonical;
mod codec;
mod entry;
mod error;
mod keys;
mod lanes;
mod log;
pub mod measure;
mod persist;
mod raw;
mod rng;
mod sample;
mod similarity;
mod sync;
mod table;
mod task;

pub use buffer::{GroupCommit, Options, Prepared, Rejected, Request, TaskBuffer, Verdict};
pub use canonical::{Canonical, Invalid, MAX_CHAIN, MAX_NESTING, Mode, canonicalize};
pub use error::{Error, Result};
pub use keys::Level;
pub use lanes::{Cap, Policy};
pub use log::Position;
pub use log::read::{Cut, Report};
pub use persist::{Access, Open};
pub use sample::Strategy;
pub use similarity::Neighbourhood;
pub use task::{KINDS, Kind, Output, Role, Solved, State, Task};
