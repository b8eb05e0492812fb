//! The buffer: insert, read, sample.

use std::path::Path;
use std::sync::Arc;

use crate::append_log::Node;
use crate::by_kind::{ByKind, KindNumber, Served};
use crate::canonical::{Canonical, Invalid, canonicalize};
use crate::codec;
use crate::entry::{Entry, Measured};
use crate::error::{Error, Result};
use crate::keys::{self, Level};
use crate::log::handle::Log;
use crate::options::Options;
use crate::sample::{self, Facts, Run, Strategy};
use crate::similarity::{self, BANDS, Index, Neighbourhood, Signature};
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::table::Table;
use crate::task::{Kind, State, Task};

/// Ids are below this: the similarity index links them in 32 bits.
const MAX_TASKS: u64 = u32::MAX as u64 - (1 << 20);

/// The most bytes that one task may take: a record of the log has to hold it.
const MAX_TASK: usize = 64 << 20;

/// Why a task was not added. Not an error: the caller counts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The buffer has it.
    #[error("duplicate of task {of} ({})", level.name())]
    Duplicate {
        /// The strictest level at which the two are equal.
        level: Level,
        /// The task that is there.
        of: u64,
    },
    /// Its program or an input has no canonical form.
    #[error(transparent)]
    Invalid(Invalid),
    /// It takes more room than one record of the log may.
    #[error("the task takes {bytes} bytes, the most is {limit}")]
    TooLarge {
        /// Its encoded size.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
}

/// The id under which a task was added, or why it was not.
pub type Verdict = std::result::Result<u64, Rejected>;

/// A task that is ready to be added: encoded, its keys and signature computed.
#[derive(Debug)]
pub struct Prepared {
    node: Arc<Node<Entry>>,
    form: Option<Canonical>,
}

/// A batch to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// From these kinds; none means all.
    pub kinds: &'a [Kind],
    /// So many.
    pub count: usize,
    /// In this way.
    pub strategy: Strategy,
    /// The same seed and the same buffer give the same batch.
    pub seed: u64,
    /// Not these.
    pub exclude: &'a [u64],
}

/// A deduplicating, durable buffer of tasks for any number of threads; see the crate.
pub struct TaskBuffer {
    pub(crate) table: Table<Entry>,
    pub(crate) by_kind: ByKind,
    pub(crate) index: Index,
    pub(crate) measured: boxcar::Vec<Measured>,
    /// Orders changes of being held back.
    pub(crate) order: AtomicU64,
    /// Whether any task was excluded.
    pub(crate) any_excluded: AtomicBool,
    pub(crate) options: Options,
    pub(crate) log: Option<Log>,
}

impl std::fmt::Debug for TaskBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskBuffer").field("len", &self.len()).field("options", &self.options).finish_non_exhaustive()
    }
}

impl TaskBuffer {
    /// A buffer that lives and dies with the process.
    #[must_use]
    pub fn in_memory(options: Options) -> Self {
        Self::with_capacity(options, 0)
    }

    pub(crate) fn with_capacity(options: Options, capacity: usize) -> Self {
        let capacity = capacity.max(options.expected);
        let behaviour = if options.level == Level::Behaviour { capacity } else { 0 };
        Self {
            table: Table::with_capacity([behaviour, capacity]),
            by_kind: ByKind::new(options.cap),
            index: Index::new(),
            measured: boxcar::Vec::new(),
            order: AtomicU64::new(0),
            any_excluded: AtomicBool::new(false),
            options,
            log: None,
        }
    }

