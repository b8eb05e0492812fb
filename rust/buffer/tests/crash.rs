//! Kill -9 at random instants, truncation and flipped bits: nothing acknowledged is lost, nothing wrong is taken for right.
//!
//! A child process fills a buffer and says after each commit how many tasks were acknowledged. It is killed; then the
//! folder is hurt or not, and opened. `AZR_CRASH_ROUNDS` sets how many times, `AZR_CRASH_SEED` the seed.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use azr_buffer::{Error, Open, Options, TaskBuffer};
use common::{copy, options, task};

/// Rounds that one killed child serves: as it was left, and hurt in different ways.
const ROUNDS_A_KILL: u64 = 8;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let mixed = (self.0 ^ self.0 >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 11) % bound.max(1)
    }
}

fn small() -> Options {
    options().with_segment_bytes(20_000)
}

/// Fill the buffer until killed.
fn child(folder: &Path, seed: u64) {
    let mut random = Random(seed);
    let (buffer, _) = TaskBuffer::open(folder, small(), Open::default()).expect("the buffer opens");
    let mut out = std::io::stdout();
    loop {
        for _ in 0..random.below(20) {
            let number = buffer.len();
            buffer.insert(&task(number)).expect("it can be written").expect("it is new");
            buffer.mark_served(&[random.below(number)]).expect("it is there");
        }
        let position = buffer.commit().expect("it can be written");
        writeln!(out, "{}", position.tasks).and_then(|()| out.flush()).expect("the parent listens");
        if random.below(40) == 0 {
            buffer.compact(&|| false).expect("it can be written");
        }
    }
}

/// Run a child for a while and kill it; how many tasks it was told are safe.
fn kill_a_child(folder: &Path, random: &mut Random) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("the test has a file"))
        .env("AZR_CRASH_CHILD", folder)
        .env("AZR_CRASH_SEED", random.below(u64::MAX).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut acknowledged = 0;
    let mut hear = |line: Option<std::io::Result<String>>| {
        if let Some(number) = line.and_then(Result::ok).and_then(|line| line.parse().ok()) {
            acknowledged = number;
        }
    };
    for _ in 0..random.below(12) {
        hear(lines.next());
    }
    // Some way into whatever the child does next.
    for _ in 0..random.below(200_000) {
        std::hint::spin_loop();
    }
    child.kill().expect("the child can be killed");
    child.wait().expect("the child ends");
    // What it had said before the end counts.
    lines.for_each(|line| hear(Some(line)));
    acknowledged
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    None,
    Truncate,
    Flip,
}

/// Hurt one file of the folder.
fn hurt(folder: &Path, harm: Harm, random: &mut Random) -> String {
    let files: Vec<_> = common::files(folder).into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    if harm == Harm::None || files.is_empty() {
        return String::new();
    }
    let (name, mut bytes) = files[usize::try_from(random.below(files.len() as u64)).expect("small")].clone();
    let at = usize::try_from(random.below(bytes.len() as u64)).expect("small");
    if harm == Harm::Truncate {
        bytes.truncate(at);
    } else {
        bytes[at] ^= 1 << random.below(8);
    }
    std::fs::write(folder.join(&name), bytes).expect("it can be written");
    format!("{harm:?} {name} at byte {at}")
}

/// Open what is left; true if it opened.
fn check(folder: &Path, acknowledged: u64, what: &str, harm: Harm) -> bool {
    let (buffer, report) = match TaskBuffer::open(folder, small(), Open::default()) {
        Ok(opened) => opened,
        Err(
            error @ (Error::Damaged { .. }
            | Error::Lost { .. }
            | Error::Foreign { .. }
            | Error::Newer { .. }
            | Error::Missing { .. }),
        ) => {
            assert!(harm != Harm::None, "a buffer that nobody hurt does not open: {error}");
            return false;
        }
        Err(error) => panic!("{what}: {error}"),
    };
    assert!(buffer.len() >= acknowledged, "{what}: {} tasks of {acknowledged} acknowledged; {report:?}", buffer.len());
    for id in buffer.ids() {
        assert_eq!(buffer.get(id).expect("it is there"), task(id), "{what}: task {id} is not what was written");
    }
    assert_eq!(buffer.ids().count() as u64, buffer.len(), "{what}: no task is missing");
    let id = buffer.len();
    assert_eq!(buffer.insert(&task(id)).expect("it can be written"), Ok(id), "{what}");
    buffer.commit().expect("it can be written");
    true
}

fn main() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("AZR_CRASH_SEED").unwrap_or(1);
    if let Some(folder) = std::env::var_os("AZR_CRASH_CHILD") {
        return child(Path::new(&folder), seed);
    }
    let rounds = number("AZR_CRASH_ROUNDS").unwrap_or(64);
    let mut random = Random(seed);
    let (mut done, mut kills, mut opened, mut refused, mut tasks) = (0, 0, 0, 0, 0_u64);
    while done < rounds {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let acknowledged = kill_a_child(folder.path(), &mut random);
        kills += 1;
        tasks += acknowledged;
        for round in 0..ROUNDS_A_KILL.min(rounds - done) {
            let harm = match round {
                0 => Harm::None,
                round if round % 2 == 0 => Harm::Truncate,
                _ => Harm::Flip,
            };
            let left = tempfile::tempdir().expect("a folder can be made");
            copy(folder.path(), left.path());
            let what = format!("seed {seed}, round {done}: {}", hurt(left.path(), harm, &mut random));
            if check(left.path(), acknowledged, &what, harm) {
                opened += 1;
            } else {
                refused += 1;
            }
            done += 1;
        }
    }
    let mut out = std::io::stdout();
    let summary = format!(
        "{{\"rounds\": {done}, \"kills\": {kills}, \"acknowledged\": {tasks}, \"opened\": {opened}, \"refused\": {refused}, \
         \"lost\": 0, \"silently_wrong\": 0}}"
    );
    writeln!(out, "{summary}").expect("standard output can be written");
}
