//! The small files of a buffer's folder: segment headers, `CURRENT`, `ACKNOWLEDGED`, `LOCK`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::position::Position;
use crate::error::{Context, Error, Result};

/// Version of all files of a buffer. Version 1 had four kinds, version 2 no excluded tasks: quarantine stood for both.
/// Their logs are read, and gone on with.
pub(crate) const VERSION: u32 = 3;
/// Bytes of a segment's header.
pub(crate) const HEADER: u64 = 32;
const SEGMENT_MAGIC: &[u8; 8] = b"AZRTASKS";
const CURRENT_MAGIC: &[u8; 8] = b"AZRBUFFR";
const CURRENT: &str = "CURRENT";
const ACKNOWLEDGED: &str = "ACKNOWLEDGED";
const LOCK: &str = "LOCK";
/// Bytes of one of the two places in `ACKNOWLEDGED`.
const PLACE: usize = 48;

pub(crate) fn segment_path(folder: &Path, generation: u64, segment: u32) -> PathBuf {
    folder.join(format!("segment-{generation:08}-{segment:08}.azrlog"))
}

/// Generation and index of a segment by its file name.
pub(crate) fn parse_segment_name(name: &str) -> Option<(u64, u32)> {
    let (generation, segment) = name.strip_prefix("segment-")?.strip_suffix(".azrlog")?.split_once('-')?;
    Some((generation.parse().ok()?, segment.parse().ok()?))
}

/// `bytes` followed by their checksum.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    [bytes, &crc32c::crc32c(bytes).to_le_bytes()].concat()
}

fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    (crc32c::crc32c(content) == u32::from_le_bytes(*crc)).then_some(content)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the caller checked the length")
}

pub(crate) fn segment_header(generation: u64, segment: u32) -> Vec<u8> {
    let mut bytes = SEGMENT_MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&generation.to_le_bytes());
    bytes.extend_from_slice(&segment.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    sealed(&bytes)
}

/// Check the header of a segment. `tasks` is how many came before, for the report.
pub(crate) fn check_header(path: &Path, bytes: &[u8], generation: u64, segment: u32, tasks: u64) -> Result<()> {
    let damaged = |found| Error::Damaged { path: path.to_owned(), offset: 0, found, tasks };
    if bytes.len() < usize::try_from(HEADER).expect("a small number") {
        return Err(damaged("the header is cut off"));
    }
    let header = &bytes[..usize::try_from(HEADER).expect("a small number")];
    if &header[..8] != SEGMENT_MAGIC {
        return Err(Error::Foreign { path: path.to_owned(), found: "its first bytes are not a segment's".to_owned() });
    }
    check_version(path, u32::from_le_bytes(number(header, 8)))?;
    let Some(content) = unseal(header) else { return Err(damaged("the header's checksum does not match")) };
    let (own_generation, own_segment) =
        (u64::from_le_bytes(number(content, 12)), u32::from_le_bytes(number(content, 20)));
    if (own_generation, own_segment) != (generation, segment) {
        return Err(damaged("the header belongs to another segment"));
    }
    Ok(())
}

fn check_version(path: &Path, found: u32) -> Result<()> {
    if found > VERSION {
        return Err(Error::Newer { path: path.to_owned(), found, known: VERSION });
    }
    Ok(())
}

/// Make a change of names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|file| file.sync_all()).context("sync the folder", folder)
}

/// The generation that counts; none in a folder without a buffer.
pub(crate) fn read_current(folder: &Path) -> Result<Option<u64>> {
    let path = folder.join(CURRENT);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Io { action: "read", path, source }),
    };
    if bytes.len() < 12 || &bytes[..8] != CURRENT_MAGIC {
        return Err(Error::Foreign { path, found: "its first bytes are not a task buffer's".to_owned() });
    }
    check_version(&path, u32::from_le_bytes(number(&bytes, 8)))?;
    match unseal(&bytes) {
        Some(content) if content.len() == 20 => Ok(Some(u64::from_le_bytes(number(content, 12)))),
        _ => Err(Error::Damaged { path, offset: 0, found: "its checksum does not match", tasks: 0 }),
    }
}

