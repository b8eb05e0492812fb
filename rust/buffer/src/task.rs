//! What the buffer holds: validated tasks with their provenance.

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Program and input: predict the output.
    Deduction,
    /// Program and output: find an input.
    Abduction,
    /// Pairs and a message: write the program.
    Induction,
    /// Program and input: predict the exception.
    Error,
}

/// How many kinds there are.
pub const KINDS: usize = 4;

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; KINDS] = [Self::Deduction, Self::Abduction, Self::Induction, Self::Error];

    /// Its place in [`Kind::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deduction => "deduction",
            Self::Abduction => "abduction",
            Self::Induction => "induction",
            Self::Error => "error",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who made a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// A hash of what the program does on a fixed set of probe inputs, if that was run.
    pub behaviour: Option<u128>,
}

impl Task {
    /// A task with no more than a program and an input.
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
pub struct State {
    /// Every measurement, by step.
    pub history: Vec<Solved>,
    /// Times that it was served.
    pub served: u64,
    /// Held back from sampling.
    pub quarantined: bool,
    /// Within the cap. Evicted tasks can be read, not sampled.
    pub servable: bool,
}
