//! Opening, committing and compacting: the buffer and its log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::Thread;

use crossbeam_queue::SegQueue;
use rustc_hash::FxHashSet;

use crate::buffer::{GroupCommit, Options, TaskBuffer};
use crate::codec;
use crate::error::{Context, Error, Result};
use crate::lanes::Gap;
use crate::log::Position;
use crate::log::compact::{self, Rewrite};
use crate::log::files::{self, Acknowledged, Lock};
use crate::log::read::{self, Apply, Report, Until};
use crate::log::record::Record;
use crate::log::write::{self, Appender};
use crate::sync::{AtomicU64, Ordering};
use crate::task::{KINDS, Solved};

/// Bytes of records that one flush writes at most, roughly.
const CHUNK: usize = 8 << 20;

/// What an open is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Write; make the buffer if there is none.
    #[default]
    Write,
    /// Write a buffer that exists.
    Existing,
    /// Read, and change nothing; a live writer does not matter.
    Read,
}

/// How to open a buffer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Open {
    /// What for.
    pub access: Access,
    /// Restore the state at this position. What came later is set aside, in files of its own.
    pub at: Option<Position>,
    /// Go on with the good part of a damaged log. The rest is set aside, in files of its own.
    pub salvage: bool,
}

/// A change of a task, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Update {
    Solved { id: u64, solved: Solved },
    Served { id: u64, count: u64 },
    Held { id: u64, order: u64, held: bool },
}

/// What only one thread at a time may do. Inserting and reading never come here.
#[derive(Debug)]
struct Writer {
    appender: Appender,
    acknowledged: Acknowledged,
    /// Tasks below this are in the log.
    logged: u64,
    /// Updates taken from the queue that are not in the log yet.
    waiting: Vec<Update>,
    position: Position,
    /// The position that `ACKNOWLEDGED` holds.
    noted: Position,
    _lock: Lock,
}

