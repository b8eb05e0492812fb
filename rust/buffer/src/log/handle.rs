//! What an open buffer has of its log: the end that is written to, and the updates that wait.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;

use crossbeam_queue::SegQueue;

use super::files::{Acknowledged, Lock};
use super::position::Position;
use super::write::Appender;
use crate::error::{Error, Result};
use crate::sync::AtomicU64;
use crate::task::Solved;

/// A change of a task, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Update {
    Solved { id: u64, solved: Solved },
    Served { id: u64, count: u64 },
    Held { id: u64, order: u64, held: bool },
    Excluded { id: u64 },
}

/// What only one thread at a time may do. Inserting and reading never come here.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) appender: Appender,
    pub(crate) acknowledged: Acknowledged,
    /// Tasks below this are in the log.
    pub(crate) logged: u64,
    /// Updates taken from the queue that are not in the log yet.
    pub(crate) waiting: Vec<Update>,
    pub(crate) position: Position,
    /// The position that `ACKNOWLEDGED` holds.
    pub(crate) noted: Position,
    /// Held for as long as this lives.
    pub(crate) _lock: Lock,
}

/// The log of a buffer.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) folder: PathBuf,
    /// The process that opened it. A fork inherits the lock, but not the right to write.
    pub(crate) owner: u32,
    /// None when read-only.
    pub(crate) writer: Option<Mutex<Writer>>,
    pub(crate) queue: SegQueue<Update>,
    /// The thread that commits in the background.
    pub(crate) committer: OnceLock<Thread>,
    pub(crate) every: u64,
    /// Why the last commit in the background failed.
    pub(crate) failed: Mutex<Option<Error>>,
    /// Tasks below this are acknowledged.
    pub(crate) durable: AtomicU64,
}

impl Log {
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    pub(crate) fn queue(&self, update: Update) {
        self.queue.push(update);
    }

    /// Wake the committer when its number of tasks is full.
    pub(crate) fn nudge(&self, id: u64) {
        if self.every > 0
            && (id + 1).is_multiple_of(self.every)
            && let Some(thread) = self.committer.get()
        {
            thread.unpark();
        }
    }

    /// The right to write, one thread at a time.
    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.as_ref().ok_or(Error::ReadOnly)?;
        if std::process::id() != self.owner {
            return Err(Error::Forked { owner: self.owner });
        }
        // A panic while it was held leaves records that were not acknowledged, and those are written again.
        Ok(writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
