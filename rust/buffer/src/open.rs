//! Opening a buffer: its tasks come back from the log, accepted before, so added again whatever they equal.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use crossbeam_queue::SegQueue;

use crate::append_log::Node;
use crate::buffer::TaskBuffer;
use crate::by_kind::Gap;
use crate::canonical::canonicalize;
use crate::codec;
use crate::commit::start_committer;
use crate::entry::Entry;
use crate::error::{Context, Error, Result};
use crate::keys::{self, Level};
use crate::log::files::{self, Acknowledged, Lock};
use crate::log::handle::{Log, Update, Writer};
use crate::log::position::Position;
use crate::log::read::{self, Apply, Report, Until};
use crate::log::record::{Derived, Record};
use crate::log::rewrite;
use crate::log::write::{self, Appender};
use crate::options::Options;
use crate::similarity::{self, BANDS};
use crate::sync::AtomicU64;
use crate::task::Kind;

/// What an open is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Open {
    /// What for.
    pub access: Access,
    /// Restore the state at this position. What came later is set aside, in files of its own.
    pub at: Option<Position>,
    /// Go on with the good part of a damaged log. The rest is set aside, in files of its own.
    pub salvage: bool,
}

impl Open {
    /// To write; make the buffer if there is none.
    pub const WRITE: Self = Self { access: Access::Write, at: None, salvage: false };
    /// To read, and change nothing.
    pub const READ: Self = Self { access: Access::Read, ..Self::WRITE };

    /// For something else.
    #[must_use]
    pub const fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// At an earlier position.
    #[must_use]
    pub const fn at(mut self, position: Position) -> Self {
        self.at = Some(position);
        self
    }

    /// Going on with the good part of a damaged log.
    #[must_use]
    pub const fn with_salvage(mut self) -> Self {
        self.salvage = true;
        self
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
            Record::Excluded { id } => {
                known(id)?;
                self.0.apply(Update::Excluded { id });
            }
            Record::Gap { count, kinds } => {
                let room = u64::from(u32::MAX) - len;
                if count > room
                    || kinds.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count)) != Some(count)
                {
                    return Err("a gap does not add up");
                }
                self.0.table.appended_mut().skip(count);
                let mut gap = Gap { start: len, count, ..Gap::default() };
                for (name, count) in kinds {
                    let kind = Kind::new(name).map_err(|_| "a gap is of a kind that has no name")?;
                    *gap.kinds.entry(self.0.by_kind.intern(&kind)).or_default() += count;
                }
                self.0.by_kind.leave_gap(gap);
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
        files::raise_version(folder, generation)?;
        let torn = open.at.is_none() && !open.salvage;
        report.set_aside = write::cut_after(folder, report.end, !torn)?;
        rewrite::remove_others(folder, generation)?;
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

    /// Add a task from the log.
    ///
    /// The similarity index is filled afterwards, by [`TaskBuffer::link_restored`].
    pub(crate) fn restore(&self, payload: &[u8], derived: Derived) -> u64 {
        let Options { level, similarity, .. } = &self.options;
        let head = codec::decode_head(payload).expect("the caller has checked it");
        let exact = || keys::exact(&head).expect("the caller has checked it");
        let known = derived.canonical.filter(|(version, _)| *version == keys::CANONICALISER);
        let need_key = *level >= Level::Canonical && known.is_none();
        let need_signature = *similarity && derived.signature.is_none();
        let form = if need_key || need_signature {
            let program = head.program().expect("the caller has checked it");
            let inputs = head.input_texts().expect("the caller has checked it");
            canonicalize(program, &inputs, self.options.entry.as_deref()).ok()
        } else {
            None
        };
        let key = match (known, &form) {
            _ if *level == Level::Exact => exact(),
            (Some((_, key)), _) => key,
            (None, Some(form)) => keys::canonical(head.kind, form),
            // Written at the exact level, which asks for no canonical form.
            (None, None) => exact(),
        };
        let signature = derived.signature.or_else(|| form.map(|form| similarity::signature(&form.program)));
        let kind = Kind::new(head.kind).expect("the caller has checked it");
        let kind = self.by_kind.intern(&kind);
        let node = Node::new(Entry::new(payload.into(), kind, key, *level, signature));
        let id = self.table.restore(&node, &|index, a, b| self.is_same(index, a, b, None));
        // At once: the ordinals of the reservoir depend on the gaps read so far.
        self.index_by_kind();
        id
    }

    /// Link all restored tasks in the similarity index. Each thread has bands of its own: the lists come out the same.
    pub(crate) fn link_restored(&self) {
        if !self.options.similarity {
            return;
        }
        let link = |bands: Range<usize>| {
            for id in 0..self.len() {
                if let Some(entry) = self.entry(id) {
                    self.index.add(id, &entry.signature, &entry.links, bands.clone());
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        if threads == 1 || self.len() < 10_000 {
            return link(0..BANDS);
        }
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let link = &link;
                scope.spawn(move || link(thread * BANDS / threads..(thread + 1) * BANDS / threads));
            }
        });
    }
}
