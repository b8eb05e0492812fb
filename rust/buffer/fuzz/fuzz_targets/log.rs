//! Any bytes as a segment, behind a good header and in place of a good log's tail: no panic, and nothing but whole tasks.
#![no_main]

use std::fs;
use std::path::Path;

use azr_buffer::{Access, Kind, Open, Options, Task, TaskBuffer};
use libfuzzer_sys::fuzz_target;

fn options() -> Options {
    Options { similarity: false, expected: 0, ..Options::default() }
}

fn read_all(folder: &Path, salvage: bool) {
    let open = Open { access: if salvage { Access::Write } else { Access::Read }, at: None, salvage };
    if let Ok((buffer, _)) = TaskBuffer::open(folder, options(), open) {
        for id in buffer.ids() {
            buffer.get(id).expect("an id that is listed can be read");
            buffer.state(id).expect("an id that is listed can be read");
        }
    }
}

fuzz_target!(|data: (u16, &[u8])| {
    let (keep, tail) = data;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let segment = folder.path().join("segment-00000001-00000000.azrlog");
    {
        let (buffer, _) = TaskBuffer::open(folder.path(), options(), Open::default()).expect("it opens");
        for number in 0..3_u8 {
            let task = Task::new(Kind::Deduction, format!("def f(x): return {number}"), "1");
            buffer.insert(&task).expect("it can be written").expect("it is new");
        }
        buffer.commit().expect("it can be written");
    }
    let mut bytes = fs::read(&segment).expect("it is there");
    bytes.truncate(usize::from(keep));
    bytes.extend_from_slice(tail);
    fs::write(&segment, bytes).expect("it can be written");
    read_all(folder.path(), false);
    read_all(folder.path(), true);
});
