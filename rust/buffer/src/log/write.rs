//! Appending to a log.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::files::{self, HEADER};
use super::position::Position;
use super::read;
use super::record::{Place, Record, put_frame};
use crate::error::{Context, Error, Result};

/// The end of a log. Appended records are durable after `flush`.
#[derive(Debug)]
pub(crate) struct Appender {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    generation: u64,
    segment: u32,
    /// Where the durable part of the segment ends.
    offset: u64,
    /// Frames that stand from `offset` on.
    frames: Vec<u8>,
    scratch: Vec<u8>,
    /// A segment of at least this many bytes is closed.
    limit: u64,
    poisoned: Option<String>,
}

impl Appender {
    /// Go on at `end`, which must be the end of the log's last segment, or the start of its first.
    pub(crate) fn open(folder: &Path, end: Position, limit: u64) -> Result<Self> {
        let path = files::segment_path(folder, end.generation, end.segment);
        let file = open_segment(folder, &path, end)?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            file,
            generation: end.generation,
            segment: end.segment,
            offset: end.offset,
            frames: Vec::new(),
            scratch: Vec::new(),
            limit,
            poisoned: None,
        })
    }

    /// Add a record to the next flush.
    pub(crate) fn append(&mut self, record: &Record<'_>) {
        self.scratch.clear();
        record.encode(&mut self.scratch);
        let offset = self.offset + self.frames.len() as u64;
        let place = Place { generation: self.generation, segment: self.segment, offset };
        put_frame(&mut self.frames, place, &self.scratch);
    }

    /// Bytes that wait for a flush.
    pub(crate) fn waiting(&self) -> usize {
        self.frames.len()
    }

    /// True when the segment is due to be closed.
    pub(crate) fn full(&self) -> bool {
        self.offset + self.frames.len() as u64 >= self.limit
    }

    /// Write what waits and make it durable; the position after it, `tasks` being its count of ids.
    ///
    /// On an error nothing of it counts: the file is cut back to where it was, and the records are forgotten.
    pub(crate) fn flush(&mut self, tasks: u64) -> Result<Position> {
        if let Some(cause) = &self.poisoned {
            return Err(Error::Poisoned { cause: cause.clone() });
        }
        if !self.frames.is_empty() {
            let written = self.file.write_all(&self.frames);
            let length = self.frames.len() as u64;
            self.frames.clear();
            if let Err(source) = written {
                let back = self.file.set_len(self.offset).and_then(|()| self.file.seek(SeekFrom::Start(self.offset)));
                if let Err(error) = back {
                    self.poisoned = Some(error.to_string());
                }
                return Err(Error::Io { action: "append to", path: self.path.clone(), source });
            }
            if let Err(source) = self.file.sync_data() {
                // What the system has kept of the pages is unknown, so trying again would prove nothing.
                self.poisoned = Some(source.to_string());
                return Err(Error::Io { action: "sync", path: self.path.clone(), source });
            }
            self.offset += length;
        }
        Ok(Position { generation: self.generation, segment: self.segment, offset: self.offset, tasks })
    }

    /// Forget what waits, and start the next segment if this one is full.
    pub(crate) fn make_room(&mut self) -> Result<()> {
        self.frames.clear();
        if !self.full() {
            return Ok(());
        }
        let next = Position { generation: self.generation, segment: self.segment + 1, offset: HEADER, tasks: 0 };
        let path = files::segment_path(&self.folder, next.generation, next.segment);
        self.file = open_segment(&self.folder, &path, next)?;
        self.path = path;
        self.segment = next.segment;
        self.offset = HEADER;
        Ok(())
    }
}

/// Open a segment for appending at `end`; make it, header included, if that is its start.
fn open_segment(folder: &Path, path: &Path, end: Position) -> Result<File> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).context("open", path)?;
    let length = file.metadata().context("open", path)?.len();
    if end.offset == HEADER && length < HEADER {
        file.set_len(0).context("write", path)?;
        file.write_all(&files::segment_header(end.generation, end.segment)).context("write", path)?;
        file.sync_all().context("sync", path)?;
        files::sync_folder(folder)?;
    }
    file.seek(SeekFrom::Start(end.offset)).context("open", path)?;
    Ok(file)
}

/// Set aside everything after `end`, which was found to be the end of the good log, and cut it off.
///
/// A torn tail that nobody was promised is cut without a copy (`keep` is false).
pub(crate) fn cut_after(folder: &Path, end: Position, keep: bool) -> Result<Vec<PathBuf>> {
    let mut aside = Vec::new();
    for segment in read::segments(folder, end.generation)? {
        let path = files::segment_path(folder, end.generation, segment);
        if segment == end.segment {
            let length = fs::metadata(&path).context("open", &path)?.len();
            if length > end.offset {
                if keep {
                    aside.push(copy_aside(folder, &path, end)?);
                }
                let file = OpenOptions::new().write(true).open(&path).context("open", &path)?;
                file.set_len(end.offset).and_then(|()| file.sync_all()).context("cut", &path)?;
            }
        } else if segment > end.segment {
            let to = free_name(folder, &format!("set-aside-{:08}-{segment:08}", end.generation));
            fs::rename(&path, &to).context("rename", &path)?;
            aside.push(to);
        }
    }
    files::sync_folder(folder)?;
    Ok(aside)
}

fn copy_aside(folder: &Path, path: &Path, end: Position) -> Result<PathBuf> {
    let bytes = fs::read(path).context("read", path)?;
    let from = usize::try_from(end.offset).unwrap_or(usize::MAX).min(bytes.len());
    let to = free_name(folder, &format!("set-aside-{:08}-{:08}-{}", end.generation, end.segment, end.offset));
    File::create_new(&to)
        .and_then(|mut file| file.write_all(&bytes[from..]).and_then(|()| file.sync_all()))
        .context("write", &to)?;
    Ok(to)
}

fn free_name(folder: &Path, stem: &str) -> PathBuf {
    let plain = folder.join(format!("{stem}.azrlog"));
    let numbered = (1..).map(|number: u64| folder.join(format!("{stem}-{number}.azrlog")));
    std::iter::once(plain).chain(numbered).find(|path| !path.exists()).expect("the numbers do not end")
}
