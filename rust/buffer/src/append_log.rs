//! Shared nodes that are numbered in the order in which they become visible, without a lock.
//!
//! This file and `slots` hold all the unsafe code of the crate.
#![expect(unsafe_code, reason = "nodes are shared between threads by counts that live in atomic slots")]

use std::sync::Arc;

use crate::slots::Slots;
use crate::sync::{AtomicPtr, AtomicU64, Ordering, Padded};

/// The state of a node that has no number yet.
const UNDECIDED: u64 = u64::MAX;
/// Set in the state of a node that will never have one.
const REFUSED: u64 = 1 << 63;

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Undecided,
    /// In the append log, under this number.
    Published(u64),
    /// Not in the append log: the same as this one.
    Refused(u64),
}

/// A value and its fate.
#[derive(Debug)]
pub(crate) struct Node<T> {
    state: AtomicU64,
    pub(crate) value: T,
}

impl<T> Node<T> {
    pub(crate) fn new(value: T) -> Arc<Self> {
        Arc::new(Self { state: AtomicU64::new(UNDECIDED), value })
    }

    pub(crate) fn fate(&self) -> Fate {
        // Acquire: pairs with the release in `number` and `refuse`; the slot is seen with the number.
        match self.state.load(Ordering::Acquire) {
            UNDECIDED => Fate::Undecided,
            state if state & REFUSED != 0 => Fate::Refused(state & !REFUSED),
            id => Fate::Published(id),
        }
    }

    /// Decide that this node is the same as `of`. Whoever decides comes to the same answer, so the first may win.
    pub(crate) fn refuse(&self, of: u64) {
        // Release: who learns the number finds the node in the append log, as this thread has.
        let _ = self.state.compare_exchange(UNDECIDED, REFUSED | of, Ordering::Release, Ordering::Relaxed);
    }
}

/// Nodes in order of publication.
///
/// A node goes into the first empty slot, by one compare-and-swap; the slots are the only memory that all publishers
/// write. So slots fill in order, and the length is the place of the first empty one: readers look for it, from a mark
/// that they leave. Each node's number is written into it after that. Any thread can take each of these steps for any
/// other, so nobody waits.
///
/// A node goes into one slot only, however many threads publish it: each looks, from a place below which the node is
/// not, at every slot up to the one that it takes, and slots do not change once they are filled. Its owner's place was
/// read before any other thread knew the node. For a helper it is the mark: nodes below it know their numbers, and the
/// helper has seen that this one has none.
pub(crate) struct AppendLog<T> {
    /// Null, or one strong count of the node.
    slots: Slots<AtomicPtr<Node<T>>>,
    /// All slots below are filled, with nodes that know their numbers, or in a gap.
    mark: Padded<AtomicU64>,
    /// Where threads found the end last, each in a place of its own as long as there are enough.
    ends: [Padded<AtomicU64>; ENDS],
}

/// Places for the ends that threads found.
const ENDS: usize = if cfg!(loom) { 1 } else { 16 };
/// Every so many nodes the one who publishes moves the mark, so that nobody's search for the end is long.
const STRIDE: u64 = if cfg!(loom) { 2 } else { 1024 };

/// Which of the `ends` is this thread's.
fn own_end() -> usize {
    static THREADS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    // Relaxed: any number will do.
    thread_local!(static OWN: usize = THREADS.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    OWN.with(|own| own % ENDS)
}

// SAFETY: the log hands out `&T` to any thread (needs `T: Sync`) and drops `T` on whichever drops it (needs `T: Send`).
unsafe impl<T: Send + Sync> Send for AppendLog<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for AppendLog<T> {}

impl<T> AppendLog<T> {
    pub(crate) fn new() -> Self {
        Self {
            slots: Slots::new(),
            mark: Padded(AtomicU64::new(0)),
            ends: std::array::from_fn(|_| Padded(AtomicU64::new(0))),
        }
    }

    /// Nodes published, gaps included.
    pub(crate) fn len(&self) -> u64 {
        let mark = self.mark();
        let mut end = mark;
        while let Some(node) = self.get(end) {
            number(node, end);
            end += 1;
        }
        if end > mark {
            // Release: the slots below and their numbers are seen by who acquires the mark.
            self.mark.0.fetch_max(end, Ordering::Release);
        }
        end
    }

    /// A place below which there is no node without a number.
    pub(crate) fn mark(&self) -> u64 {
        // Acquire: pairs with the release in `len`.
        self.mark.0.load(Ordering::Acquire)
    }

    /// A place below which all slots are filled, at most some `STRIDE`s before the end.
    pub(crate) fn near_end(&self) -> u64 {
        // Acquire: pairs with the release in `publish`. Who sees what is published from here on sees the slots below too.
        self.ends[own_end()].0.load(Ordering::Acquire).max(self.mark())
    }

    /// Append `node`, unless another thread has; its number. The node is in no slot below `from`, and those are
    /// filled.
    pub(crate) fn publish(&self, node: &Arc<Node<T>>, from: u64) -> u64 {
        let ours = Arc::as_ptr(node).cast_mut();
        let mut end = from;
        loop {
            let slot = self.slots.get_or_grow(end);
            // Acquire: who sees our node sees those in the slots below it, as we do.
            let mut there = slot.load(Ordering::Acquire);
            if there.is_null() {
                // Release: who finds the node sees its value. Acquire on failure: as above.
                match slot.compare_exchange(std::ptr::null_mut(), ours, Ordering::Release, Ordering::Acquire) {
                    Ok(_) => {
                        // The log's own count; ours keeps the node alive until here.
                        let _: *const Node<T> = Arc::into_raw(Arc::clone(node));
                        break;
                    }
                    Err(theirs) => there = theirs,
                }
            }
            if there == ours {
                break;
            }
            end += 1;
        }
        number(node, end);
        // Release: pairs with the acquire in `near_end`. Threads that share the place may set it back, which costs a search.
        self.ends[own_end()].0.store(end + 1, Ordering::Release);
        if end.is_multiple_of(STRIDE) {
            self.len();
        }
        end
    }

    /// Leave the next `count` numbers empty.
    pub(crate) fn skip(&mut self, count: u64) {
        let end = self.len() + count;
        // Relaxed: exclusive access.
        self.mark.0.store(end, Ordering::Relaxed);
    }

    /// The node with this number; none beyond the length and in a gap.
    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<&Node<T>> {
        // Acquire: pairs with the release in `publish`; the node is seen whole.
        let node = self.slots.get(id)?.load(Ordering::Acquire);
        // SAFETY: a non-null slot holds a node whose publisher keeps it alive until the log has a count of its own, and
        // which the log then keeps until `drop`, which has exclusive access.
        unsafe { node.as_ref() }
    }
}

/// Tell the node in slot `id` its number.
fn number<T>(node: &Node<T>, id: u64) {
    // Release: the slot is seen with the number. Relaxed on failure: it is the same number.
    let _ = node.state.compare_exchange(UNDECIDED, id, Ordering::Release, Ordering::Relaxed);
}

impl<T> Drop for AppendLog<T> {
    fn drop(&mut self) {
        for id in 0..self.len() {
            // Relaxed: exclusive access.
            let node = self.slots.get(id).map_or(std::ptr::null_mut(), |slot| slot.load(Ordering::Relaxed));
            if !node.is_null() {
                // SAFETY: the slot owns one strong count, made by `into_raw` in `publish`; each slot is visited once.
                drop(unsafe { Arc::from_raw(node.cast_const()) });
            }
        }
    }
}
