//! The ids of each kind in order, and which of them are served.
//!
//! A published task is entered in the list of its kind when somebody looks at the lists: an insert need not touch what all
//! inserts would touch, and a reader that finds the tasks of a step waiting enters them in some microseconds. Whichever
//! thread comes first does it, in order of ids and with the same helping as in the append log: the id goes into the first
//! free place of the list, then the list's length grows, then the count of entered ids. A late helper finds its id entered
//! already, because ids only rise along a list.

use crate::rng::mix;
use std::collections::BTreeMap;

use crate::append_log::{AppendLog, Node};
use crate::slots::Slots;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::task::Kind;

/// Which tasks stay served once a kind has more than its cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// The newest.
    #[default]
    Newest,
    /// A uniform sample of all that there were, the same for the same order of tasks.
    Reservoir,
    /// All: there is no cap.
    None,
}

/// How many tasks of a kind are served, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// Tasks of each kind.
    pub tasks: u64,
    /// Which.
    pub policy: Policy,
}

impl Cap {
    /// Serve everything.
    pub const NONE: Self = Self { tasks: u64::MAX, policy: Policy::None };
}

/// Ids of one kind.
struct KindIds {
    kind: Kind,
    /// Id plus one, ascending; zero where nothing is yet. Ids fit: the buffer refuses more.
    ids: Slots<AtomicU32>,
    len: AtomicU64,
    /// Tasks of this kind that were here before and are not any more.
    gone: AtomicU64,
    /// No task has a smaller step than one before it.
    ascending: AtomicBool,
    last_step: AtomicU64,
    /// Id plus one of each place of the reservoir.
    reservoir: Slots<AtomicU64>,
}

impl KindIds {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            ids: Slots::new(),
            len: AtomicU64::new(0),
            gone: AtomicU64::new(0),
            ascending: AtomicBool::new(true),
            last_step: AtomicU64::new(0),
            reservoir: Slots::new(),
        }
    }

    fn len(&self) -> u64 {
        // Acquire: pairs with the release in `enter`; the ids below the length are seen.
        self.len.load(Ordering::Acquire)
    }

    #[inline]
    fn id(&self, index: u64) -> Option<u64> {
        // Relaxed: the caller has acquired the length.
        self.ids.get(index)?.load(Ordering::Relaxed).checked_sub(1).map(u64::from)
    }
}

/// The number of a kind in this buffer. Two runs may number kinds in another order: nothing that lasts depends on it.
pub(crate) type KindNumber = u32;

pub(crate) struct ByKind {
    /// The list of each kind, under its number. Threads that meet a kind at once may each append a list: the first one
    /// counts, for everyone, because what is appended stays, in order. The others stay empty.
    kinds: AppendLog<KindIds>,
    /// Ids below this are in their lists.
    entered: AtomicU64,
    cap: Cap,
    gaps: Vec<Gap>,
}

/// Ids that compaction has taken out. The ordinals of the reservoir depend on how many of each kind stood where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Gap {
    pub(crate) start: u64,
    pub(crate) count: u64,
    /// How many of each kind, those of which there are any.
    pub(crate) kinds: BTreeMap<KindNumber, u64>,
}

impl ByKind {
    pub(crate) fn new(cap: Cap) -> Self {
        Self { kinds: AppendLog::new(), entered: AtomicU64::new(0), cap, gaps: Vec::new() }
    }

    /// The number of a kind, which has one from now on.
    pub(crate) fn intern(&self, kind: &Kind) -> KindNumber {
        self.find(kind.name()).unwrap_or_else(|| {
            self.kinds.publish(&Node::new(KindIds::new(kind.clone())), self.kinds.near_end());
            self.find(kind.name()).expect("it has just been appended, or another thread's before it")
        })
    }

    /// The number of a kind, if any task had it: the first one under its name.
    pub(crate) fn find(&self, name: &str) -> Option<KindNumber> {
        // There are few kinds, so looking through them takes less time than a hash.
        self.lists().find(|(_, list)| list.kind.name() == name).map(|(number, _)| number)
    }

    /// The name of a kind that has a number.
    pub(crate) fn kind(&self, number: KindNumber) -> &Kind {
        &self.list(number).kind
    }

    /// The numbers of all kinds, in the order of kinds.
    pub(crate) fn numbers(&self) -> Vec<KindNumber> {
        let mut kinds: Vec<(&Kind, KindNumber)> = self.lists().map(|(number, list)| (&list.kind, number)).collect();
        // Of those with one name the first one.
        kinds.sort_unstable();
        kinds.dedup_by_key(|(kind, _)| *kind);
        kinds.into_iter().map(|(_, number)| number).collect()
    }

    fn lists(&self) -> impl Iterator<Item = (KindNumber, &KindIds)> {
        (0..).map_while(|number| Some((number, &self.kinds.get(u64::from(number))?.value)))
    }

