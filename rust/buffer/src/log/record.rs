//! The records of the log, and their frames.

use crate::codec::{self, Bytes, Malformed, put_bytes, put_kind, put_number};
use crate::similarity::{Signature, WIDTH};
use crate::task::{NUMBERED, Solved};

/// Bytes of a frame before its payload.
pub(crate) const FRAME: u64 = 8;
/// The largest payload that is believed.
pub(crate) const MAX_PAYLOAD: u32 = 1 << 28;

/// What a record says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record<'a> {
    /// A task under the next id, with what was derived from it.
    Task { id: u64, derived: Derived, payload: &'a [u8] },
    /// Attempts at a task.
    Solved { id: u64, solved: Solved },
    /// Tasks were served, so many times each.
    Served { ids: Vec<(u64, u64)> },
    /// A task came into quarantine, or out of it. The latest `order` of a task holds.
    Quarantined { id: u64, order: u64, held: bool },
    /// A task was excluded from sampling for good.
    Excluded { id: u64 },
    /// Ids that compaction has taken out, and how many of each kind.
    Gap { count: u64, kinds: Vec<(&'a str, u64)> },
}

/// What the buffer computes from a task's program and need not compute again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Derived {
    /// Version of the canonicaliser, and the key that it gave.
    pub(crate) canonical: Option<(u8, u128)>,
    pub(crate) signature: Option<Signature>,
}

const TASK: u8 = 1;
const SOLVED: u8 = 2;
const SERVED: u8 = 3;
const QUARANTINED: u8 = 4;
/// Of version 1: the counts of the four kinds that there were.
const GAP_OF_FOUR: u8 = 5;
const GAP: u8 = 6;
/// Since version 3.
const EXCLUDED: u8 = 7;

impl<'a> Record<'a> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Task { id, derived, payload } => {
                out.push(TASK);
                put_number(out, *id);
                out.push(u8::from(derived.canonical.is_some()) | u8::from(derived.signature.is_some()) << 1);
                if let Some((version, key)) = derived.canonical {
                    out.push(version);
                    out.extend_from_slice(&key.to_le_bytes());
                }
                if let Some(signature) = derived.signature {
                    out.extend_from_slice(&signature);
                }
                put_bytes(out, payload);
            }
            Self::Solved { id, solved } => {
                out.push(SOLVED);
                for number in [*id, u64::from(solved.step), u64::from(solved.successes), u64::from(solved.attempts)] {
                    put_number(out, number);
                }
            }
            Self::Served { ids } => {
                out.push(SERVED);
                put_number(out, ids.len() as u64);
                for (id, count) in ids {
                    put_number(out, *id);
                    put_number(out, *count);
                }
            }
            Self::Quarantined { id, order, held } => {
                out.push(QUARANTINED);
                put_number(out, *id);
                put_number(out, *order);
                out.push(u8::from(*held));
            }
            Self::Excluded { id } => {
                out.push(EXCLUDED);
                put_number(out, *id);
            }
            Self::Gap { count, kinds } => {
                out.push(GAP);
                put_number(out, *count);
                put_number(out, kinds.len() as u64);
                for (kind, count) in kinds {
                    put_kind(out, kind);
                    put_number(out, *count);
                }
            }
        }
    }

    pub(crate) fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut bytes = Bytes(payload);
        let record = match bytes.byte()? {
            TASK => {
                let id = bytes.number()?;
                let flags = bytes.byte()?;
                if flags > 3 {
                    return Err(Malformed);
                }
                let canonical = match flags & 1 {
                    0 => None,
                    _ => Some((bytes.byte()?, u128::from_le_bytes(bytes.array()?))),
                };
                let signature = if flags & 2 == 0 { None } else { Some(bytes.array::<WIDTH>()?) };
                Self::Task { id, derived: Derived { canonical, signature }, payload: bytes.bytes()? }
            }
            SOLVED => Self::Solved {
                id: bytes.number()?,
                solved: Solved { step: bytes.narrow()?, successes: bytes.narrow()?, attempts: bytes.narrow()? },
            },
            SERVED => {
                let count = bytes.number()?;
                let mut ids = Vec::new();
                for _ in 0..count {
                    ids.push((bytes.number()?, bytes.number()?));
                }
                Self::Served { ids }
            }
            QUARANTINED => Self::Quarantined {
                id: bytes.number()?,
                order: bytes.number()?,
                held: match bytes.byte()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Malformed),
                },
            },
            EXCLUDED => Self::Excluded { id: bytes.number()? },
            GAP_OF_FOUR => {
                let count = bytes.number()?;
                let mut kinds = Vec::with_capacity(NUMBERED.len());
                for kind in NUMBERED {
                    kinds.push((kind, bytes.number()?));
                }
                Self::Gap { count, kinds }
            }
            GAP => {
                let count = bytes.number()?;
                let mut kinds = Vec::new();
                for _ in 0..bytes.number()? {
                    kinds.push((codec::kind(&mut bytes)?, bytes.number()?));
                }
                Self::Gap { count, kinds }
            }
            _ => return Err(Malformed),
        };
        bytes.end()?;
        Ok(record)
    }
}

/// Where a frame stands. It is part of the checksum, so that a record that turns up elsewhere is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) generation: u64,
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

fn checksum(place: Place, payload: &[u8]) -> u32 {
    let mut head = [0; 24];
    head[..8].copy_from_slice(&place.generation.to_le_bytes());
    head[8..16].copy_from_slice(&place.offset.to_le_bytes());
    head[16..20].copy_from_slice(&place.segment.to_le_bytes());
    let length = u32::try_from(payload.len()).expect("payloads are below 2^28 bytes");
    head[20..].copy_from_slice(&length.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&head), payload)
}

/// Append a frame with `payload`, which will stand at `place`.
pub(crate) fn put_frame(out: &mut Vec<u8>, place: Place, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("payloads are below 2^28 bytes");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(place, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// The payload of the frame at the start of `bytes`, or what is wrong with it.
pub(crate) fn take_frame(bytes: &[u8], place: Place) -> Result<&[u8], &'static str> {
    let head: [u8; 8] = match bytes.get(..8) {
        Some(head) => head.try_into().map_err(|_| "a record's head is cut off")?,
        None => return Err("a record's head is cut off"),
    };
    let [a, b, c, d, crc @ ..] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > MAX_PAYLOAD {
        return Err("a record's length cannot be");
    }
    let end = 8 + usize::try_from(length).map_err(|_| "a record's length cannot be")?;
    let payload = bytes.get(8..end).ok_or("a record is cut off")?;
    if checksum(place, payload) != u32::from_le_bytes(crc) {
        return Err("a record's checksum does not match");
    }
    Ok(payload)
}
