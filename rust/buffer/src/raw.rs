//! The lock-free storage, and all the unsafe code of the crate: arrays that grow and never move, and a shelf of shared
//! nodes that are numbered in the order in which they become visible.
#![expect(
    unsafe_code,
    reason = "elements are shared while the array grows, which no safe container allows without a lock"
)]

use std::sync::Arc;

use crate::sync::{AtomicPtr, AtomicU64, Ordering, Padded};

/// Elements of the first bucket; each further one doubles the array.
const FIRST: u64 = if cfg!(loom) { 1 } else { 64 };
/// Buckets: room for 64 x 2^40 elements.
const BUCKETS: usize = if cfg!(loom) { 3 } else { 40 };

/// An array of `T` that grows without moving its elements. Elements start as `T::default()`.
pub(crate) struct Slots<T> {
    /// Bucket 0 holds `FIRST` elements, bucket `b` holds `FIRST << (b - 1)`. Null, or a leaked boxed slice of that length.
    buckets: [AtomicPtr<T>; BUCKETS],
}

/// The bucket of an index, its place in there and the length of the bucket.
fn locate(index: u64) -> (usize, usize, usize) {
    let small = |value: u64| usize::try_from(value).expect("an index that memory can hold fits in usize");
    let block = index / FIRST;
    let bucket = (u64::BITS - block.leading_zeros()) as usize;
    if bucket == 0 {
        return (0, small(index), small(FIRST));
    }
    let start = FIRST << (bucket - 1);
    (bucket, small(index - start), small(start))
}

impl<T: Default> Slots<T> {
    pub(crate) fn new() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())) }
    }

    /// The element, if its bucket exists.
    pub(crate) fn get(&self, index: u64) -> Option<&T> {
        let (bucket, place, length) = locate(index);
        // Acquire: pairs with the release in `grow`, so that the elements are seen initialised.
        let start = self.buckets.get(bucket)?.load(Ordering::Acquire);
        if start.is_null() {
            return None;
        }
        debug_assert!(place < length, "`locate` stays within its bucket");
        // SAFETY: `start` is the leaked slice of `length` elements of this bucket, initialised before it was released and
        // freed only by `drop`, which has exclusive access; `place < length` by `locate`.
        Some(unsafe { &*start.add(place) })
    }

    /// The element; its bucket is made if need be.
    pub(crate) fn get_or_grow(&self, index: u64) -> &T {
        match self.get(index) {
            Some(element) => element,
            None => self.grow(index),
        }
    }

    #[cold]
    fn grow(&self, index: u64) -> &T {
        let (bucket, place, length) = locate(index);
        let fresh: Box<[T]> = (0..length).map(|_| T::default()).collect();
        let fresh = Box::into_raw(fresh).cast::<T>();
        // Release: whoever reads the pointer sees the elements. Acquire on failure: we are about to read another's.
        let raced =
            self.buckets[bucket].compare_exchange(std::ptr::null_mut(), fresh, Ordering::Release, Ordering::Acquire);
        let start = match raced {
            Ok(_) => fresh,
            Err(theirs) => {
                // SAFETY: `fresh` is the slice of `length` elements leaked above, which nobody else has seen.
                drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(fresh, length)) });
                theirs
            }
        };
        // SAFETY: as in `get`.
        unsafe { &*start.add(place) }
    }
}

impl<T> Drop for Slots<T> {
    fn drop(&mut self) {
        for (bucket, pointer) in self.buckets.iter().enumerate() {
            // Relaxed: `&mut self` means that every other access has happened before.
            let start = pointer.load(Ordering::Relaxed);
            let length = usize::try_from(if bucket == 0 { FIRST } else { FIRST << (bucket - 1) }).unwrap_or(0);
            if !start.is_null() {
                // SAFETY: a non-null pointer is a leaked slice of this length; it is loaded once, under `&mut self`.
                drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(start, length)) });
            }
        }
    }
}

/// The state of a node that has no number yet.
const UNDECIDED: u64 = u64::MAX;
/// Set in the state of a node that will never have one.
const REFUSED: u64 = 1 << 63;

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Undecided,
    /// On the shelf, under this number.
    Published(u64),
    /// Not on the shelf: the same as this one.
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
        // Release: who learns the number finds the node on the shelf, as this thread has.
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
pub(crate) struct Shelf<T> {
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

// SAFETY: the shelf hands out `&T` to any thread (needs `T: Sync`) and drops `T` on whichever drops it (needs `T: Send`).
unsafe impl<T: Send + Sync> Send for Shelf<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shelf<T> {}

impl<T> Shelf<T> {
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

    /// Put `node` on the shelf, unless another thread has; its number. The node is in no slot below `from`, and those are
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
                        // The shelf's own count; ours keeps the node alive until here.
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
    pub(crate) fn get(&self, id: u64) -> Option<&Node<T>> {
        // Acquire: pairs with the release in `publish`; the node is seen whole.
        let node = self.slots.get(id)?.load(Ordering::Acquire);
        // SAFETY: a non-null slot holds a node whose publisher keeps it alive until the shelf has a count of its own, and
        // which the shelf then keeps until `drop`, which has exclusive access.
        unsafe { node.as_ref() }
    }
}

/// Tell the node in slot `id` its number.
fn number<T>(node: &Node<T>, id: u64) {
    // Release: the slot is seen with the number. Relaxed on failure: it is the same number.
    let _ = node.state.compare_exchange(UNDECIDED, id, Ordering::Release, Ordering::Relaxed);
}

impl<T> Drop for Shelf<T> {
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
