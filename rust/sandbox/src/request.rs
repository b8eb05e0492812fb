//! What a worker is given to do: encoded requests, with what they may cost.

use std::time::Duration;

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
