//! Reading a log back, and telling a torn tail from damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use super::files::{self, HEADER};
use super::position::Position;
use super::record::{FRAME, Place, Record, take_frame};
use crate::error::{Context, Error, Result};

/// Bytes at the end of the log that were not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// The file.
    pub path: PathBuf,
    /// Where its good part ends.
    pub offset: u64,
    /// How many bytes came after, in this file.
    pub bytes: u64,
    /// What is wrong with the first of them.
    pub found: &'static str,
}

/// What was found on opening a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Where the log ends now.
    pub end: Position,
    /// What had been acknowledged; none if the note of it cannot be read.
    pub acknowledged: Option<Position>,
    /// What was cut off: the tail of an interrupted write, or, with `salvage`, the damaged rest.
    pub cut: Option<Cut>,
    /// Files that hold what was set aside by `salvage` or by opening at an earlier position.
    pub set_aside: Vec<PathBuf>,
}

/// Takes the records of a log, in order.
pub(crate) trait Apply {
    /// Take one; what is wrong with it otherwise.
    fn apply(&mut self, record: Record<'_>) -> std::result::Result<(), &'static str>;
    /// Ids given out so far.
    fn tasks(&self) -> u64;
}

/// Where to stop, and what to put up with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Until {
    pub(crate) position: Option<Position>,
    pub(crate) salvage: bool,
}

