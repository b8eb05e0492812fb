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
        // Acquire: pairs with the release in `number`. Who learns the number here may be the one to let the length pass it,
        // and so vouches for the slot to all that acquire the length.
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
/// The protocol is that of the Michael-Scott queue over an array. A node goes into the first empty slot; then its number
/// is written into it; then the length grows over it. Any thread can take each of these steps for any other, so nobody
/// waits: a thread that finds the slot taken finishes that node first. A node goes into one slot only, however many
/// threads publish it: a thread reads the length `n`, then that the node has no number, then tries slot `n`. Were the
/// node in a slot below `n`, its number would have been written before the length passed it; were it in one above, slot
/// `n` would not be empty.
pub(crate) struct Shelf<T> {
    /// Null, or one strong count of the node.
    slots: Slots<AtomicPtr<Node<T>>>,
    len: Padded<AtomicU64>,
}

/// How often a thread looks whether the owner of a slot finishes it by itself, before it helps.
const PATIENCE: u32 = if cfg!(loom) { 0 } else { 64 };

// SAFETY: the shelf hands out `&T` to any thread (needs `T: Sync`) and drops `T` on whichever drops it (needs `T: Send`).
unsafe impl<T: Send + Sync> Send for Shelf<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shelf<T> {}

impl<T> Shelf<T> {
    pub(crate) fn new() -> Self {
        Self { slots: Slots::new(), len: Padded(AtomicU64::new(0)) }
    }

    /// Nodes published, gaps included.
    pub(crate) fn len(&self) -> u64 {
        // Acquire: pairs with the release in `advance`; every slot below the length is seen filled and numbered.
        self.len.0.load(Ordering::Acquire)
    }

    /// Put `node` on the shelf, unless another thread has; its number.
    pub(crate) fn publish(&self, node: &Arc<Node<T>>) -> u64 {
        loop {
            let end = self.len();
            match node.fate() {
                Fate::Published(id) => {
                    self.advance(id);
                    return id;
                }
                Fate::Refused(_) => unreachable!("a node that is published holds all its keys"),
                Fate::Undecided => {}
            }
            let slot = self.slots.get_or_grow(end);
            let ours = Arc::as_ptr(node).cast_mut();
            // Release: who finds the node sees its value. Acquire on failure: we are about to read another's node.
            match slot.compare_exchange(std::ptr::null_mut(), ours, Ordering::Release, Ordering::Acquire) {
                Ok(_) => {
                    // The shelf's own count; ours keeps the node alive until here.
                    let _: *const Node<T> = Arc::into_raw(Arc::clone(node));
                    self.number(node, end);
                }
                // Two threads that write one node's lines slow each other down, so help comes late. It does come.
                Err(_)
                    if (0..PATIENCE).any(|_| {
                        std::hint::spin_loop();
                        self.len() != end
                    }) => {}
                Err(theirs) => {
                    // SAFETY: a non-null slot holds a node whose publisher keeps it alive until the shelf has a count of
                    // its own, and which the shelf then keeps until `drop`, which has exclusive access. The acquire above
                    // makes its value visible.
                    self.number(unsafe { &*theirs }, end);
                }
            }
        }
    }

    /// Finish the node in slot `id`: write its number, let the length pass it.
    fn number(&self, node: &Node<T>, id: u64) {
        // Release: the slot is seen with the number. Relaxed on failure: this thread has acquired the slot itself.
        let _ = node.state.compare_exchange(UNDECIDED, id, Ordering::Release, Ordering::Relaxed);
        self.advance(id);
    }

    fn advance(&self, id: u64) {
        // Release: the slot and its number are seen by who acquires the length. Relaxed on failure: it has grown already.
        let _ = self.len.0.compare_exchange(id, id + 1, Ordering::Release, Ordering::Relaxed);
    }

    /// The node with this number; none beyond the length and in a gap.
    pub(crate) fn get(&self, id: u64) -> Option<&Node<T>> {
        if id >= self.len() {
            return None;
        }
        // Relaxed: the length was acquired above, and a slot below it never changes.
        let node = self.slots.get(id)?.load(Ordering::Relaxed);
        // SAFETY: null in a gap, else a node as in `publish`.
        unsafe { node.as_ref() }
    }

    /// Leave the next `count` numbers empty.
    pub(crate) fn skip(&mut self, count: u64) {
        // Relaxed: exclusive access.
        let len = self.len.0.load(Ordering::Relaxed);
        self.len.0.store(len + count, Ordering::Relaxed);
    }
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
