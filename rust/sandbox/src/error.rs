//! How the sandbox itself can fail. A program's failure is never one of these: see [`crate::Outcome`].

use std::time::Duration;

/// A failure of ours: no verdict about any program follows from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a guest that this version can run.
    #[error("not a usable guest: {0}")]
    BadGuest(String),
    /// A module given to [`Guest::with_modules`](crate::Guest::with_modules) cannot be imported.
    #[error("module `{name}`, line {line}: {message}")]
    BadModule {
        /// The module that holds the line.
        name: String,
        /// Line in its source, from 1; 0 where the fault lies in no line.
        line: u32,
        /// What is wrong: class and text of the exception.
        message: String,
    },
    /// The guest answered with bytes that are not an answer, or broke another rule that ours keeps.
    #[error("the guest broke its contract: {0}")]
    GuestContract(String),
    /// The program ran longer than the wall-clock backstop before its fuel was spent. The machine was
    /// overloaded, or the limit is too small for the fuel: the same program may end within it next time.
    #[error("no outcome within {limit:?}: raise `wall` or lower `fuel`, or retry on a less busy machine")]
    WallClock {
        /// The backstop.
        limit: Duration,
    },
    /// The batch was cancelled before this program ended.
    #[error("cancelled")]
    Cancelled,
    /// The sandbox's worker threads stayed behind in the parent process.
    #[error(
        "this sandbox was made in process {parent}, and threads do not survive a fork: make a new \
         Sandbox in the child, or start workers with the spawn method"
    )]
    Forked {
        /// Process that made it.
        parent: u32,
    },
    /// A function that a program called asked the sandbox that waits for it.
    #[error("a function called the sandbox that waits for its result: it would wait for itself")]
    CalledBack,
    /// Bytes that are no snapshot of a session, or one of another guest or of other options.
    #[error("not a snapshot that this session can start from: {0}")]
    BadSnapshot(String),
    /// Options of a session that cannot be kept, or something that it was not opened for.
    #[error("{0}")]
    BadSession(String),
    /// A limit that no run can keep.
    #[error("{name} must be {range}, not {value}")]
    BadLimit {
        /// Which.
        name: &'static str,
        /// What it may be.
        range: &'static str,
        /// What it was.
        value: u64,
    },
    /// The operating system refused memory or a thread.
    #[error("the operating system refused: {0} (address space of 4 GiB per thread is needed: see `ulimit -v`)")]
    Host(#[from] std::io::Error),
    /// The runtime failed in a way that no program should be able to cause.
    #[error("the WebAssembly runtime failed: {0}")]
    Runtime(String),
}

impl Error {
    /// Its name, for programs: `wall_clock`, `bad_limit`, ...
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadGuest(_) => "bad_guest",
            Self::BadModule { .. } => "bad_module",
            Self::GuestContract(_) => "guest_contract",
            Self::WallClock { .. } => "wall_clock",
            Self::Cancelled => "cancelled",
            Self::Forked { .. } => "forked",
            Self::BadLimit { .. } => "bad_limit",
            Self::CalledBack => "called_back",
            Self::BadSnapshot(_) => "bad_snapshot",
            Self::BadSession(_) => "bad_session",
            Self::Host(_) => "host",
            Self::Runtime(_) => "runtime",
        }
    }

    /// The same once more, of those that are about no one program.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Forked { parent } => Self::Forked { parent: *parent },
            Self::CalledBack => Self::CalledBack,
            other => Self::Runtime(other.to_string()),
        }
    }
}
