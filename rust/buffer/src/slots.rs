//! An array that grows without a lock and never moves its elements.
//!
//! This file and `append_log` hold all the unsafe code of the crate.
#![expect(
    unsafe_code,
    reason = "elements are shared while the array grows, which no safe container allows without a lock"
)]

use std::marker::PhantomData;

use crate::sync::{AtomicPtr, Ordering};

/// Elements of the first bucket; each further one doubles the array.
const FIRST: u64 = if cfg!(loom) { 1 } else { 64 };
/// Buckets: room for 64 x 2^40 elements.
const BUCKETS: usize = if cfg!(loom) { 3 } else { 40 };

/// An array of `T` that grows without moving its elements. Elements start as `T::default()`.
pub(crate) struct Slots<T> {
    /// Bucket 0 holds `FIRST` elements, bucket `b` holds `FIRST << (b - 1)`. Null, or a leaked boxed slice of that length.
    buckets: [AtomicPtr<T>; BUCKETS],
    /// An atomic pointer may be sent and shared whatever it points to, so the bounds below are ours to state.
    owns: PhantomData<*mut T>,
}

// SAFETY: whoever has the array has its elements, and drops them.
unsafe impl<T: Send> Send for Slots<T> {}
// SAFETY: a shared array hands out `&T` to any thread (needs `T: Sync`), and takes elements that one thread made to be
// dropped by another (needs `T: Send`).
unsafe impl<T: Send + Sync> Sync for Slots<T> {}

/// The bucket of an index, its place in there and the length of the bucket.
#[inline]
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
        Self { buckets: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())), owns: PhantomData }
    }

    /// The element, if its bucket exists.
    #[inline]
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;
    use std::sync::MutexGuard;
    use std::sync::atomic::AtomicU32;

    use super::*;

    /// Tells at compile time whether `T` may be sent and shared: the constants of the type itself come before the trait's.
    struct Traits<T>(PhantomData<T>);

    trait Otherwise {
        const IS_SEND: bool = false;
        const IS_SYNC: bool = false;
    }

    impl<T> Otherwise for Traits<T> {}

    impl<T: Send> Traits<T> {
        const IS_SEND: bool = true;
    }

    impl<T: Sync> Traits<T> {
        const IS_SYNC: bool = true;
    }

    #[test]
    fn an_array_is_sent_and_shared_only_where_its_elements_may_be() {
        const { assert!(Traits::<Slots<AtomicU32>>::IS_SEND && Traits::<Slots<AtomicU32>>::IS_SYNC) };
        const { assert!(Traits::<Slots<Cell<u32>>>::IS_SEND && !Traits::<Slots<Cell<u32>>>::IS_SYNC) };
        // May be shared, but not sent.
        type Guard = Option<MutexGuard<'static, u32>>;
        const { assert!(!Traits::<Slots<Guard>>::IS_SEND && !Traits::<Slots<Guard>>::IS_SYNC) };
    }
}
