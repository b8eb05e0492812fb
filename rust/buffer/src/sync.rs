//! Atomics and the key map: the real ones, or loom's models of them. Nothing else in the crate knows which.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

pub(crate) use map::Map;

/// A value on cache lines of its own: others are read while it is written.
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);

#[cfg(not(loom))]
mod map {
    use papaya::{HashMap, ResizeMode};
    use std::hash::{BuildHasherDefault, Hasher};

    /// Keys are hashes already: their halves are put together.
    #[derive(Default)]
    pub(crate) struct TakeLow(u64);

    impl Hasher for TakeLow {
        fn finish(&self) -> u64 {
            self.0
        }

        fn write(&mut self, bytes: &[u8]) {
            for chunk in bytes.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(word);
            }
        }

        fn write_u64(&mut self, value: u64) {
            self.0 ^= value;
        }
    }

    /// From key to value; values are never replaced and never removed.
    ///
    /// Keys are kept in halves: a `u128` would be aligned to 16 bytes, which costs 16 bytes a task.
    #[derive(Debug)]
    pub(crate) struct Map<V>(HashMap<(u64, u64), V, BuildHasherDefault<TakeLow>>);

    fn halves(key: u128) -> (u64, u64) {
        let half = |shift: u32| u64::try_from(key >> shift & u128::from(u64::MAX)).expect("masked to 64 bits");
        (half(64), half(0))
    }

    impl<V: Clone> Map<V> {
        pub(crate) fn with_capacity(capacity: usize) -> Self {
            let builder = HashMap::builder().capacity(capacity).hasher(BuildHasherDefault::default());
            // Growth is spread over the inserts that follow it: none of them copies the whole map. Portions of 1024 entries
            // (some 30 microseconds) are half again as fast as the default 64, over which threads get in each other's way.
            Self(builder.resize_mode(ResizeMode::Incremental(1024)).build())
        }

        /// Insert unless present; the present value otherwise.
        pub(crate) fn claim(&self, key: u128, value: V) -> Result<(), V> {
            match self.0.pin().try_insert(halves(key), value) {
                Ok(_) => Ok(()),
                Err(occupied) => Err(occupied.current.clone()),
            }
        }
    }
}

#[cfg(loom)]
mod map {
    use std::collections::HashMap;

    /// The models take the map as one atomic step: its own crate answers for its inside.
    #[derive(Debug)]
    pub(crate) struct Map<V>(loom::sync::Mutex<HashMap<u128, V>>);

    impl<V: Clone> Map<V> {
        pub(crate) fn with_capacity(_capacity: usize) -> Self {
            Self(loom::sync::Mutex::new(HashMap::new()))
        }

        pub(crate) fn claim(&self, key: u128, value: V) -> Result<(), V> {
            let mut map = self.0.lock().expect("no model panics while it holds the map");
            match map.get(&key) {
                Some(current) => Err(current.clone()),
                None => {
                    map.insert(key, value);
                    Ok(())
                }
            }
        }
    }
}
