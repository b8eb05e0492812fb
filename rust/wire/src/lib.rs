//! What crosses the boundary between the azr sandbox's host and its guest.
//!
//! Both sides compile this crate, so the two cannot drift. A [`Request`] goes in, a [`Response`]
//! comes out, both as bytes in the guest's linear memory. The host treats every byte that it reads
//! as hostile: decoding never panics, never recurses deeper than [`MAX_DEPTH`], and never allocates
//! more than a small multiple of the bytes it was given.
//!
//! [`Value`] is plain Python data. Its encoding is canonical: equal bytes mean the same value of the
//! same types, whatever order a set was filled in.

mod codec;
mod message;
mod value;

pub use codec::{DecodeError, MAX_DEPTH, Reader, Writer};
pub use message::{
    Abort, Arguments, Call, Entropy, Exec, ExecMode, FileQuota, Frame, GuestLimits, HostCall, HostReply, Literal,
    ModuleProblem, Open, Reads, Request, Response, Run, Termination, host,
};
pub use value::{Int, Value};
