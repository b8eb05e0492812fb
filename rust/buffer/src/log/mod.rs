//! The log: what makes the buffer outlive its process.
//!
//! A buffer is a folder. `segment-<generation>-<index>.azrlog` files hold records, each `length | crc32c | payload`, behind
//! a header with magic and version; they are only appended to. `CURRENT` names the generation, which changes when
//! compaction rewrites the log. `ACKNOWLEDGED` holds the position up to which tasks were acknowledged, written after
//! `fdatasync` of the segment and before the caller is told.
//!
//! So a reader can tell damage from an interrupted write. A bad record beyond the acknowledged position is a torn tail: it
//! is cut off and reported. A bad record before it, or a log that ends before it, is an error, and nothing is changed.
//! (After a power failure `ACKNOWLEDGED` itself may be one commit behind; it then promises less, never more.)

pub(crate) mod files;
pub(crate) mod handle;
pub(crate) mod position;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod rewrite;
pub(crate) mod write;