/// The log of a buffer.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    /// The process that opened it. A fork inherits the lock, but not the right to write.
    owner: u32,
    /// None when read-only.
    writer: Option<Mutex<Writer>>,
    queue: SegQueue<Update>,
    /// The thread that commits in the background.
    committer: OnceLock<Thread>,
    every: u64,
    /// Why the last commit in the background failed.
    failed: Mutex<Option<Error>>,
    /// Tasks below this are acknowledged.
    durable: AtomicU64,
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

    fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.as_ref().ok_or(Error::ReadOnly)?;
        if std::process::id() != self.owner {
            return Err(Error::Forked { owner: self.owner });
        }
        // A panic while it was held leaves records that were not acknowledged, and those are written again.
        Ok(writer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Fills a buffer from its log.
struct Filler(TaskBuffer);

impl Apply for Filler {
    fn apply(&mut self, record: Record<'_>) -> std::result::Result<(), &'static str> {
        let len = self.0.len();
        let known = |id: u64| if id < len { Ok(()) } else { Err("a record is about a task that is not there") };
        match record {
            Record::Task { id, derived, payload } => {
                if id != len {
                    return Err("a task's id is not the next");
                }
                codec::check_task(payload).map_err(|_| "a task cannot be decoded")?;
                self.0.restore(payload, derived);
            }
            Record::Solved { id, solved } => {
                known(id)?;
                self.0.apply(Update::Solved { id, solved });
            }
            Record::Served { ids } => {
                // All or nothing: of a record that is refused nothing may be kept.
                ids.iter().try_for_each(|(id, _)| known(*id))?;
                for (id, count) in ids {
                    self.0.apply(Update::Served { id, count });
                }
            }
            Record::Quarantined { id, order, held } => {
                known(id)?;
                self.0.apply(Update::Held { id, order, held });
            }
            Record::Gap { count, kinds } => {
                let room = u64::from(u32::MAX) - len;
                if count > room || kinds.iter().try_fold(0_u64, |sum, kind| sum.checked_add(*kind)) != Some(count) {
                    return Err("a gap does not add up");
                }
                self.0.table.shelf_mut().skip(count);
                self.0.lanes.leave_gap(Gap { start: len, count, kinds });
            }
        }
        Ok(())
    }

    fn tasks(&self) -> u64 {
        self.0.len()
    }
}

impl TaskBuffer {
    /// Open the buffer in `folder`.
    ///
    /// # Errors
    ///
    /// [`Error`]; whatever it is, the files are as they were.
    pub fn open(folder: &Path, options: Options, open: Open) -> Result<(Arc<Self>, Report)> {
        if open.access == Access::Write {
            fs::create_dir_all(folder).context("make the folder", folder)?;
        } else if !folder.is_dir() {
            return Err(Error::Missing { path: folder.to_owned() });
        }
        if open.access == Access::Read {
            return Self::open_to_read(folder, options, open);
        }
        if files::read_current(folder)?.is_none() {
            if open.access == Access::Existing {
                return Err(Error::Missing { path: folder.to_owned() });
            }
            files::check_empty(folder)?;
        }
        let lock = Lock::take(folder)?;
        let generation = match files::read_current(folder)? {
            Some(generation) => generation,
            None => Self::make(folder)?,
        };
        let group = options.group_commit;
        let limit = options.segment_bytes;
        let (mut buffer, mut report) = Self::read_log(folder, generation, options, open)?;
        let mut acknowledged = Acknowledged::open(folder)?;
        let changed = report.cut.is_some() || open.at.is_some() || open.salvage;
        if changed {
            // First the promise, then the bytes: an interruption in between leaves a longer log, which is no damage.
            acknowledged.write(report.end, true)?;
        }
        let torn = open.at.is_none() && !open.salvage;
        report.set_aside = write::cut_after(folder, report.end, !torn)?;
        compact::remove_others(folder, generation)?;
        let writer = Writer {
            appender: Appender::open(folder, report.end, limit)?,
            acknowledged,
            logged: buffer.len(),
            waiting: Vec::new(),
            position: report.end,
            // A tail that was whole but not acknowledged is acknowledged by the next commit.
            noted: if changed { report.end } else { report.acknowledged.unwrap_or_default() },
            _lock: lock,
        };
        buffer.log = Some(Log {
            folder: folder.to_owned(),
            owner: std::process::id(),
            writer: Some(Mutex::new(writer)),
            queue: SegQueue::new(),
            committer: OnceLock::new(),
            every: group.map_or(0, |group| group.tasks),
            failed: Mutex::new(None),
            durable: AtomicU64::new(buffer.len()),
        });
        let buffer = Arc::new(buffer);
        if let Some(group) = group {
            start_committer(&buffer, group)?;
        }
        Ok((buffer, report))
    }

    /// Make an empty buffer; its generation.
    fn make(folder: &Path) -> Result<u64> {
        // Nothing is promised yet, not even the first segment's header.
        let start = Position { generation: 1, segment: 0, offset: 0, tasks: 0 };
        Acknowledged::open(folder)?.write(start, true)?;
        files::write_current(folder, start.generation)?;
        Ok(start.generation)
    }

    fn read_log(folder: &Path, generation: u64, options: Options, open: Open) -> Result<(Self, Report)> {
        // Room for the tasks that the log was last seen to hold: the map then need not grow while it is filled.
        let tasks = files::read_acknowledged(folder, generation)?.map_or(0, |position| position.tasks);
        let expected = usize::try_from(tasks.min(1 << 24)).unwrap_or(0);
        let mut filler = Filler(Self::with_capacity(options, expected));
        let until = Until { position: open.at, salvage: open.salvage };
        let report = read::replay(folder, generation, until, &mut filler)?;
        filler.0.link_restored();
        Ok((filler.0, report))
    }

    fn open_to_read(folder: &Path, options: Options, open: Open) -> Result<(Arc<Self>, Report)> {
        loop {
            let generation = files::read_current(folder)?.ok_or_else(|| Error::Missing { path: folder.to_owned() })?;
            match Self::read_log(folder, generation, options.clone(), open) {
                Ok((mut buffer, report)) => {
                    let durable = AtomicU64::new(buffer.len());
                    buffer.log = Some(Log {
                        folder: folder.to_owned(),
                        owner: std::process::id(),
                        writer: None,
                        queue: SegQueue::new(),
                        committer: OnceLock::new(),
                        every: 0,
                        failed: Mutex::new(None),
                        durable,
                    });
                    return Ok((Arc::new(buffer), report));
                }
                // The writer has compacted the log under our hands: read the new one.
                Err(error) => {
                    if files::read_current(folder)? == Some(generation) {
                        return Err(error);
                    }
                }
            }
        }
    }

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

    fn write_waiting(&self, log: &Log, writer: &mut Writer) -> Result<Position> {
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

    /// Rewrite the log without evicted tasks, and with one record for each task's updates. Inserting and sampling go on.
    ///
    /// Ids stay. Evicted tasks stay readable until the buffer is closed; after that they are gone, and may be added anew.
    /// Positions from before are not valid any more. `stop` is asked now and then; the old log stands if it says so.
    ///
    /// # Errors
    ///
    /// As [`TaskBuffer::commit`]; [`Error::Interrupted`].
    pub fn compact(&self, stop: &dyn Fn() -> bool) -> Result<Position> {
        let log = self.log.as_ref().ok_or(Error::NoLog)?;
        let mut writer = log.writer()?;
        let old = self.write_waiting(log, &mut writer)?;
        let rewrite = Rewrite::start(&log.folder, old.generation + 1, self.options.segment_bytes)?;
        let written = self.rewrite(rewrite, writer.logged, stop, &mut writer.acknowledged);
        match written {
            Ok((appender, position)) => {
                writer.appender = appender;
                writer.position = position;
                writer.noted = position;
                Ok(position)
            }
            Err(error) => {
                if files::read_current(&log.folder)? == Some(old.generation) {
                    compact::remove_generation(&log.folder, old.generation + 1)?;
                }
                Err(error)
            }
        }
    }

    fn rewrite(
        &self,
        mut rewrite: Rewrite<'_>,
        end: u64,
        stop: &dyn Fn() -> bool,
        acknowledged: &mut Acknowledged,
    ) -> Result<(Appender, Position)> {
        let lanes = crate::task::Kind::ALL.map(|kind| self.served(kind));
        let served: FxHashSet<u64> =
            lanes.iter().flat_map(|lane| (0..lane.len()).filter_map(|index| lane.id(index))).collect();
        let kept = |id: u64| self.entry(id).filter(|_| served.contains(&id));
        let mut old_gaps = self.lanes.gaps().iter().peekable();
        let mut gap = Gap { start: 0, count: 0, kinds: [0; KINDS] };
        let mut id = 0;
        while id < end {
            if let Some(old) = old_gaps.next_if(|old| old.start == id) {
                gap.count += old.count;
                gap.kinds.iter_mut().zip(old.kinds).for_each(|(sum, count)| *sum += count);
                id += old.count;
                continue;
            }
            let entry = self.entry(id).expect("an id is in a gap or has a task");
            if kept(id).is_some() {
                add_gap(&mut rewrite, &mut gap, id, stop)?;
                let record = Record::Task { id, derived: self.derived(entry), payload: entry.payload() };
                rewrite.add(&record, id + 1, stop)?;
            } else {
                gap.count += 1;
                gap.kinds[entry.kind.index()] += 1;
            }
            id += 1;
        }
        add_gap(&mut rewrite, &mut gap, end, stop)?;
        for id in 0..end {
            let Some(entry) = kept(id) else { continue };
            for solved in self.history(entry) {
                rewrite.add(&Record::Solved { id, solved }, end, stop)?;
            }
            let count = entry.facts().served;
            if count > 0 {
                rewrite.add(&Record::Served { ids: vec![(id, count)] }, end, stop)?;
            }
            let (order, held) = entry.held();
            if order > 0 {
                rewrite.add(&Record::Quarantined { id, order, held }, end, stop)?;
            }
        }
        rewrite.finish(acknowledged)
    }
}

/// Write the gap that ends at `end`, if there is one.
fn add_gap(rewrite: &mut Rewrite<'_>, gap: &mut Gap, end: u64, stop: &dyn Fn() -> bool) -> Result<()> {
    if gap.count > 0 {
        rewrite.add(&Record::Gap { count: gap.count, kinds: gap.kinds }, end, stop)?;
        *gap = Gap { start: 0, count: 0, kinds: [0; KINDS] };
    }
    Ok(())
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
        Update::Served { .. } => unreachable!("written above"),
    }
    1
}

/// Commit in the background until the buffer is dropped.
fn start_committer(buffer: &Arc<TaskBuffer>, group: GroupCommit) -> Result<()> {
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
