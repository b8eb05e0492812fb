//! How the buffer itself fails; a rejected task is not a failure.

use std::io;
use std::path::PathBuf;

use crate::log::position::{BadPosition, Position};

/// What the buffer could not do. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process writes this buffer.
    #[error("buffer {path} is in use by {holder}; open it read-only, or stop that process", path = path.display())]
    InUse {
        /// The buffer's folder.
        path: PathBuf,
        /// Process id and host, as the holder wrote them.
        holder: String,
    },
    /// There is no buffer here.
    #[error("there is no task buffer in {path}", path = path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The folder or file holds something else.
    #[error("{path} is not part of a task buffer: {found}", path = path.display())]
    Foreign {
        /// The folder or file.
        path: PathBuf,
        /// What was found.
        found: String,
    },
    /// A newer version of this program wrote it.
    #[error("{path} has format version {found}, this program reads up to {known}", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that is known.
        known: u32,
    },
    /// Bytes that had been acknowledged are not what was written.
    #[error(
        "{path} is damaged at byte {offset}: {found}; the {tasks} tasks before it are intact (open with `salvage` to keep \
         them and set the rest aside)",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where its first bad record or field begins.
        offset: u64,
        /// What is wrong.
        found: &'static str,
        /// Tasks before the damage.
        tasks: u64,
    },
    /// The log ends before the last acknowledged byte.
    #[error(
        "the log in {path} ends at {end}, but tasks were acknowledged up to {acknowledged}: its end is lost (open with \
         `salvage` to go on with the {} tasks that are left)",
        end.tasks,
        path = path.display()
    )]
    Lost {
        /// The buffer's folder.
        path: PathBuf,
        /// The last acknowledged position.
        acknowledged: Position,
        /// Where the log ends.
        end: Position,
    },
    /// The log does not hold the state that a position names.
    #[error("the log in {path} does not have position {position}: {why}", path = path.display())]
    NoSuchPosition {
        /// The buffer's folder.
        path: PathBuf,
        /// The position asked for.
        position: Position,
        /// What is there instead.
        why: &'static str,
    },
    /// A text is not a position.
    #[error(transparent)]
    BadPosition(#[from] BadPosition),
    /// The buffer is open for reading only.
    #[error("the buffer is open read-only")]
    ReadOnly,
    /// The buffer has no log to write.
    #[error("the buffer is in memory only: it has no log")]
    NoLog,
    /// The process that opened the buffer has forked, and this is the child: two writers would destroy the log.
    #[error(
        "the buffer was opened by process {owner}, which forked this one; open it anew, once that process has closed it"
    )]
    Forked {
        /// The process that may write.
        owner: u32,
    },
    /// No such task.
    #[error("there is no task {id}; the buffer has ids below {len}, and compaction drops evicted ones")]
    NoSuchTask {
        /// The id.
        id: u64,
        /// Ids given out.
        len: u64,
    },
    /// A measurement that cannot be.
    #[error("{successes} right of {attempts} attempts is no solve rate")]
    BadRate {
        /// Right attempts.
        successes: u16,
        /// All attempts.
        attempts: u16,
    },
    /// An earlier write failed in a way that leaves the file's state unknown.
    #[error("an earlier write to the log failed ({cause}); reopen the buffer")]
    Poisoned {
        /// The earlier error.
        cause: String,
    },
    /// Compaction was told to stop; the old log stands.
    #[error("compaction was interrupted; the log is as it was")]
    Interrupted,
    /// More tasks than ids.
    #[error("the buffer is full: it holds {limit} tasks")]
    Full {
        /// The most tasks that ids are for.
        limit: u64,
    },
}

impl Error {
    /// Its name, for programs: `in_use`, `damaged`, ...
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::InUse { .. } => "in_use",
            Self::Missing { .. } => "missing",
            Self::Foreign { .. } => "foreign",
            Self::Newer { .. } => "newer",
            Self::Damaged { .. } => "damaged",
            Self::Lost { .. } => "lost",
            Self::NoSuchPosition { .. } | Self::BadPosition(_) => "no_such_position",
            Self::ReadOnly => "read_only",
            Self::NoLog => "no_log",
            Self::Forked { .. } => "forked",
            Self::NoSuchTask { .. } => "no_such_task",
            Self::BadRate { .. } => "bad_rate",
            Self::Poisoned { .. } => "poisoned",
            Self::Interrupted => "interrupted",
            Self::Full { .. } => "full",
        }
    }
}

/// Results of the buffer.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds what was tried, and on what, to an operating system error.
pub(crate) trait Context<T> {
    fn context(self, action: &'static str, path: &std::path::Path) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &std::path::Path) -> Result<T> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source })
    }
}
