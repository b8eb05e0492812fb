//! Compaction: the log rewritten without evicted tasks.

use rustc_hash::FxHashSet;

use crate::buffer::TaskBuffer;
use crate::by_kind::Gap;
use crate::error::{Error, Result};
use crate::log::files::{self, Acknowledged};
use crate::log::position::Position;
use crate::log::record::Record;
use crate::log::rewrite::{self, Rewrite};
use crate::log::write::Appender;

impl TaskBuffer {
    /// Rewrite the log without evicted tasks, and with one record for each task's updates. Inserting and sampling go on.
    ///
    /// Ids stay. Evicted tasks stay readable until the buffer is closed; after that they are gone, and may be added anew.
    /// Positions from before are not valid any more. `stop` is asked now and then; the old log stands if it says so.
    ///
    /// # Errors
    ///
    /// As [`TaskBuffer::commit`]; [`Error::Interrupted`].
    pub fn compact(&self, stop: &dyn Fn() -> bool) -> Result<Position> {
        let log = self.log.as_ref().ok_or(Error::NoLog)?;
        let mut writer = log.writer()?;
        let old = self.write_waiting(log, &mut writer)?;
        let rewrite = Rewrite::start(&log.folder, old.generation + 1, self.options.segment_bytes)?;
        let written = self.rewrite(rewrite, writer.logged, stop, &mut writer.acknowledged);
        match written {
            Ok((appender, position)) => {
                writer.appender = appender;
                writer.position = position;
                writer.noted = position;
                Ok(position)
            }
            Err(error) => {
                if files::read_current(&log.folder)? == Some(old.generation) {
                    rewrite::remove_generation(&log.folder, old.generation + 1)?;
                }
                Err(error)
            }
        }
    }

    fn rewrite(
        &self,
        mut rewrite: Rewrite<'_>,
        end: u64,
        stop: &dyn Fn() -> bool,
        acknowledged: &mut Acknowledged,
    ) -> Result<(Appender, Position)> {
        let served: Vec<_> = self.by_kind.numbers().into_iter().map(|kind| self.served(kind)).collect();
        let served: FxHashSet<u64> =
            served.iter().flat_map(|ids| (0..ids.len()).filter_map(|index| ids.id(index))).collect();
        let kept = |id: u64| self.entry(id).filter(|_| served.contains(&id));
        let mut old_gaps = self.by_kind.gaps().iter().peekable();
        let mut gap = Gap::default();
        let mut id = 0;
        while id < end {
            if let Some(old) = old_gaps.next_if(|old| old.start == id) {
                gap.count += old.count;
                old.kinds.iter().for_each(|(kind, count)| *gap.kinds.entry(*kind).or_default() += count);
                id += old.count;
                continue;
            }
            let entry = self.entry(id).expect("an id is in a gap or has a task");
            if kept(id).is_some() {
                self.add_gap(&mut rewrite, &mut gap, id, stop)?;
                let record = Record::Task { id, derived: self.derived(entry), payload: entry.payload() };
                rewrite.add(&record, id + 1, stop)?;
            } else {
                gap.count += 1;
                *gap.kinds.entry(entry.kind()).or_default() += 1;
            }
            id += 1;
        }
        self.add_gap(&mut rewrite, &mut gap, end, stop)?;
        for id in 0..end {
            let Some(entry) = kept(id) else { continue };
            for solved in self.history(entry) {
                rewrite.add(&Record::Solved { id, solved }, end, stop)?;
            }
            let count = entry.facts().served;
            if count > 0 {
                rewrite.add(&Record::Served { ids: vec![(id, count)] }, end, stop)?;
            }
            let (order, held) = entry.held();
            if order > 0 {
                rewrite.add(&Record::Quarantined { id, order, held }, end, stop)?;
            }
            if entry.is_excluded() {
                rewrite.add(&Record::Excluded { id }, end, stop)?;
            }
        }
        rewrite.finish(acknowledged)
    }

    /// Write the gap that ends at `end`, if there is one.
    fn add_gap(&self, rewrite: &mut Rewrite<'_>, gap: &mut Gap, end: u64, stop: &dyn Fn() -> bool) -> Result<()> {
        if gap.count > 0 {
            let kinds = gap.kinds.iter().map(|(kind, count)| (self.by_kind.kind(*kind).name(), *count)).collect();
            rewrite.add(&Record::Gap { count: gap.count, kinds }, end, stop)?;
            *gap = Gap::default();
        }
        Ok(())
    }
}
