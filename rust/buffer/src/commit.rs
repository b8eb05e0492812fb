//! Making what happened durable: commits, asked for or in the background.

use std::sync::{Arc, PoisonError, Weak};

use crate::buffer::TaskBuffer;
use crate::entry::Entry;
use crate::error::{Context, Error, Result};
use crate::keys::{self, Level};
use crate::log::handle::{Log, Update, Writer};
use crate::log::position::Position;
use crate::log::record::{Derived, Record};
use crate::log::write::Appender;
use crate::options::GroupCommit;
use crate::sync::Ordering;

/// Bytes of records that one flush writes at most, roughly.
const CHUNK: usize = 8 << 20;

impl TaskBuffer {
    /// Make everything that was inserted or recorded before this call durable; the position of that state.
    ///
    /// When it returns, the records are synced to the disk and the position is noted. This is the only acknowledgement:
    /// what was inserted after the last commit may be lost with the process.
    ///
    /// # Errors
    ///
    /// [`Error::NoLog`], [`Error::ReadOnly`], [`Error::Forked`]; [`Error::Io`], after which nothing of it counts and it can be tried
    /// again; [`Error::Poisoned`].
    pub fn commit(&self) -> Result<Position> {
        let log = self.log.as_ref().ok_or(Error::NoLog)?;
        let mut writer = log.writer()?;
        if let Some(error) = log.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // What failed in the background is told once; its records wait still.
            return Err(error);
        }
        self.write_waiting(log, &mut writer)
    }

    /// The position of the last commit.
    ///
    /// # Errors
    ///
    /// [`Error::NoLog`], [`Error::ReadOnly`], [`Error::Forked`].
    pub fn position(&self) -> Result<Position> {
        Ok(self.log.as_ref().ok_or(Error::NoLog)?.writer()?.position)
    }

    pub(crate) fn write_waiting(&self, log: &Log, writer: &mut Writer) -> Result<Position> {
        // Updates first, then the length: every task that an update is about is then below the length.
        while let Some(update) = log.queue.pop() {
            writer.waiting.push(update);
        }
        let end = self.len();
        loop {
            writer.appender.make_room()?;
            let mut next = writer.logged;
            while next < end && writer.appender.waiting() < CHUNK && !writer.appender.full() {
                if let Some(entry) = self.entry(next) {
                    let derived = self.derived(entry);
                    writer.appender.append(&Record::Task { id: next, derived, payload: entry.payload() });
                }
                next += 1;
            }
            let mut updates = 0;
            if next == end {
                while updates < writer.waiting.len() && writer.appender.waiting() < CHUNK && !writer.appender.full() {
                    updates += append_update(&mut writer.appender, &writer.waiting[updates..]);
                }
            }
            if writer.appender.waiting() == 0 {
                if writer.noted != writer.position {
                    writer.acknowledged.write(writer.position, false)?;
                    writer.noted = writer.position;
                }
                return Ok(writer.position);
            }
            let position = writer.appender.flush(next)?;
            writer.logged = next;
            writer.waiting.drain(..updates);
            // What is synced must not be written again, so it counts before it is noted.
            writer.position = position;
            writer.acknowledged.write(position, false)?;
            writer.noted = position;
            // Release: who reads the count may rely on the log holding as much.
            log.durable.store(next, Ordering::Release);
        }
    }

    /// Tasks below this are on disk.
    #[must_use]
    pub fn durable(&self) -> u64 {
        // Acquire: pairs with the release in `write_waiting`.
        self.log.as_ref().map_or(0, |log| log.durable.load(Ordering::Acquire))
    }

    /// What the log keeps of a task beside itself.
    pub(crate) fn derived(&self, entry: &Entry) -> Derived {
        Derived {
            canonical: (self.options.level >= Level::Canonical).then_some((keys::CANONICALISER, entry.key())),
            signature: self.options.similarity.then_some(entry.signature),
        }
    }
}

/// Append the first of `updates`, with those after it that go into the same record; how many.
fn append_update(appender: &mut Appender, updates: &[Update]) -> usize {
    let served = |update: &Update| match update {
        Update::Served { id, count } => Some((*id, *count)),
        _ => None,
    };
    let ids: Vec<(u64, u64)> = updates.iter().map_while(served).take(4096).collect();
    if !ids.is_empty() {
        let count = ids.len();
        appender.append(&Record::Served { ids });
        return count;
    }
    match updates[0] {
        Update::Solved { id, solved } => appender.append(&Record::Solved { id, solved }),
        Update::Held { id, order, held } => appender.append(&Record::Quarantined { id, order, held }),
        Update::Excluded { id } => appender.append(&Record::Excluded { id }),
        Update::Served { .. } => unreachable!("written above"),
    }
    1
}

/// Commit in the background until the buffer is dropped.
pub(crate) fn start_committer(buffer: &Arc<TaskBuffer>, group: GroupCommit) -> Result<()> {
    let weak: Weak<TaskBuffer> = Arc::downgrade(buffer);
    let run = move || {
        loop {
            std::thread::park_timeout(group.interval);
            let Some(buffer) = weak.upgrade() else { return };
            let log = buffer.log.as_ref().expect("only a buffer with a log has a committer");
            let result = log.writer().and_then(|mut writer| buffer.write_waiting(log, &mut writer));
            if let Err(error) = result {
                *log.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
    };
    let thread = std::thread::Builder::new().name("azr-buffer-commit".to_owned()).spawn(run);
    let log = buffer.log.as_ref().expect("set by the caller");
    let handle = thread.context("start the committer for", &log.folder)?;
    log.committer.get_or_init(|| handle.thread().clone());
    Ok(())
}
