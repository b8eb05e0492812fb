//! What a canonical form is, and why a text has none.

/// The name that the entry function is written with.
pub(super) const ENTRY: &str = "f";

/// How much of a program's text is its own choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Mode {
    /// It cannot see names: they are replaced.
    #[default]
    Rename,
    /// It can see names, not its layout.
    KeepNames,
    /// It can see its source, or anything: nothing is changed.
    AsWritten,
}

/// A program and its inputs in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Canonical {
    /// The program.
    pub program: String,
    /// One argument text for each input, in order.
    pub inputs: Vec<String>,
    /// How it was written.
    pub mode: Mode,
}

/// Why a text has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// The program does not parse.
    #[error("program does not parse at byte {offset}: {message}")]
    Program {
        /// Where, in bytes.
        offset: usize,
        /// What the parser says.
        message: String,
    },
    /// An input is not the inside of a call's brackets.
    #[error("input {index} is not a list of arguments")]
    Input {
        /// Which input.
        index: usize,
    },
    /// Nested beyond what is parsed.
    #[error("source nests deeper than {limit}")]
    TooDeep {
        /// [`MAX_NESTING`](crate::MAX_NESTING) or [`MAX_CHAIN`](crate::MAX_CHAIN).
        limit: usize,
    },
}
