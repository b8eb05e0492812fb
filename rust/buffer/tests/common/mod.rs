//! What several tests need.
#![allow(dead_code, reason = "each test binary uses a part, and which one differs")]

use std::collections::BTreeMap;
use std::path::Path;

use azr_buffer::{Kind, Open, Options, Output, Position, Role, State, Task, TaskBuffer};

/// Kinds with a number in the log, and one with a name.
pub(crate) fn kinds() -> [Kind; 4] {
    [Kind::DEDUCTION, Kind::ABDUCTION, Kind::ERROR, Kind::new("chess/mate in 2").expect("it is a name")]
}

/// A task that depends on `number` in every field.
pub(crate) fn task(number: u64) -> Task {
    let small = u32::try_from(number % 1000).expect("a small number");
    let kind = kinds()[usize::try_from(number % 4).expect("a small number")].clone();
    let mut task = Task::new(kind, format!("def f(x):\n    # {number}\n    return x + {number}"), number.to_string());
    task.inputs.push(format!("[{number}]"));
    task.outputs = vec![Output { value: number.to_le_bytes().to_vec(), repr: (2 * number).to_string() }];
    task.message = format!("adds {number} \u{e9}");
    task.imports = vec!["import math".to_owned()];
    task.step = small;
    task.role = Role::ALL[usize::try_from(number % 2).expect("a small number")];
    task.references = vec![number / 2, number / 3];
    task.parents = vec![number / 5];
    task.behaviour = number.is_multiple_of(2).then_some(u128::from(number) << 70);
    task
}

/// All that can be seen of a buffer.
pub(crate) fn contents(buffer: &TaskBuffer) -> BTreeMap<u64, (Task, State)> {
    let of = |id| (buffer.get(id).expect("the id is there"), buffer.state(id).expect("the id is there"));
    buffer.ids().map(|id| (id, of(id))).collect()
}

pub(crate) fn options() -> Options {
    Options::default().with_similarity(false).with_expected(0)
}

pub(crate) fn open(folder: &Path) -> std::sync::Arc<TaskBuffer> {
    TaskBuffer::open(folder, options(), Open::default()).expect("the buffer opens").0
}

/// A buffer of `count` tasks, committed.
pub(crate) fn filled(folder: &Path, count: u64) -> Position {
    let buffer = open(folder);
    for number in 0..count {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
    }
    buffer.commit().expect("it can be written")
}

/// Every file of a folder with its bytes, the lock aside.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().expect("our names are text");
        (name != "LOCK").then(|| (name, std::fs::read(entry.path()).expect("the file can be read")))
    };
    entries.filter_map(|entry| read(entry.expect("the folder can be listed"))).collect()
}

/// Copy a buffer's folder, lock aside.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder can be made");
    for (name, bytes) in files(from) {
        std::fs::write(to.join(name), bytes).expect("the file can be written");
    }
}
