//! What must hold for any text and any log: for the fuzz targets, and for `tests/fuzz.rs`, their bounded part.
#![allow(unreachable_pub, clippy::allow_attributes, reason = "a module of several crates")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use azr_buffer::{Access, Kind, Open, Options, Solved, State, Task, TaskBuffer, canonicalize};

/// No panic, no stack overflow, and a canonical form is its own canonical form.
pub fn canonical(program: &str, input: &str) {
    if let Ok(form) = canonicalize(program, &[input], None) {
        let again = canonicalize(&form.program, &form.inputs, None).unwrap_or_else(|error| {
            panic!("a canonical form does not parse: {error}\n{program:?}\n{:?}", form.program)
        });
        assert_eq!((again.program, again.inputs), (form.program, form.inputs), "{program:?}, {input:?}");
    }
}

const SEGMENT: &str = "segment-00000001-00000000.azrlog";
/// Bytes of a segment before its first record.
const HEADER: usize = 32;

fn options() -> Options {
    Options::default().with_similarity(false).with_expected(0)
}

/// In memory where that can be: no disk is to wait for what is thrown away at once.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder can be made")
}

/// The files of a small log with a record of every kind that a buffer without compaction writes.
fn good() -> &'static BTreeMap<String, Vec<u8>> {
    static GOOD: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let folder = folder();
        let (buffer, _) = TaskBuffer::open(folder.path(), options(), Open::default()).expect("it opens");
        for number in 0..3_u8 {
            let task = Task::new(Kind::DEDUCTION, format!("def f(x): return {number}"), "1");
            buffer.insert(&task).expect("it can be written").expect("it is new");
        }
        buffer.record_solved(1, Solved { step: 3, successes: 2, attempts: 8 }).expect("it is there");
        buffer.mark_served(&[0, 2]).expect("they are there");
        buffer.quarantine(1, true).expect("it is there");
        buffer.commit().expect("it can be written");
        drop(buffer);
        let entries =
            fs::read_dir(folder.path()).expect("it can be listed").map(|entry| entry.expect("it can be listed"));
        entries
            .map(|entry| {
                let name = entry.file_name().into_string().expect("our names are text");
                (name, fs::read(entry.path()).expect("it can be read"))
            })
            .collect()
    })
}

/// The payloads of the good log, and the start of one that only compaction writes: a gap.
fn payloads() -> Vec<Vec<u8>> {
    let mut rest = &good()[SEGMENT][HEADER..];
    let mut found = vec![vec![5, 3, 1, 2, 0, 0]];
    while let [a, b, c, d, _, _, _, _, bytes @ ..] = rest {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).expect("small");
        found.push(bytes[..length].to_vec());
        rest = &bytes[length..];
    }
    found
}

/// Append a record with a checksum that is right.
fn put(segment: &mut Vec<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("small").to_le_bytes();
    let mut head = Vec::from(1_u64.to_le_bytes());
    head.extend_from_slice(&(segment.len() as u64).to_le_bytes());
    head.extend_from_slice(&0_u32.to_le_bytes());
    head.extend_from_slice(&length);
    segment.extend_from_slice(&length);
    segment.extend_from_slice(&crc32c::crc32c_append(crc32c::crc32c(&head), payload).to_le_bytes());
    segment.extend_from_slice(payload);
}

/// All that can be read of a log, if it opens.
fn contents(folder: &Path, access: Access, salvage: bool) -> Option<Vec<(u64, Task, State)>> {
    let mut how = Open::WRITE.with_access(access);
    how.salvage = salvage;
    let (buffer, _) = TaskBuffer::open(folder, options(), how).ok()?;
    let of = |id| Some((id, buffer.get(id).ok()?, buffer.state(id).ok()?));
    Some(buffer.ids().map(|id| of(id).expect("an id that is listed can be read")).collect())
}

/// A record to add to a log: which good payload, how many of its bytes are kept, and what follows them.
pub type Record = (u8, u8, Vec<u8>);

/// The first `keep` bytes of a good log, then `records`, whose checksums are right, then `tail`, whatever it is: no
/// panic, nothing but whole tasks, and what salvage keeps is there afterwards.
pub fn log(keep: usize, records: &[Record], tail: &[u8]) {
    let (folder, payloads) = (folder(), payloads());
    for (name, bytes) in good() {
        fs::write(folder.path().join(name), bytes).expect("it can be written");
    }
    let mut segment = good()[SEGMENT].clone();
    segment.truncate(keep);
    for (of, keep, rest) in records {
        let mut payload = payloads[usize::from(*of) % payloads.len()].clone();
        payload.truncate(usize::from(*keep));
        payload.extend_from_slice(rest);
        // A gap may be billions of ids long. Walking those only takes time.
        if !matches!(payload[..], [5, 0x80..=0xff, ..]) {
            put(&mut segment, &payload);
        }
    }
    segment.extend_from_slice(tail);
    fs::write(folder.path().join(SEGMENT), segment).expect("it can be written");
    let _ = contents(folder.path(), Access::Read, false);
    if let Some(kept) = contents(folder.path(), Access::Write, true) {
        assert_eq!(contents(folder.path(), Access::Write, false), Some(kept), "salvage says what it keeps");
    }
}
