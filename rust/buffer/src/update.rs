//! What happens to tasks that are there: attempts, servings, quarantine, exclusion. Changes commute, and are logged.

use crate::buffer::TaskBuffer;
use crate::entry::{Entry, Measured};
use crate::error::{Error, Result};
use crate::log::handle::{Log, Update};
use crate::sync::{AtomicU32, Ordering};
use crate::task::Solved;

impl TaskBuffer {
    pub(crate) fn history(&self, entry: &Entry) -> Vec<Solved> {
        let mut history = Vec::new();
        let mut at = entry.history();
        while let Some(measured) = at.checked_sub(1).and_then(|index| self.measured.get(usize::try_from(index).ok()?)) {
            history.push(measured.solved);
            // Acquire: an older measurement may be another thread's.
            at = measured.previous.load(Ordering::Acquire);
        }
        history.sort_unstable();
        history
    }

    fn change(&self, id: u64, update: Update) -> Result<()> {
        if self.log.as_ref().is_some_and(Log::is_read_only) {
            return Err(Error::ReadOnly);
        }
        self.existing(id)?;
        self.apply(update);
        if let Some(log) = &self.log {
            log.queue(update);
        }
        Ok(())
    }

    /// Apply an update to a task that is there. Updates commute, so the log may hold them in another order.
    pub(crate) fn apply(&self, update: Update) {
        match update {
            Update::Solved { id, solved } => {
                let Some(entry) = self.entry(id) else { return };
                let index = self.measured.push(Measured { solved, previous: AtomicU32::new(0) });
                let link = u32::try_from(index).expect("four billion measurements are more than memory holds");
                // Relaxed: published by the exchange in `chain`.
                entry.chain(link, |head| self.measured[index].previous.store(head, Ordering::Relaxed));
                entry.measure(solved);
            }
            Update::Served { id, count } => {
                if let Some(entry) = self.entry(id) {
                    entry.serve(count);
                }
            }
            Update::Held { id, order, held } => {
                if let Some(entry) = self.entry(id) {
                    entry.hold(order, held);
                }
                // Relaxed: later changes only have to be greater, and a thread sees its own.
                self.order.fetch_max(order, Ordering::Relaxed);
            }
            Update::Excluded { id } => {
                if let Some(entry) = self.entry(id) {
                    entry.exclude();
                    // Relaxed: for `drawable`, whose count is not exact while tasks change.
                    self.any_excluded.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// Record attempts at a task.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`], [`Error::BadRate`], [`Error::ReadOnly`].
    pub fn record_solved(&self, id: u64, solved: Solved) -> Result<()> {
        let Solved { successes, attempts, .. } = solved;
        if attempts == 0 || successes > attempts {
            return Err(Error::BadRate { successes, attempts });
        }
        self.change(id, Update::Solved { id, solved })
    }

    /// Count one more time that each of these was served.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`], [`Error::ReadOnly`]; the ids before were counted.
    pub fn mark_served(&self, ids: &[u64]) -> Result<()> {
        ids.iter().try_for_each(|id| self.change(*id, Update::Served { id: *id, count: 1 }))
    }

    /// Exclude a task from sampling for good, by a rule of the curriculum. That it is quarantined or not is another
    /// matter, which this does not touch.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`], [`Error::ReadOnly`].
    pub fn exclude(&self, id: u64) -> Result<()> {
        self.change(id, Update::Excluded { id })
    }

    /// Hold a task back from sampling, or let it go again: the decision of a person or of a monitor.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTask`], [`Error::ReadOnly`].
    pub fn quarantine(&self, id: u64, held: bool) -> Result<()> {
        // Relaxed: only has to be greater than what this thread has seen.
        let order = self.order.fetch_add(1, Ordering::Relaxed) + 1;
        self.change(id, Update::Held { id, order, held })
    }
}
