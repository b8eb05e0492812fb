//! Random numbers whose values are promised: ChaCha8 for bits, and our own step from bits to integers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// A stream of numbers that depends on its seed alone, in every version.
pub(crate) struct Rng(ChaCha8Rng);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform below `bound`, which is at least one.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // Lemire's method: the high half of a product, with the few values redrawn that would favour some results.
        let reject_below = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            if u64::try_from(product & u128::from(u64::MAX)).expect("masked to 64 bits") >= reject_below {
                return u64::try_from(product >> 64).expect("shifted to 64 bits");
            }
        }
    }
}

/// A fixed scramble of 64 bits (the finaliser of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
