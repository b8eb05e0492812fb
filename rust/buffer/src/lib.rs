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
//! let id = buffer.insert(&Task::new(Kind::DEDUCTION, "def f(x): return x + 1", "41"))?.expect("it is new");
//! let again = buffer.insert(&Task::new(Kind::DEDUCTION, "def f(y):\n    # one more\n    return y+1", "41"))?;
//! assert!(again.is_err(), "the same program, whatever its variables are called");
//!
//! let request =
//!     Request { kinds: &[Kind::DEDUCTION], count: 1, strategy: Strategy::Uniform, seed: 7, exclude: &[] };
//! assert_eq!(buffer.sample(&request), [id]);
//! # Ok::<(), azr_buffer::Error>(())
//! ```
//!
//! The parts, each with its promise at its head: `canonical` (one text for programs that mean the same), `slots`,
//! `append_log`, `table` and `by_kind` (the storage and how tasks are published in it), `sample` (batches), `similarity`
//! (neighbours), `log`, `open`, `commit` and `compact` (durability).

#![cfg_attr(loom, expect(dead_code, reason = "the models use a part"))]

// Under loom only the table and what it stands on is built, for the models in `table.rs`.
mod append_log;
#[cfg(not(loom))]
mod buffer;
mod by_kind;
#[cfg(not(loom))]
mod canonical;
#[cfg(not(loom))]
mod codec;
#[cfg(not(loom))]
mod commit;
#[cfg(not(loom))]
mod compact;
#[cfg(not(loom))]
mod entry;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod keys;
#[cfg(not(loom))]
mod log;
#[cfg(not(loom))]
mod open;
#[cfg(not(loom))]
mod options;
mod rng;
#[cfg(not(loom))]
mod sample;
#[cfg(not(loom))]
mod similarity;
mod slots;
mod sync;
mod table;
mod task;
#[cfg(not(loom))]
mod update;

pub use by_kind::{Cap, Policy};
pub use task::{BadKind, Kind, Output, Role, Solved, State, Task};
#[cfg(not(loom))]
pub use {
    buffer::{Prepared, Rejected, Request, TaskBuffer, Verdict},
    canonical::{Canonical, Invalid, MAX_CHAIN, MAX_NESTING, Mode, Shape, canonicalize, shape},
    error::{Error, Result},
    keys::Level,
    log::position::{BadPosition, Position},
    log::read::{Cut, Report},
    open::{Access, Open},
    options::{GroupCommit, Options},
    sample::Strategy,
    similarity::Neighbourhood,
};
