//! A session as bytes.
//!
//! Magic, what it is bound to, fuel, pages in order, and a hash over all of it: one without a key is against damage, one with
//! a key against forgery.

use std::sync::Arc;

use azr_wire::{DecodeError, Reader, Writer};

use crate::error::Error;
use crate::layout::PAGE;
use crate::memory::Pages;

const MAGIC: &[u8; 16] = b"azr-session 1\0\0\0";

pub(crate) fn encode(binding: &[u8; 32], fuel_used: u64, pages: &Pages, key: Option<&[u8; 32]>) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(MAGIC);
    out.raw(binding);
    out.u64(fuel_used);
    out.list(&pages.0, |out, (page, bytes)| {
        out.number(u64::from(*page));
        out.raw(bytes);
    });
    let mut bytes = out.finish();
    bytes.extend_from_slice(&seal(&bytes, key));
    bytes
}

/// The fuel and the pages of a snapshot with this binding, for a memory of `most` pages.
pub(crate) fn decode(
    bytes: &[u8],
    binding: &[u8; 32],
    most: usize,
    key: Option<&[u8; 32]>,
) -> Result<(u64, Pages), Error> {
    let bad = |why: &str| Error::BadSnapshot(why.to_owned());
    let (body, hash) = bytes.split_last_chunk::<32>().ok_or_else(|| bad("it is too short"))?;
    let rest = body.strip_prefix(MAGIC).ok_or_else(|| bad("it is none, or one of another version"))?;
    // In constant time, as blake3's hashes compare.
    if blake3::Hash::from_bytes(*hash) != blake3::Hash::from_bytes(seal(body, key)) {
        return Err(bad("it is damaged, or made with another key"));
    }
    let rest = rest.strip_prefix(binding).ok_or_else(|| bad("it is of another guest, or of other options"))?;
    read(rest, most).map_err(|error| bad(&error.to_string()))
}

fn read(bytes: &[u8], most: usize) -> Result<(u64, Pages), DecodeError> {
    let mut input = Reader::new(bytes);
    let fuel_used = input.u64()?;
    let mut next = 0;
    let pages = input.list(|input| {
        let page = input.u32()?;
        if page < next || page as usize >= most {
            return Err(DecodeError::NotCanonical);
        }
        next = page + 1;
        Ok((page, Arc::from(input.raw(PAGE)?)))
    })?;
    input.end()?;
    Ok((fuel_used, Pages(pages)))
}

fn seal(bytes: &[u8], key: Option<&[u8; 32]>) -> [u8; 32] {
    match key {
        Some(key) => blake3::keyed_hash(key, bytes).into(),
        None => blake3::hash(bytes).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: &[u8; 32] = &[7; 32];

    fn pages() -> Pages {
        Pages(vec![(3, Arc::from([1; PAGE])), (4, Arc::from([2; PAGE])), (900, Arc::from([3; PAGE]))])
    }

    #[test]
    fn what_was_kept_comes_back() {
        for key in [None, Some(&[9; 32])] {
            let bytes = encode(BINDING, 77, &pages(), key);
            let (fuel, found) = decode(&bytes, BINDING, 901, key).unwrap();
            assert_eq!((fuel, found.0), (77, pages().0));
        }
    }

    #[test]
    fn a_snapshot_of_other_options_another_key_or_another_memory_is_refused() {
        let bytes = encode(BINDING, 77, &pages(), Some(&[9; 32]));
        assert!(decode(&bytes, &[8; 32], 901, Some(&[9; 32])).is_err());
        assert!(decode(&bytes, BINDING, 901, Some(&[8; 32])).is_err());
        assert!(decode(&bytes, BINDING, 901, None).is_err());
        assert!(decode(&bytes, BINDING, 900, Some(&[9; 32])).is_err());
        let unsigned = encode(BINDING, 77, &pages(), None);
        assert!(decode(&unsigned, BINDING, 901, Some(&[9; 32])).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_missing_end_is_seen() {
        let bytes = encode(BINDING, 77, &pages(), None);
        for at in (0..bytes.len()).step_by(97).chain(0..80).chain(bytes.len() - 40..bytes.len()) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(decode(&damaged, BINDING, 901, None).is_err(), "byte {at}");
            assert!(decode(&bytes[..at], BINDING, 901, None).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn forged_bytes_with_a_right_hash_are_pages_of_the_memory_in_order_or_nothing() {
        let mut random = 1_u64;
        let (mut taken, mut refused) = (0, 0);
        for round in 0..2_000 {
            let mut bytes = encode(BINDING, 77, &pages(), None);
            bytes.truncate(bytes.len() - 32);
            for _ in 0..1 + round % 3 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = 48 + usize::try_from(random >> 33).expect("31 bits") % (bytes.len() - 48);
                // Where the numbers are, more often than not.
                let at = if round % 2 == 0 { at } else { [56, 57, 57 + PAGE + 1, 57 + 2 * (PAGE + 1)][round % 4] };
                bytes[at] = (random >> 20).to_le_bytes()[0];
            }
            bytes.extend_from_slice(&seal(&bytes, None));
            match decode(&bytes, BINDING, 901, None) {
                Ok((_, Pages(pages))) => {
                    taken += 1;
                    assert!(pages.is_sorted_by(|a, b| a.0 < b.0) && pages.iter().all(|(page, _)| *page < 901));
                    assert!(pages.iter().all(|(_, bytes)| bytes.len() == PAGE));
                }
                Err(_) => refused += 1,
            }
        }
        assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused");
    }
}