/// Indices of the segments of `generation`, in order.
pub(crate) fn segments(folder: &Path, generation: u64) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context("list", folder)? {
        let name = entry.context("list", folder)?.file_name();
        if let Some((of, segment)) = name.to_str().and_then(files::parse_segment_name)
            && of == generation
        {
            found.push(segment);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// One pass over a log.
struct Pass<'a> {
    folder: &'a Path,
    generation: u64,
    acknowledged: Option<Position>,
    until: Until,
    report: Report,
}

/// Read the log of `generation`.
///
/// # Errors
///
/// [`Error::Damaged`], [`Error::Lost`], [`Error::NoSuchPosition`], and what a header may say.
pub(crate) fn replay(folder: &Path, generation: u64, until: Until, apply: &mut impl Apply) -> Result<Report> {
    // Before the segments: a writer may go on while we read, and the note must not run ahead of what we see.
    let acknowledged = files::read_acknowledged(folder, generation)?;
    let start = Position { generation, segment: 0, offset: HEADER, tasks: 0 };
    let position = until.position.map(|position| if position == Position::START { start } else { position });
    let until = Until { position, ..until };
    if let Some(position) = until.position.filter(|position| position.generation != generation) {
        let why = "compaction has rewritten the log since";
        return Err(Error::NoSuchPosition { path: folder.to_owned(), position, why });
    }
    let report = Report { acknowledged, ..Report::default() };
    let mut pass = Pass { folder, generation, acknowledged, until, report };
    pass.run(apply)?;
    Ok(pass.report)
}

impl Pass<'_> {
    fn run(&mut self, apply: &mut impl Apply) -> Result<()> {
        let segments = segments(self.folder, self.generation)?;
        let mut end = Position { generation: self.generation, segment: 0, offset: HEADER, tasks: 0 };
        let paths: Vec<PathBuf> =
            segments.iter().map(|segment| files::segment_path(self.folder, self.generation, *segment)).collect();
        std::thread::scope(|scope| {
            // One segment is read ahead while another is applied.
            let ahead = (paths.len() > 1).then(|| {
                let (send, read) = sync_channel(1);
                let paths = &paths;
                scope.spawn(move || paths.iter().try_for_each(|path| send.send(fs::read(path))));
                read
            });
            for (index, (segment, path)) in segments.iter().zip(&paths).enumerate() {
                if usize::try_from(*segment) != Ok(index) {
                    let found = "a segment before it is missing";
                    return Err(Error::Damaged { path: path.clone(), offset: 0, found, tasks: apply.tasks() });
                }
                let bytes = match &ahead {
                    Some(read) => read.recv().expect("the reader sends a result for each path"),
                    None => fs::read(path),
                };
                let bytes = bytes.context("read", path)?;
                end = Position { segment: *segment, offset: HEADER, tasks: apply.tasks(), ..end };
                if self.segment(path, &bytes, index + 1 == segments.len(), &mut end, apply)? {
                    break;
                }
            }
            Ok(())
        })?;
        self.report.end = end;
        if let Some(position) = self.until.position {
            if end != position {
                return Err(self.no_such(position, "the log ends before it"));
            }
            return Ok(());
        }
        match self.acknowledged {
            Some(acknowledged) if before(end, acknowledged) && !self.until.salvage => {
                Err(Error::Lost { path: self.folder.to_owned(), acknowledged, end })
            }
            _ => Ok(()),
        }
    }

    fn no_such(&self, position: Position, why: &'static str) -> Error {
        Error::NoSuchPosition { path: self.folder.to_owned(), position, why }
    }

    /// Read one segment; true if the log ends here.
    fn segment(
        &mut self,
        path: &Path,
        bytes: &[u8],
        last: bool,
        end: &mut Position,
        apply: &mut impl Apply,
    ) -> Result<bool> {
        if let Err(error) = files::check_header(path, bytes, self.generation, end.segment, apply.tasks()) {
            // A segment that was being made when the process died.
            let short = (bytes.len() as u64) < HEADER;
            if !short {
                return Err(error);
            }
            let whole = Position { offset: 0, ..*end };
            return self.bad(path, bytes, last, whole, "the header is cut off", apply.tasks());
        }
        loop {
            if let Some(position) = self.until.position {
                if *end == position {
                    return Ok(true);
                }
                if position.segment == end.segment && position.offset < end.offset {
                    return Err(self.no_such(position, "no record ends there"));
                }
            }
            let start = usize::try_from(end.offset).expect("an offset into bytes that were read");
            if start == bytes.len() {
                return Ok(false);
            }
            let place = Place { generation: self.generation, segment: end.segment, offset: end.offset };
            let payload = match take_frame(&bytes[start..], place) {
                Ok(payload) => payload,
                Err(found) => return self.bad(path, bytes, last, *end, found, apply.tasks()),
            };
            let applied = match Record::decode(payload) {
                Ok(record) => apply.apply(record),
                Err(_) => Err("a record is none that this version knows"),
            };
            if let Err(found) = applied {
                // Its checksum is right, so it is no torn write.
                if self.until.salvage {
                    self.cut(path, bytes, *end, found);
                    return Ok(true);
                }
                return Err(Error::Damaged { path: path.to_owned(), offset: end.offset, found, tasks: apply.tasks() });
            }
            self.report.records += 1;
            end.offset += FRAME + payload.len() as u64;
            end.tasks = apply.tasks();
        }
    }

    /// Bytes that are no record: a torn tail, or damage.
    fn bad(
        &mut self,
        path: &Path,
        bytes: &[u8],
        last: bool,
        at: Position,
        found: &'static str,
        tasks: u64,
    ) -> Result<bool> {
        let torn = last && self.acknowledged.is_some_and(|acknowledged| !before(at, acknowledged));
        if !torn && !self.until.salvage {
            return Err(Error::Damaged { path: path.to_owned(), offset: at.offset, found, tasks });
        }
        self.cut(path, bytes, at, found);
        Ok(true)
    }

    fn cut(&mut self, path: &Path, bytes: &[u8], at: Position, found: &'static str) {
        let bytes = bytes.len() as u64 - at.offset;
        self.report.cut = Some(Cut { path: path.to_owned(), offset: at.offset, bytes, found });
    }
}

fn before(a: Position, b: Position) -> bool {
    (a.segment, a.offset) < (b.segment, b.offset)
}
