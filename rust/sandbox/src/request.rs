//! What a worker is given to do: encoded requests, with what they may cost.

use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;
use crate::functions::Known;
use crate::memory::Pages;

/// Bytes of a response besides what the limits allow: messages, a traceback.
pub(crate) const RESPONSE_BYTES: usize = 64 << 10;

/// What a request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) fuel: u64,
    pub(crate) memory_bytes: u32,
    pub(crate) address_shift: u32,
    /// Most bytes that the host copies out as a response.
    pub(crate) response_bytes: usize,
}

/// One request to a fresh guest, with what it may cost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RunRequest {
    pub(crate) request: Vec<u8>,
    pub(crate) budget: Budget,
    pub(crate) wall: Duration,
}

/// What one worker does at a time: a request, and the calls that follow it, each from the state that the
/// request leaves. One result a call, or one in all where there is none.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) run: RunRequest,
    pub(crate) calls: Vec<Vec<u8>>,
}

impl Job {
    /// How many results it has.
    pub(crate) fn results(&self) -> usize {
        self.calls.len().max(1)
    }
}

/// Where a program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A callback for output as it is written.
pub(crate) type OnOutput = Arc<dyn Fn(Stream, &[u8]) + Send + Sync>;

/// Requests of a session, answered one after the other in one instance.
pub(crate) struct SessionJob {
    /// The session's memory; none for one that is opened first.
    pub(crate) state: Option<Pages>,
    /// What opens it, and what all of this may cost.
    pub(crate) open: RunRequest,
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) functions: Option<Known>,
    pub(crate) output: Option<OnOutput>,
    /// Bytes of encoding that a call of a function, and its result, may take.
    pub(crate) value_bytes: usize,
    /// Bytes of output that are handed over as they are written.
    pub(crate) output_bytes: usize,
}

/// What came of a session's requests.
pub(crate) struct SessionRan {
    /// One a request, up to one that stopped in the middle.
    pub(crate) answers: Vec<Answer>,
    pub(crate) fuel_used: u64,
    /// The memory afterwards, unless one did.
    pub(crate) state: Option<Pages>,
}
