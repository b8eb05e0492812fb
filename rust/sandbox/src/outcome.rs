//! How a program ended.

use std::fmt;
use std::str::FromStr;

use azr_wire::{Frame, Reads};

use crate::value::Value;

/// One run: how it ended and what it took.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
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
    #[cfg_attr(feature = "serde", serde(with = "crate::serde_data::reads"))]
    pub reads: Reads,
}

/// How a program ended. Each of these is a fact about the program, the same on every machine.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Termination {
    /// The call returned plain data. A script that ends returns `None`.
    Returned(#[cfg_attr(feature = "serde", serde(with = "crate::serde_data::value"))] Value),
    /// An exception left the program.
    Raised {
        /// Name of its class.
        class: String,
        /// Its text, cut to 2,000 bytes. The program's own code may have made it.
        message: String,
        /// The program's frames, outermost first, at most the last 20.
        #[cfg_attr(feature = "serde", serde(with = "crate::serde_data::frames"))]
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
    /// Which kind it is, without what goes with it.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Returned(_) => OutcomeKind::Returned,
            Self::Raised { .. } => OutcomeKind::Raised,
            Self::SyntaxError { .. } => OutcomeKind::SyntaxError,
            Self::InvalidInput(_) => OutcomeKind::InvalidInput,
            Self::OutOfFuel { .. } => OutcomeKind::OutOfFuel,
            Self::OutOfMemory { .. } => OutcomeKind::OutOfMemory,
            Self::StackOverflow => OutcomeKind::StackOverflow,
            Self::OutputTooLong { .. } => OutcomeKind::OutputTooLong,
            Self::NotATaskValue(_) => OutcomeKind::NotATaskValue,
            Self::Crashed(_) => OutcomeKind::Crashed,
        }
    }
}

/// The kinds of [`Termination`]. This is the one list of their names: the Python package tests its own against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the termination of the same name")]
pub enum OutcomeKind {
    Returned,
    Raised,
    SyntaxError,
    InvalidInput,
    OutOfFuel,
    OutOfMemory,
    StackOverflow,
    OutputTooLong,
    NotATaskValue,
    Crashed,
}

impl OutcomeKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Returned,
        Self::Raised,
        Self::SyntaxError,
        Self::InvalidInput,
        Self::OutOfFuel,
        Self::OutOfMemory,
        Self::StackOverflow,
        Self::OutputTooLong,
        Self::NotATaskValue,
        Self::Crashed,
    ];

    /// Its name in JSON and in Python: `returned`, `out_of_fuel`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Raised => "raised",
            Self::SyntaxError => "syntax_error",
            Self::InvalidInput => "invalid_input",
            Self::OutOfFuel => "out_of_fuel",
            Self::OutOfMemory => "out_of_memory",
            Self::StackOverflow => "stack_overflow",
            Self::OutputTooLong => "output_too_long",
            Self::NotATaskValue => "not_a_task_value",
            Self::Crashed => "crashed",
        }
    }
}

/// A text is not the name of a kind of outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a kind of outcome")]
pub struct UnknownOutcome(pub String);

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OutcomeKind {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownOutcome(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_what_its_name_reads_as() {
        for kind in OutcomeKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("ended".parse::<OutcomeKind>(), Err(UnknownOutcome("ended".to_owned())));
    }
}
