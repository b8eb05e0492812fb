//! A switch that stops a batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops a batch from another thread: what has not ended yet ends with [`Error::Cancelled`](crate::Error::Cancelled).
#[derive(Clone, Default)]
pub struct Cancel {
    on: Arc<AtomicBool>,
    poll: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cancel").field("on", &self.is_cancelled()).finish_non_exhaustive()
    }
}

impl Cancel {
    /// A switch that is off.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A switch that also goes on when `poll`, asked now and then by the thread that waits for the batch,
    /// says so.
    pub fn polling(poll: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { on: Arc::default(), poll: Some(Arc::new(poll)) }
    }

    /// Stops every batch that was given this switch, within a tenth of a second.
    pub fn cancel(&self) {
        // Relaxed: the flag carries no data; a worker that sees it late stops late.
        self.on.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        // Relaxed: as in `cancel`.
        self.on.load(Ordering::Relaxed)
    }

    /// Asks the question of [`Cancel::polling`], if there is one, and goes on where it says so. The answer may take its
    /// time: no lock may be held.
    pub(crate) fn poll(&self) {
        if let Some(poll) = &self.poll
            && poll()
        {
            self.cancel();
        }
    }

    /// Whether [`Cancel::poll`] asks anything.
    pub(crate) fn has_poll(&self) -> bool {
        self.poll.is_some()
    }
}
