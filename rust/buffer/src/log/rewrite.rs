//! Replacing the log by a shorter one that says the same.
//!
//! The new generation is written beside the old one and made durable, and then `CURRENT` is replaced, which is one step.
//! Whatever happens before, the old log stands; whatever happens after, the new one does. What is left over is removed the
//! next time that the buffer is opened for writing.

use std::fs;
use std::path::Path;

use super::files::{self, Acknowledged, HEADER};
use super::position::Position;
use super::read;
use super::record::Record;
use super::write::Appender;
use crate::error::{Context, Error, Result};

/// Flush whenever this many bytes wait.
const CHUNK: usize = 8 << 20;

/// A new generation in the making.
pub(crate) struct Rewrite<'a> {
    folder: &'a Path,
    appender: Appender,
    generation: u64,
    tasks: u64,
}

impl<'a> Rewrite<'a> {
    pub(crate) fn start(folder: &'a Path, generation: u64, limit: u64) -> Result<Self> {
        remove_generation(folder, generation)?;
        let start = Position { generation, segment: 0, offset: HEADER, tasks: 0 };
        Ok(Self { folder, appender: Appender::open(folder, start, limit)?, generation, tasks: 0 })
    }

    /// Append a record after which `tasks` ids are given out, unless told to stop.
    pub(crate) fn add(&mut self, record: &Record<'_>, tasks: u64, stop: &dyn Fn() -> bool) -> Result<()> {
        self.tasks = tasks;
        self.appender.append(record);
        if self.appender.waiting() >= CHUNK || self.appender.full() {
            self.appender.flush(tasks)?;
            self.appender.make_room()?;
            if stop() {
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }

    /// Make the new generation the one that counts; its appender and its end.
    pub(crate) fn finish(mut self, acknowledged: &mut Acknowledged) -> Result<(Appender, Position)> {
        let end = self.appender.flush(self.tasks)?;
        // Before the switch: whoever reads the new generation finds what it promises. The note of the old one stays.
        acknowledged.write(end, true)?;
        files::write_current(self.folder, self.generation)?;
        remove_generation(self.folder, self.generation - 1)?;
        Ok((self.appender, end))
    }
}

/// Remove all segments of a generation.
pub(crate) fn remove_generation(folder: &Path, generation: u64) -> Result<()> {
    for segment in read::segments(folder, generation)? {
        let path = files::segment_path(folder, generation, segment);
        fs::remove_file(&path).context("remove", &path)?;
    }
    files::sync_folder(folder)
}

/// Remove the segments of all generations but this one.
pub(crate) fn remove_others(folder: &Path, generation: u64) -> Result<()> {
    for entry in fs::read_dir(folder).context("list", folder)? {
        let name = entry.context("list", folder)?.file_name();
        match name.to_str().and_then(files::parse_segment_name) {
            Some((of, _)) if of != generation => {
                let path = folder.join(name);
                fs::remove_file(&path).context("remove", &path)?;
            }
            _ => {}
        }
    }
    Ok(())
}
