//! What the buffer holds: validated tasks with their provenance.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// What a task asks for: a name. A buffer holds tasks of any number of kinds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind(Cow<'static, str>);

/// A text is not the name of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKind {
    /// The text.
    pub text: String,
}

/// The kinds that there were when a kind was a number: they keep their numbers in the log, so that logs from then are
/// read, and written, as they were.
pub(crate) const NUMBERED: [&str; 4] = ["deduction", "abduction", "induction", "error"];

/// The most bytes of a kind's name.
const KIND_BYTES: usize = 128;

impl Kind {
    /// Program and input: predict the output.
    pub const DEDUCTION: Self = Self(Cow::Borrowed("deduction"));
    /// Program and output: find an input.
    pub const ABDUCTION: Self = Self(Cow::Borrowed("abduction"));
    /// Pairs and a message: write the program.
    pub const INDUCTION: Self = Self(Cow::Borrowed("induction"));
    /// Program and input: predict the exception.
    pub const ERROR: Self = Self(Cow::Borrowed("error"));

    /// The kind of this name.
    ///
    /// # Errors
    ///
    /// [`BadKind`] for an empty name, one of more than 128 bytes, and one with a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, BadKind> {
        let text = name.into();
        if Self::is_name(&text) { Ok(Self(Cow::Owned(text))) } else { Err(BadKind { text }) }
    }

    /// Whether a text is the name of a kind.
    pub(crate) fn is_name(text: &str) -> bool {
        !text.is_empty() && text.len() <= KIND_BYTES && !text.chars().any(char::is_control)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The number that stands for a name in the log, if one does.
    pub(crate) fn number(name: &str) -> Option<u8> {
        let at = NUMBERED.iter().position(|kind| *kind == name)?;
        u8::try_from(at).ok()
    }
}

/// Those of plain Python first, then by name: batches are drawn in this order, whichever kind came first.
impl Ord for Kind {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |kind: &Self| Self::number(kind.name()).unwrap_or(u8::MAX);
        place(self).cmp(&place(other)).then_with(|| self.name().cmp(other.name()))
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = BadKind;

    fn from_str(text: &str) -> Result<Self, BadKind> {
        Self::new(text)
    }
}

impl fmt::Display for BadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a kind's name: 1 to {KIND_BYTES} bytes without control characters are", self.text)
    }
}

impl std::error::Error for BadKind {}

/// Who made a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The proposer; of step 0, a seed.
    Propose,
    /// The solver, whose answer became a task.
    Solve,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Self; 2] = [Self::Propose, Self::Solve];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Solve => "solve",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A value that the program returned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The sandbox's encoding, opaque here.
    pub value: Vec<u8>,
    /// Its `repr`, for prompts and people.
    pub repr: String,
}

/// One validated task. It does not change once it is in the buffer; what does is in [`State`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task {
    /// What it asks for.
    pub kind: Kind,
    /// The program's source.
    pub program: String,
    /// Argument texts, as in `f(<text>)`.
    pub inputs: Vec<String>,
    /// What the program returned for each input.
    pub outputs: Vec<Output>,
    /// What the proposer says about the program; empty if nothing.
    pub message: String,
    /// Import statements that the program needs.
    pub imports: Vec<String>,
    /// The training step that made it.
    pub step: u32,
    /// Who made it.
    pub role: Role,
    /// Ids of the tasks that the proposer was shown.
    pub references: Vec<u64>,
    /// Ids of the tasks that a composite program calls.
    pub parents: Vec<u64>,
    /// A hash of what the program does on a fixed set of inputs, if that was run.
    pub behaviour: Option<u128>,
}

impl Task {
    /// A task with no more than a program and an input; the other fields are assigned.
    #[must_use]
    pub fn new(kind: Kind, program: impl Into<String>, input: impl Into<String>) -> Self {
        Self {
            kind,
            program: program.into(),
            inputs: vec![input.into()],
            outputs: Vec::new(),
            message: String::new(),
            imports: Vec::new(),
            step: 0,
            role: Role::Propose,
            references: Vec::new(),
            parents: Vec::new(),
            behaviour: None,
        }
    }
}

/// Attempts at a task in one step, and how many were right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Solved {
    /// The training step.
    pub step: u32,
    /// Right attempts.
    pub successes: u16,
    /// All attempts, at least one.
    pub attempts: u16,
}

/// What changes about a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct State {
    /// Every measurement, by step.
    pub history: Vec<Solved>,
    /// Times that it was served.
    pub served: u64,
    /// Held back from sampling by a person or a monitor.
    pub quarantined: bool,
    /// Excluded from sampling by a rule of the curriculum.
    pub excluded: bool,
    /// Within the cap. Evicted tasks can be read, not sampled.
    pub servable: bool,
}
