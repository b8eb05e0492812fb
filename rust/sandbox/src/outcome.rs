//! How a program ended.

use azr_wire::{Frame, Reads};

use crate::value::Value;

/// One run: how it ended and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How the program ended.
    pub termination: Termination,
    /// What it printed, as far as the run reached its end; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
    /// Fuel that it took: the same for the same program, always.
    pub fuel_used: u64,
    /// Most heap bytes that it held at once, in steps of 4 KiB; 0 where the run did not reach its end.
    pub peak_memory: u32,
    /// What it read that CPython does not promise, or that differs from run to run; nothing where the run did
    /// not reach its end. A run that read nothing is the same always.
    pub reads: Reads,
}

/// How a program ended. Each of these is a fact about the program, the same on every machine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Termination {
    /// The call returned plain data. A script that ends returns `None`.
    Returned(Value),
    /// An exception left the program.
    Raised {
        /// Name of its class.
        class: String,
        /// Its text, cut to 2,000 bytes. The program's own code may have made it.
        message: String,
        /// The program's frames, outermost first, at most the last 20.
        traceback: Vec<Frame>,
    },
    /// The program does not compile, or is longer or more deeply nested than the limits.
    SyntaxError {
        /// Why.
        message: String,
        /// Line, from 1; 0 where unknown.
        line: u32,
    },
    /// The argument text is not an argument list over known names.
    InvalidInput(String),
    /// It would have taken more fuel.
    OutOfFuel {
        /// The limit.
        limit: u64,
    },
    /// It would have taken more memory.
    OutOfMemory {
        /// The limit, in bytes.
        limit: u32,
    },
    /// It recursed deeper, in native code, than the interpreter's own checks could stop.
    StackOverflow,
    /// It would have printed more.
    OutputTooLong {
        /// The limit, in bytes.
        limit: u32,
    },
    /// It returned something else than plain data: an object, NaN, or more than the limit.
    NotATaskValue(String),
    /// It crashed the interpreter: a panic or an invalid access inside the guest.
    Crashed(String),
}

impl Termination {
    /// The variant's name as it stands in JSON and in Python: `returned`, `out_of_fuel`, ...
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Returned(_) => "returned",
            Self::Raised { .. } => "raised",
            Self::SyntaxError { .. } => "syntax_error",
            Self::InvalidInput(_) => "invalid_input",
            Self::OutOfFuel { .. } => "out_of_fuel",
            Self::OutOfMemory { .. } => "out_of_memory",
            Self::StackOverflow => "stack_overflow",
            Self::OutputTooLong { .. } => "output_too_long",
            Self::NotATaskValue(_) => "not_a_task_value",
            Self::Crashed(_) => "crashed",
        }
    }
}