    /// How the buffer behaves.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The folder of the log; none in memory.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.log.as_ref().map(Log::folder)
    }

    /// Ids given out. All below are visible, save those that compaction took out.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.table.appended().len()
    }

    /// True before the first task.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tasks of a kind that are here, evicted ones included.
    #[must_use]
    pub fn count(&self, kind: &Kind) -> u64 {
        self.index_by_kind();
        self.by_kind.find(kind.name()).map_or(0, |kind| self.by_kind.present(kind))
    }

    /// The kinds that any task has or had, in order.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        self.by_kind.numbers().into_iter().map(|number| self.by_kind.kind(number).clone()).collect()
    }

    /// Tasks of a kind that are served, those held back included.
    #[must_use]
    pub fn servable(&self, kind: &Kind) -> u64 {
        self.by_kind.find(kind.name()).map_or(0, |kind| self.served(kind).len())
    }

    /// Tasks of a kind that a batch can hold: served, not in quarantine and not excluded.
    #[must_use]
    pub fn drawable(&self, kind: &Kind) -> u64 {
        let Some(kind) = self.by_kind.find(kind.name()) else { return 0 };
        let served = self.served(kind);
        // Relaxed: a count for people and for batch sizes. While nothing was ever taken out there is nothing to look for.
        if self.order.load(Ordering::Relaxed) == 0 && !self.any_excluded.load(Ordering::Relaxed) {
            return served.len();
        }
        let open = |id: &u64| self.entry(*id).is_some_and(Entry::is_drawable);
        (0..served.len()).filter_map(|index| served.id(index)).filter(open).count() as u64
    }

    /// Do all of the work for a task that needs no other task. Any thread may, in any order.
    ///
    /// # Errors
    ///
    /// [`Rejected::Invalid`] where the buffer needs a canonical form and the program has none, [`Rejected::TooLarge`].
    pub fn prepare(&self, task: &Task) -> std::result::Result<Prepared, Rejected> {
        let Options { level, similarity, entry, .. } = &self.options;
        let form = if *level >= Level::Canonical || *similarity {
            Some(canonicalize(&task.program, &task.inputs, entry.as_deref()).map_err(Rejected::Invalid)?)
        } else {
            None
        };
        let key = match &form {
            Some(form) if *level >= Level::Canonical => keys::canonical(task.kind.name(), form),
            _ => keys::exact_of(task),
        };
        let signature = form.as_ref().filter(|_| *similarity).map(|form| similarity::signature(&form.program));
        let payload = codec::encode_task(task).into_boxed_slice();
        if payload.len() > MAX_TASK {
            return Err(Rejected::TooLarge { bytes: payload.len(), limit: MAX_TASK });
        }
        let kind = self.by_kind.intern(&task.kind);
        Ok(Prepared { node: Node::new(Entry::new(payload, kind, key, *level, signature)), form })
    }

    /// Add a prepared task, unless it is a duplicate. Waits for nobody.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`], [`Error::Full`].
    pub fn publish(&self, prepared: &Prepared) -> Result<Verdict> {
        if self.log.as_ref().is_some_and(Log::is_read_only) {
            return Err(Error::ReadOnly);
        }
        // Somewhat before the end, which all threads write: there is room enough beyond.
        if self.table.appended().near_end() >= MAX_TASKS {
            return Err(Error::Full { limit: MAX_TASKS });
        }
        let same = |index: usize, a: &Entry, b: &Entry| self.is_same(index, a, b, Some(prepared));
        match self.table.insert(&prepared.node, &same) {
            Ok(id) => {
                if self.options.similarity {
                    self.index.add(id, &prepared.node.value.signature, &prepared.node.value.links, 0..BANDS);
                }
                if let Some(log) = &self.log {
                    log.nudge(id);
                }
                Ok(Ok(id))
            }
            Err(same) => Ok(Err(Rejected::Duplicate { level: self.strictest(same.of, prepared), of: same.of })),
        }
    }

    /// Add a task, unless it is a duplicate or has no canonical form.
    ///
    /// # Errors
    ///
    /// As [`TaskBuffer::publish`].
    pub fn insert(&self, task: &Task) -> Result<Verdict> {
        match self.prepare(task) {
            Ok(prepared) => self.publish(&prepared),
            Err(rejected) => Ok(Err(rejected)),
        }
    }

    /// Add tasks in order: prepared by `threads` threads, added by this one, so that ids follow the order of the tasks.
    ///
    /// # Errors
    ///
    /// As [`TaskBuffer::publish`]; the tasks before were added.
    pub fn insert_many(&self, tasks: &[Task], threads: usize) -> Result<Vec<Verdict>> {
        let share = tasks.len().div_ceil(threads.max(1)).max(1);
        let prepare = |tasks: &[Task]| tasks.iter().map(|task| self.prepare(task)).collect::<Vec<_>>();
        let prepared: Vec<_> = if threads <= 1 || tasks.len() <= 1 {
            prepare(tasks)
        } else {
            std::thread::scope(|scope| {
                let workers: Vec<_> = tasks.chunks(share).map(|tasks| scope.spawn(move || prepare(tasks))).collect();
                let done = workers.into_iter().flat_map(|worker| worker.join().expect("preparing does not panic"));
                done.collect()
            })
        };
        prepared
            .into_iter()
            .map(|prepared| match prepared {
                Ok(prepared) => self.publish(&prepared),
                Err(rejected) => Ok(Err(rejected)),
            })
            .collect()
    }

    /// The level that keys of `index` stand for.
    fn level_at(&self, index: usize) -> Level {
        if index == 0 { Level::Behaviour } else { self.options.level.min(Level::Canonical) }
    }

    /// Whether two tasks with one key are the same, by looking at all of both. `prepared` may be one of them.
    pub(crate) fn is_same(&self, index: usize, a: &Entry, b: &Entry, prepared: Option<&Prepared>) -> bool {
        let (head_a, head_b) = (a.head(), b.head());
        if head_a.kind != head_b.kind {
            return false;
        }
        let exact = head_a.is_exactly(&head_b);
        match self.level_at(index) {
            Level::Behaviour => head_a.behaviour.is_some() && head_a.behaviour == head_b.behaviour,
            Level::Exact => exact,
            Level::Canonical => {
                exact || {
                    let form = |entry: &Entry| match prepared {
                        Some(known) if std::ptr::eq(entry, &raw const known.node.value) => known.form.clone(),
                        _ => self.form_of(entry),
                    };
                    matches!((form(a), form(b)), (Some(a), Some(b)) if a == b)
                }
            }
        }
    }

    pub(crate) fn form_of(&self, entry: &Entry) -> Option<Canonical> {
        let head = entry.head();
        canonicalize(head.program().ok()?, &head.input_texts().ok()?, self.options.entry.as_deref()).ok()
    }

    /// The strictest level at which `prepared` equals task `of`, which it was found to be the same as.
    fn strictest(&self, of: u64, prepared: &Prepared) -> Level {
        let Some(there) = self.entry(of) else { return self.options.level };
        let (head, new) = (there.head(), prepared.node.value.head());
        if head.is_exactly(&new) {
            Level::Exact
        } else if self.options.level >= Level::Canonical && there.key() == prepared.node.value.key() {
            Level::Canonical
        } else {
            Level::Behaviour
        }
    }

    pub(crate) fn index_by_kind(&self) {
        if let Some(last) = self.len().checked_sub(1) {
            self.by_kind.enter(last, |id| self.entry(id).map(|entry| (entry.kind(), entry.step)));
        }
    }

    /// Tasks that are here, of all kinds.
    fn present(&self) -> u64 {
        self.index_by_kind();
        self.by_kind.numbers().into_iter().map(|kind| self.by_kind.present(kind)).sum()
    }

    /// The served ids of `kind`, every task that is published by now considered.
    pub(crate) fn served(&self, kind: KindNumber) -> Served<'_> {
        self.index_by_kind();
        self.by_kind.served(kind)
    }

    #[inline]
    pub(crate) fn entry(&self, id: u64) -> Option<&Entry> {
        self.table.appended().get(id).map(|node| &node.value)
    }

    pub(crate) fn existing(&self, id: u64) -> Result<&Entry> {
        self.entry(id).ok_or_else(|| Error::NoSuchTask { id, len: self.len() })
    }

    /// A task by its id.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`].
    pub fn get(&self, id: u64) -> Result<Task> {
        Ok(self.existing(id)?.task())
    }

    /// What has happened to a task.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`].
    pub fn state(&self, id: u64) -> Result<State> {
        let entry = self.existing(id)?;
        let facts = entry.facts();
        Ok(State {
            history: self.history(entry),
            served: facts.served,
            quarantined: entry.held().1,
            excluded: entry.is_excluded(),
            servable: self.served(entry.kind()).contains(id),
        })
    }

    /// Successes over attempts in the last step that tried the task; none if nobody has.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`].
    pub fn solve_rate(&self, id: u64) -> Result<Option<f64>> {
        let solved = self.existing(id)?.facts().solved;
        Ok(solved.map(|(successes, attempts)| f64::from(successes) / f64::from(attempts)))
    }

    /// The ids that are here, in order.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).filter(|id| self.entry(*id).is_some())
    }

    /// Kind and step of a task, without reading the rest of it.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`].
    pub fn kind_and_step(&self, id: u64) -> Result<(&Kind, u32)> {
        let entry = self.existing(id)?;
        Ok((self.by_kind.kind(entry.kind()), entry.step))
    }

    /// Draw a batch: distinct ids, as many as asked for while as many are served.
    #[must_use]
    pub fn sample(&self, request: &Request<'_>) -> Vec<u64> {
        let wanted =
            |number: &KindNumber| request.kinds.is_empty() || request.kinds.contains(self.by_kind.kind(*number));
        // In the order of kinds, each once, however they were asked for.
        let runs: Vec<Served<'_>> =
            self.by_kind.numbers().into_iter().filter(wanted).map(|kind| self.served(kind)).collect();
        sample::draw(&runs, |id| self.facts(id), request.count, request.strategy, request.seed, request.exclude)
    }

    fn facts(&self, id: u64) -> Option<Facts> {
        self.entry(id).map(Entry::facts)
    }

    /// How alike `program` is to the tasks that are here; `exclude` is left out. None without the similarity index.
    ///
    /// # Errors
    ///
    /// [`Rejected::Invalid`] when the program has no canonical form.
    pub fn neighbours(
        &self,
        program: &str,
        threshold: f64,
        exclude: Option<u64>,
    ) -> std::result::Result<Option<Neighbourhood>, Rejected> {
        if !self.options.similarity {
            return Ok(None);
        }
        let form = canonicalize::<&str>(program, &[], self.options.entry.as_deref()).map_err(Rejected::Invalid)?;
        Ok(Some(self.look_around(&similarity::signature(&form.program), threshold, exclude)))
    }

    /// How alike a task is to the others. None without the similarity index.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`].
    pub fn neighbours_of(&self, id: u64, threshold: f64) -> Result<Option<Neighbourhood>> {
        let entry = self.existing(id)?;
        Ok(self.options.similarity.then(|| self.look_around(&entry.signature, threshold, Some(id))))
    }

    fn look_around(&self, signature: &Signature, threshold: f64, exclude: Option<u64>) -> Neighbourhood {
        let extent = (self.len(), self.present());
        let task = |id| self.entry(id).map(|entry| (&entry.signature, &entry.links));
        self.index.query(signature, extent, threshold, exclude, task)
    }
}

impl Drop for TaskBuffer {
    fn drop(&mut self) {
        if self.options.group_commit.is_some() {
            // Who asked for commits in the background does not ask for the last one. A failure loses nothing that was
            // acknowledged, and there is nobody left to tell.
            let _ = self.commit();
        }
    }
}

impl Run for Served<'_> {
    fn len(&self) -> u64 {
        Served::len(self)
    }

    fn id(&self, index: u64) -> Option<u64> {
        Served::id(self, index)
    }

    fn ascending(&self) -> bool {
        Served::ascending(self)
    }
}