    fn list(&self, number: KindNumber) -> &KindIds {
        &self.kinds.get(u64::from(number)).expect("numbers are given to kinds that are there").value
    }

    /// Enter all ids up to and including `id`, which is published; `task(id)` gives kind and step, none for a gap.
    pub(crate) fn enter(&self, id: u64, task: impl Fn(u64) -> Option<(KindNumber, u32)>) {
        loop {
            // Acquire: pairs with the release below; what was entered is seen in its list.
            let next = self.entered.load(Ordering::Acquire);
            if next > id {
                return;
            }
            if let Some((kind, step)) = task(next) {
                self.enter_one(self.list(kind), next, step);
            }
            // Release: the list's change is seen with the count. Relaxed on failure: another thread has done the same.
            let _ = self.entered.compare_exchange(next, next + 1, Ordering::Release, Ordering::Relaxed);
        }
    }

    fn enter_one(&self, list: &KindIds, id: u64, step: u32) {
        let place = list.len();
        if place > 0 && list.id(place - 1).is_some_and(|last| last >= id) {
            return;
        }
        // Relaxed on both: the length's release publishes it, and a taken place needs no look.
        let free = list.ids.get_or_grow(place);
        let this = u32::try_from(id + 1).expect("the buffer refuses ids that do not fit");
        let _ = free.compare_exchange(0, this, Ordering::Relaxed, Ordering::Relaxed);
        // Relaxed: written before the length, by every helper alike; only grows, so a late one changes nothing.
        if list.last_step.fetch_max(u64::from(step), Ordering::Relaxed) > u64::from(step) {
            list.ascending.store(false, Ordering::Relaxed);
        }
        if self.cap.policy == Policy::Reservoir {
            // Relaxed: changed only while a log is read, by one thread.
            let ordinal = place + list.gone.load(Ordering::Relaxed);
            let at = if ordinal < self.cap.tasks { ordinal } else { mix(id) % (ordinal + 1) };
            if at < self.cap.tasks {
                // Relaxed: a sample may or may not see the newest task. The largest id wins, whoever writes first.
                list.reservoir.get_or_grow(at).fetch_max(id + 1, Ordering::Relaxed);
            }
        }
        // Release: ids and steps are seen with the length. Relaxed on failure: it has grown already.
        let _ = list.len.compare_exchange(place, place + 1, Ordering::Release, Ordering::Relaxed);
    }

    /// Note a gap, which begins at the next id.
    pub(crate) fn leave_gap(&mut self, gap: Gap) {
        for (&kind, &count) in &gap.kinds {
            // Relaxed: exclusive access.
            self.list(kind).gone.fetch_add(count, Ordering::Relaxed);
        }
        self.gaps.push(gap);
    }

    /// The gaps, in order.
    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Tasks of `kind` that are here.
    pub(crate) fn present(&self, kind: KindNumber) -> u64 {
        self.list(kind).len()
    }

    /// The served ids of `kind` as they are now.
    pub(crate) fn served(&self, kind: KindNumber) -> Served<'_> {
        let list = self.list(kind);
        let len = list.len();
        let (start, count) = match self.cap.policy {
            Policy::Newest => (len - len.min(self.cap.tasks), len.min(self.cap.tasks)),
            // Relaxed: changed only while a log is read.
            Policy::Reservoir => (0, (len + list.gone.load(Ordering::Relaxed)).min(self.cap.tasks)),
            Policy::None => (0, len),
        };
        // Relaxed: written before the length that was acquired above.
        let ascending = self.cap.policy != Policy::Reservoir && list.ascending.load(Ordering::Relaxed);
        Served { list, start, count, reservoir: self.cap.policy == Policy::Reservoir, ascending }
    }
}

/// The served ids of one kind at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Served<'a> {
    list: &'a KindIds,
    start: u64,
    count: u64,
    reservoir: bool,
    ascending: bool,
}

impl Served<'_> {
    #[inline]
    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    /// Steps never fall along the ids.
    pub(crate) fn ascending(&self) -> bool {
        self.ascending
    }

    /// The id at `index`; none in a place of the reservoir that compaction has emptied.
    #[inline]
    pub(crate) fn id(&self, index: u64) -> Option<u64> {
        if self.reservoir {
            // Relaxed: the list's length was acquired; a newer id is as good.
            return self.list.reservoir.get(index)?.load(Ordering::Relaxed).checked_sub(1);
        }
        self.list.id(self.start + index)
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        if self.reservoir {
            return (0..self.count).any(|index| self.id(index) == Some(id));
        }
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            match self.id(middle) {
                Some(at) if at == id => return true,
                Some(at) if at < id => low = middle + 1,
                _ => high = middle,
            }
        }
        false
    }
}