/// Name `generation` as the one that counts, at once and durably.
pub(crate) fn write_current(folder: &Path, generation: u64) -> Result<()> {
    let mut bytes = CURRENT_MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&generation.to_le_bytes());
    let temporary = folder.join("CURRENT.new");
    File::create(&temporary)
        .and_then(|mut file| file.write_all(&sealed(&bytes)).and_then(|()| file.sync_all()))
        .context("write", &temporary)?;
    let path = folder.join(CURRENT);
    fs::rename(&temporary, &path).context("replace", &path)?;
    sync_folder(folder)
}

/// Have an older program refuse a log that this one is about to write to: it would take new records for damage.
pub(crate) fn raise_version(folder: &Path, generation: u64) -> Result<()> {
    let path = folder.join(CURRENT);
    let bytes = fs::read(&path).context("read", &path)?;
    if u32::from_le_bytes(number(&bytes, 8)) < VERSION { write_current(folder, generation) } else { Ok(()) }
}

/// Refuse to make a buffer in a folder that holds anything but the leavings of an earlier try.
pub(crate) fn check_empty(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).context("list", folder)? {
        let name = entry.context("list", folder)?.file_name();
        if !matches!(name.to_str(), Some(LOCK | "CURRENT.new" | ACKNOWLEDGED)) {
            let found = format!("it holds `{}` but no `{CURRENT}`", name.to_string_lossy());
            return Err(Error::Foreign { path: folder.to_owned(), found });
        }
    }
    Ok(())
}

/// The last acknowledged position, in two places that are written in turn: one is whole whatever happens.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    file: File,
    path: PathBuf,
    order: u64,
}

/// The newest place in `ACKNOWLEDGED` of this generation, with its order.
fn newest(bytes: &[u8], generation: u64) -> Option<(u64, Position)> {
    let places = bytes.chunks(PLACE).filter_map(|place| {
        let content = unseal(place).filter(|content| content.len() == PLACE - 4)?;
        let position = Position {
            generation: u64::from_le_bytes(number(content, 8)),
            segment: u32::from_le_bytes(number(content, 16)),
            offset: u64::from_le_bytes(number(content, 24)),
            tasks: u64::from_le_bytes(number(content, 32)),
        };
        Some((u64::from_le_bytes(number(content, 0)), position))
    });
    places.filter(|(_, position)| position.generation == generation).max_by_key(|(order, _)| *order)
}

/// The last acknowledged position; none if `ACKNOWLEDGED` cannot be read.
pub(crate) fn read_acknowledged(folder: &Path, generation: u64) -> Result<Option<Position>> {
    let path = folder.join(ACKNOWLEDGED);
    match fs::read(&path) {
        Ok(bytes) => Ok(newest(&bytes, generation).map(|(_, position)| position)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io { action: "read", path, source }),
    }
}

impl Acknowledged {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(ACKNOWLEDGED);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .context("open", &path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).context("read", &path)?;
        let orders = bytes.chunks(PLACE).filter_map(unseal).filter(|content| content.len() == PLACE - 4);
        let order = orders.map(|content| u64::from_le_bytes(number(content, 0))).max().unwrap_or(0);
        Ok(Self { file, path, order })
    }

    /// Write `position`. It survives the end of the process at once; with `sync`, that of the machine too.
    pub(crate) fn write(&mut self, position: Position, sync: bool) -> Result<()> {
        self.order += 1;
        let mut bytes = self.order.to_le_bytes().to_vec();
        bytes.extend_from_slice(&position.generation.to_le_bytes());
        bytes.extend_from_slice(&position.segment.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&position.offset.to_le_bytes());
        bytes.extend_from_slice(&position.tasks.to_le_bytes());
        bytes.resize(PLACE - 4, 0);
        let at = self.order % 2 * PLACE as u64;
        let write = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(&sealed(&bytes)));
        write.and_then(|()| if sync { self.file.sync_all() } else { Ok(()) }).context("write", &self.path)
    }
}

/// The right to write a buffer, given back by the system when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .context("open", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if known { holder.trim().to_owned() } else { "another process".to_owned() };
                return Err(Error::InUse { path: folder.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(Error::Io { action: "lock", path, source }),
        }
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let holder = format!("process {} on host `{}`\n", std::process::id(), host.trim());
        file.set_len(0).and_then(|()| file.write_all(holder.as_bytes())).context("write", &path)?;
        Ok(Self { _file: file })
    }
}
