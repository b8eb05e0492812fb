//! The log: what was committed is there again, and damage is told, never guessed at.

mod common;

use std::cell::Cell;
use std::fs;
use std::path::Path;

use azr_buffer::{
    Access, Cap, Error, GroupCommit, Kind, Level, Open, Options, Policy, Report, Request, Solved, Strategy, TaskBuffer,
};
use common::{contents, copy, files, filled, open, options, task};

fn try_open(folder: &Path, how: Open) -> Result<(std::sync::Arc<TaskBuffer>, Report), Error> {
    TaskBuffer::open(folder, options(), how)
}

const READ: Open = Open::READ;
const SALVAGE: Open = Open::WRITE.with_salvage();

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

fn segment(folder: &Path) -> std::path::PathBuf {
    folder.join("segment-00000001-00000000.azrlog")
}

fn append(path: &Path, bytes: &[u8]) {
    let mut old = fs::read(path).expect("the file can be read");
    old.extend_from_slice(bytes);
    fs::write(path, old).expect("the file can be written");
}

/// Opening fails in this way, for writers and readers, and changes nothing.
#[track_caller]
fn refused(folder: &Path, is: impl Fn(&Error) -> bool) {
    let before = files(folder);
    for how in [Open::default(), READ] {
        let error = try_open(folder, how).expect_err("the buffer does not open");
        assert!(is(&error), "{error}");
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(files(folder), before, "nothing was changed");
}

#[test]
fn what_was_committed_is_there_again() {
    let at = folder();
    let buffer = open(at.path());
    for number in 0..100 {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
    }
    buffer.record_solved(7, Solved { step: 3, successes: 2, attempts: 8 }).expect("it is there");
    buffer.record_solved(7, Solved { step: 2, successes: 1, attempts: 8 }).expect("it is there");
    buffer.mark_served(&[1, 2, 2]).expect("they are there");
    buffer.quarantine(5, true).expect("it is there");
    buffer.quarantine(6, true).expect("it is there");
    buffer.quarantine(6, false).expect("it is there");
    buffer.exclude(8).expect("it is there");
    let position = buffer.commit().expect("it can be written");
    let before = contents(&buffer);
    buffer.insert(&task(1000)).expect("it can be written").expect("it is new");
    drop(buffer);
    let (buffer, report) = try_open(at.path(), Open::default()).expect("it opens");
    assert_eq!(contents(&buffer), before, "what was not committed is gone, all else is there");
    assert_eq!((report.end, report.acknowledged, report.cut), (position, Some(position), None));
    assert_eq!(buffer.insert(&task(1000)).expect("it can be written"), Ok(100));
    assert!(buffer.insert(&task(50)).expect("it can be written").is_err(), "duplicates are known again");
}

#[test]
fn a_torn_tail_is_cut_at_whatever_byte_and_reported() {
    let at = folder();
    let position = filled(at.path(), 20);
    let committed = files(at.path());
    // A commit that died before it was acknowledged: its bytes are there in part.
    let buffer = open(at.path());
    let before = contents(&buffer);
    buffer.insert(&task(77)).expect("it can be written").expect("it is new");
    let after = buffer.commit().expect("it can be written");
    drop(buffer);
    let whole = fs::read(segment(at.path())).expect("the file can be read");
    let start = usize::try_from(position.offset).expect("small");
    for cut in (start..whole.len()).step_by(3) {
        for zeros in [0, 9] {
            let torn = folder();
            copy(at.path(), torn.path());
            fs::write(torn.path().join("ACKNOWLEDGED"), &committed["ACKNOWLEDGED"]).expect("it can be written");
            fs::write(segment(torn.path()), &whole[..cut]).expect("it can be written");
            append(&segment(torn.path()), &vec![0; zeros]);
            let (reader, report) = try_open(torn.path(), READ).expect("it opens");
            assert_eq!(contents(&reader), before);
            let (buffer, again) = try_open(torn.path(), Open::default()).expect("it opens");
            assert_eq!(contents(&buffer), before);
            assert_eq!(report.cut, again.cut);
            assert_eq!(again.end, position);
            if cut + zeros > start {
                let found = again.cut.expect("the tail is reported");
                assert_eq!((found.offset, found.bytes), (position.offset, (cut + zeros - start) as u64));
            }
            assert_eq!(fs::metadata(segment(torn.path())).expect("it is there").len(), position.offset);
            assert_eq!(buffer.insert(&task(78)).expect("it can be written"), Ok(20));
            buffer.commit().expect("it can be written");
            drop(buffer);
            assert_eq!(open(torn.path()).len(), 21);
        }
    }
    assert_eq!(after.tasks, 21);
}

#[test]
fn a_flipped_bit_is_reported_where_it_is_and_never_overwritten() {
    let at = folder();
    let buffer = open(at.path());
    let mut ends = vec![buffer.position().expect("it has a log").offset];
    for number in 0..12 {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
        ends.push(buffer.commit().expect("it can be written").offset);
    }
    let before = contents(&buffer);
    drop(buffer);
    let whole = fs::read(segment(at.path())).expect("the file can be read");
    for bit in 0..whole.len() * 8 {
        if bit % 41 != 0 && bit > 280 || bit % 5 != 0 {
            continue;
        }
        let hurt = folder();
        copy(at.path(), hurt.path());
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(segment(hurt.path()), &bytes).expect("it can be written");
        let byte = (bit / 8) as u64;
        if byte < ends[0] {
            refused(hurt.path(), |error| {
                matches!(error, Error::Damaged { .. } | Error::Foreign { .. } | Error::Newer { .. })
            });
            continue;
        }
        let record = ends.iter().rposition(|end| *end <= byte).expect("after the header");
        refused(hurt.path(), |error| match error {
            Error::Damaged { offset, tasks, .. } => (*offset, *tasks) == (ends[record], record as u64),
            _ => false,
        });
        let (buffer, report) = try_open(hurt.path(), SALVAGE).expect("it can be saved");
        assert!(
            contents(&buffer).into_iter().eq(before.clone().into_iter().take(record)),
            "everything before it is kept"
        );
        let aside = report.set_aside.first().expect("the rest is set aside");
        assert_eq!(fs::read(aside).expect("it is there"), bytes[usize::try_from(ends[record]).expect("small")..]);
    }
}

#[test]
fn a_log_that_is_shorter_than_what_was_acknowledged_is_an_error() {
    let at = folder();
    filled(at.path(), 10);
    let whole = fs::read(segment(at.path())).expect("the file can be read");
    for length in (0..whole.len()).step_by(11) {
        let cut = folder();
        copy(at.path(), cut.path());
        fs::write(segment(cut.path()), &whole[..length]).expect("it can be written");
        refused(cut.path(), |error| matches!(error, Error::Damaged { .. } | Error::Lost { .. }));
        let (buffer, _) = try_open(cut.path(), SALVAGE).expect("it can be saved");
        assert!(
            contents(&buffer)
                .into_iter()
                .eq(contents(&open(at.path())).into_iter().take(usize::try_from(buffer.len()).expect("small")))
        );
        drop(buffer);
        assert!(try_open(cut.path(), Open::default()).is_ok(), "what was saved opens again");
    }
}

#[test]
fn a_missing_segment_is_damage() {
    let at = folder();
    let small = options().with_segment_bytes(600);
    let (buffer, _) = TaskBuffer::open(at.path(), small, Open::default()).expect("it opens");
    for number in 0..30 {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
    }
    let end = buffer.commit().expect("it can be written");
    assert!(end.segment > 3, "{end}");
    drop(buffer);
    assert_eq!(open(at.path()).len(), 30);
    for gone in 0..=end.segment {
        let hurt = folder();
        copy(at.path(), hurt.path());
        fs::remove_file(hurt.path().join(format!("segment-00000001-{gone:08}.azrlog"))).expect("it is there");
        refused(hurt.path(), |error| matches!(error, Error::Damaged { .. } | Error::Lost { .. }));
    }
}

#[test]
fn other_peoples_files_and_newer_versions_are_left_alone() {
    let foreign = |error: &Error| matches!(error, Error::Foreign { .. });
    let at = folder();
    fs::write(at.path().join("thesis.txt"), "mine").expect("it can be written");
    let error = try_open(at.path(), Open::default()).expect_err("it is not ours");
    assert!(foreign(&error), "{error}");
    assert_eq!(files(at.path()).len(), 1, "nothing was made there");

    let at = folder();
    filled(at.path(), 3);
    fs::write(segment(at.path()), "x".repeat(500)).expect("it can be written");
    refused(at.path(), foreign);

    let at = folder();
    filled(at.path(), 3);
    fs::write(at.path().join("CURRENT"), "something else altogether").expect("it can be written");
    refused(at.path(), foreign);

    for (file, version_at) in [("CURRENT", 8), ("segment-00000001-00000000.azrlog", 8)] {
        let at = folder();
        filled(at.path(), 3);
        let path = at.path().join(file);
        let mut bytes = fs::read(&path).expect("it is there");
        bytes[version_at] = 4;
        fs::write(&path, bytes).expect("it can be written");
        refused(at.path(), |error| matches!(error, Error::Newer { found: 4, known: 3, .. }));
    }
    let at = folder();
    assert!(matches!(try_open(&at.path().join("no"), READ), Err(Error::Missing { .. })));
    assert!(matches!(try_open(at.path(), READ), Err(Error::Missing { .. })));
    assert!(matches!(try_open(at.path(), READ.with_access(Access::Existing)), Err(Error::Missing { .. })));
}

#[test]
fn every_flipped_bit_of_the_small_files_is_noticed_or_harmless() {
    let at = folder();
    let position = filled(at.path(), 5);
    let before = contents(&open(at.path()));
    for name in ["CURRENT", "ACKNOWLEDGED"] {
        let whole = files(at.path())[name].clone();
        for bit in (0..whole.len() * 8).step_by(3) {
            let hurt = folder();
            copy(at.path(), hurt.path());
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(hurt.path().join(name), bytes).expect("it can be written");
            match try_open(hurt.path(), Open::default()) {
                Ok((buffer, report)) => {
                    assert_eq!((contents(&buffer), report.end), (before.clone(), position));
                }
                Err(error) => assert!(name == "CURRENT", "{error}"),
            }
        }
    }
}

#[test]
fn without_the_note_of_what_was_acknowledged_a_bad_tail_is_damage() {
    let at = folder();
    filled(at.path(), 5);
    fs::write(at.path().join("ACKNOWLEDGED"), [7; 96]).expect("it can be written");
    let (buffer, report) = try_open(at.path(), READ).expect("the log itself is whole");
    assert_eq!((buffer.len(), report.acknowledged), (5, None));
    append(&segment(at.path()), b"torn");
    refused(at.path(), |error| matches!(error, Error::Damaged { tasks: 5, .. }));
}

#[test]
fn the_second_writer_is_told_who_holds_the_buffer_and_readers_are_not_stopped() {
    let at = folder();
    let buffer = open(at.path());
    buffer.insert(&task(0)).expect("it can be written").expect("it is new");
    buffer.commit().expect("it can be written");
    match try_open(at.path(), Open::default()) {
        Err(Error::InUse { holder, .. }) => {
            assert!(holder.contains(&format!("process {}", std::process::id())), "{holder}")
        }
        other => panic!("{other:?}"),
    }
    let (reader, _) = try_open(at.path(), READ).expect("a reader may");
    assert_eq!(contents(&reader), contents(&buffer));
    assert!(matches!(reader.insert(&task(1)), Err(Error::ReadOnly)));
    assert!(matches!(reader.commit(), Err(Error::ReadOnly)));
    assert!(matches!(reader.mark_served(&[0]), Err(Error::ReadOnly)));
    assert!(matches!(reader.compact(&|| false), Err(Error::ReadOnly)));
    drop(buffer);
    assert!(try_open(at.path(), Open::default()).is_ok(), "the lock goes with its holder");
}

#[test]
fn a_position_restores_exactly_its_state_and_sets_the_rest_aside() {
    let at = folder();
    let small = || options().with_segment_bytes(900);
    let (buffer, _) = TaskBuffer::open(at.path(), small(), Open::default()).expect("it opens");
    let mut saved = Vec::new();
    for number in 0..30 {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
        buffer.record_solved(number / 2, Solved { step: 1, successes: 1, attempts: 2 }).expect("it is there");
        saved.push((buffer.commit().expect("it can be written"), contents(&buffer)));
    }
    drop(buffer);
    let whole = folder();
    copy(at.path(), whole.path());
    for (position, state) in saved.iter().rev() {
        let parsed = position.to_string().parse().expect("a position survives its text");
        let how = Open::WRITE.at(parsed);
        let reader = TaskBuffer::open(whole.path(), small(), how.with_access(Access::Read)).expect("it opens").0;
        assert_eq!(contents(&reader), *state);
        let (buffer, report) = TaskBuffer::open(at.path(), small(), how).expect("it opens");
        assert_eq!((contents(&buffer), report.end), (state.clone(), *position));
        drop(buffer);
        assert_eq!(contents(&open(at.path())), *state, "and it stays so");
    }
    // All that was cut is in the files that were set aside.
    let aside: usize =
        files(at.path()).iter().filter(|(name, _)| name.starts_with("set-aside")).map(|(_, bytes)| bytes.len()).sum();
    assert!(aside > 0);
    let numbered = azr_buffer::Position::from_number(saved[5].0.to_number());
    assert_eq!(numbered, saved[5].0);
    assert_eq!(azr_buffer::Position::from_number(0), azr_buffer::Position::START);
    let mut wrong = saved[3].0;
    wrong.offset += 1;
    for position in
        [wrong, azr_buffer::Position { tasks: 99, ..saved[3].0 }, azr_buffer::Position { generation: 2, ..saved[3].0 }]
    {
        let before = files(whole.path());
        let result = TaskBuffer::open(whole.path(), small(), Open::WRITE.at(position));
        assert!(matches!(result, Err(Error::NoSuchPosition { .. })), "{result:?}");
        assert_eq!(files(whole.path()), before);
    }
    assert!(matches!("1.2.x".parse::<azr_buffer::Position>(), Err(azr_buffer::BadPosition { .. })));
}

#[test]
fn the_start_is_a_position_of_every_log() {
    let at = folder();
    let how = Open::WRITE.at(azr_buffer::Position::START);
    assert_eq!(try_open(at.path(), how).expect("it opens").0.len(), 0);
    filled(at.path(), 5);
    let (buffer, report) = try_open(at.path(), how).expect("it opens");
    assert_eq!((buffer.len(), report.set_aside.len()), (0, 1));
}

fn with_cap(folder: &Path, cap: u64, policy: Policy) -> std::sync::Arc<TaskBuffer> {
    let cap = Cap { tasks: cap, policy };
    TaskBuffer::open(folder, options().with_cap(cap).with_segment_bytes(3000), Open::default()).expect("it opens").0
}

#[test]
fn compaction_drops_what_is_evicted_and_keeps_all_else() {
    for policy in [Policy::Newest, Policy::Reservoir] {
        let at = folder();
        let buffer = with_cap(at.path(), 5, policy);
        for round in 0..4 {
            for number in round * 50..(round + 1) * 50 {
                let id = buffer.insert(&task(number)).expect("it can be written").expect("it is new");
                buffer.record_solved(id, Solved { step: 1, successes: 1, attempts: 2 }).expect("it is there");
                buffer.mark_served(&[id]).expect("it is there");
            }
            buffer.quarantine(round * 50 + 49, true).expect("it is there");
            buffer.exclude(round * 50 + 48).expect("it is there");
            let old = buffer.commit().expect("it can be written");
            let size = |folder: &Path| files(folder).values().map(Vec::len).sum::<usize>();
            let before = size(at.path());
            let position = buffer.compact(&|| false).expect("it can be written");
            assert!(size(at.path()) < before && position.generation == old.generation + 1);
            let expected: std::collections::BTreeMap<_, _> =
                contents(&buffer).into_iter().filter(|(_, (_, state))| state.servable).collect();
            assert_eq!(expected.len(), 20, "five of each kind");
            let reopened = {
                let (reader, report) = TaskBuffer::open(at.path(), buffer.options().clone(), READ).expect("it opens");
                assert_eq!(report.end, position);
                contents(&reader)
            };
            assert_eq!(reopened, expected);
            let stale = TaskBuffer::open(at.path(), options(), READ.at(old));
            assert!(matches!(stale, Err(Error::NoSuchPosition { .. })));
        }
        drop(buffer);
        let buffer = with_cap(at.path(), 5, policy);
        assert_eq!(buffer.insert(&task(5000)).expect("it can be written"), Ok(200), "ids go on");
        assert!(matches!(buffer.get(0), Err(Error::NoSuchTask { .. })) || buffer.state(0).expect("present").servable);
        if policy == Policy::Newest {
            assert_eq!(buffer.insert(&task(0)).expect("it can be written"), Ok(201), "a forgotten task may come again");
        }
        // A second compaction over the holes of the first.
        buffer.compact(&|| false).expect("it can be written");
        drop(buffer);
        let buffer = with_cap(at.path(), 5, policy);
        assert_eq!(common::kinds().map(|kind| buffer.servable(&kind)), [5; 4]);
    }
}

#[test]
fn a_reservoir_is_the_same_with_and_without_compaction() {
    let (plain, compacted) = (folder(), folder());
    let served = |folder: &Path, compact: bool| {
        let mut buffer = with_cap(folder, 8, Policy::Reservoir);
        for number in 0..400 {
            buffer.insert(&task(number)).expect("it can be written").expect("it is new");
            if compact && number % 90 == 89 {
                buffer.compact(&|| false).expect("it can be written");
                drop(buffer);
                buffer = with_cap(folder, 8, Policy::Reservoir);
            }
        }
        buffer.ids().filter(|id| buffer.state(*id).expect("it is there").servable).collect::<Vec<_>>()
    };
    assert_eq!(served(plain.path(), false), served(compacted.path(), true));
}

#[test]
fn an_interrupted_compaction_leaves_the_old_log() {
    let at = folder();
    let buffer = with_cap(at.path(), 5, Policy::Newest);
    for number in 0..200 {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
    }
    buffer.commit().expect("it can be written");
    let (state, before) = (contents(&buffer), files(at.path()));
    for rounds in 0..3 {
        let asked = Cell::new(0);
        let stop = || asked.replace(asked.get() + 1) >= rounds;
        if let Err(error) = buffer.compact(&stop) {
            assert!(matches!(error, Error::Interrupted), "{error}");
            assert_eq!(files(at.path()), before);
            buffer.commit().expect("the old log can still be written");
        }
    }
    drop(buffer);
    let buffer = with_cap(at.path(), 1000, Policy::Newest);
    assert!(buffer.len() == 200 && state.len() == 200);
}

#[test]
fn a_crash_while_a_buffer_or_a_segment_is_made_is_no_damage() {
    let at = folder();
    drop(open(at.path()));
    let whole = files(at.path());
    for length in 0..32 {
        let torn = folder();
        copy(at.path(), torn.path());
        fs::write(segment(torn.path()), &whole["segment-00000001-00000000.azrlog"][..length])
            .expect("it can be written");
        assert_eq!(filled(torn.path(), 3).tasks, 3, "it goes on");
        // The next segment, begun and not finished.
        let next = torn.path().join("segment-00000001-00000001.azrlog");
        fs::write(next, &whole["segment-00000001-00000000.azrlog"][..length]).expect("it can be written");
        assert_eq!(open(torn.path()).len(), 3);
    }
    // Before the first segment, and before `CURRENT`.
    for kept in [vec!["CURRENT", "ACKNOWLEDGED"], vec!["ACKNOWLEDGED"], vec![]] {
        let torn = folder();
        for name in kept {
            fs::write(torn.path().join(name), &whole[name]).expect("it can be written");
        }
        assert_eq!(filled(torn.path(), 3).tasks, 3);
    }
}

/// The process dies between any two changes of the folder that compaction makes.
#[test]
fn a_crash_within_compaction_leaves_one_whole_log() {
    let at = folder();
    let buffer = with_cap(at.path(), 5, Policy::Newest);
    for number in 0..100 {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
    }
    buffer.commit().expect("it can be written");
    let old = files(at.path());
    buffer.compact(&|| false).expect("it can be written");
    drop(buffer);
    let new = files(at.path());
    let new_segments: Vec<_> = new.iter().filter(|(name, _)| name.starts_with("segment")).collect();
    let reopened = |files: Vec<(&String, &[u8])>| {
        let crashed = folder();
        for (name, bytes) in files {
            fs::write(crashed.path().join(name), bytes).expect("it can be written");
        }
        let buffer = with_cap(crashed.path(), 5, Policy::Newest);
        let left: Vec<_> =
            common::files(crashed.path()).into_keys().filter(|name| name.starts_with("segment")).collect();
        let generations: std::collections::BTreeSet<_> = left.iter().map(|name| name[..16].to_owned()).collect();
        assert_eq!(generations.len(), 1, "the other generation is removed");
        common::kinds().iter().map(|kind| buffer.servable(kind)).collect::<Vec<_>>()
    };
    // Before the switch: some of the new segments, the last one in part, with the old or the new note.
    for count in 0..=new_segments.len() {
        for acknowledged in [&old, &new] {
            let mut files: Vec<(&String, &[u8])> = old.iter().map(|(name, bytes)| (name, bytes.as_slice())).collect();
            files.retain(|(name, _)| *name != "ACKNOWLEDGED");
            let name = old.keys().find(|name| *name == "ACKNOWLEDGED").expect("it is there");
            files.push((name, &acknowledged["ACKNOWLEDGED"]));
            for (index, (name, bytes)) in new_segments.iter().take(count).enumerate() {
                let part = if index + 1 == count { bytes.len() / 2 } else { bytes.len() };
                files.push((name, &bytes[..part]));
            }
            assert_eq!(reopened(files), [5; 4]);
        }
    }
    // After it: some of the old segments are still there.
    let mut files: Vec<(&String, &[u8])> = new.iter().map(|(name, bytes)| (name, bytes.as_slice())).collect();
    for (name, bytes) in old.iter().filter(|(name, _)| name.starts_with("segment")) {
        files.push((name, bytes));
        assert_eq!(reopened(files.clone()), [5; 4]);
    }
}

#[test]
fn a_log_is_read_under_other_options_than_it_was_written() {
    let at = folder();
    let exact = options().with_level(Level::Exact);
    let (buffer, _) = TaskBuffer::open(at.path(), exact, Open::default()).expect("it opens");
    let spelt = |program: &str| azr_buffer::Task::new(Kind::DEDUCTION, program, "1");
    for program in ["def f(x): return x", "def f(y): return y", "def f(:"] {
        buffer.insert(&spelt(program)).expect("it can be written").expect("it is new as text");
    }
    buffer.commit().expect("it can be written");
    drop(buffer);
    let similar = options().with_similarity(true);
    let (buffer, _) = TaskBuffer::open(at.path(), similar, Open::default()).expect("it opens");
    assert_eq!(buffer.len(), 3, "what was accepted stays");
    let verdict = buffer.insert(&spelt("def f(z): return z")).expect("it can be written");
    assert_eq!(verdict, Err(azr_buffer::Rejected::Duplicate { level: Level::Canonical, of: 0 }));
    let found = buffer.neighbours("def f(k): return k", 0.9, None).expect("it parses").expect("there is an index");
    assert!(found.nearest.is_some_and(|(_, similar)| similar > 0.99));
}

#[test]
fn commits_in_the_background_come_after_so_many_tasks() {
    let at = folder();
    let group_commit = GroupCommit { tasks: 10, interval: std::time::Duration::from_secs(3600) };
    let (buffer, _) =
        TaskBuffer::open(at.path(), options().with_group_commit(group_commit), Open::default()).expect("it opens");
    for number in 0..10 {
        buffer.insert(&task(number)).expect("it can be written").expect("it is new");
    }
    while buffer.durable() < 10 {
        std::thread::yield_now();
    }
    assert_eq!(try_open(at.path(), READ).expect("it opens").0.len(), 10);
    buffer.insert(&task(10)).expect("it can be written").expect("it is new");
    drop(buffer);
    assert_eq!(open(at.path()).len(), 11, "the last ones are committed when the buffer is dropped");
}

/// Written by version 1, which had four kinds and counted them by number: 24 tasks of cap 2, compacted after 20.
fn version_1() -> tempfile::TempDir {
    let at = folder();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/version-1");
    for entry in fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("it is there");
        fs::copy(entry.path(), at.path().join(entry.file_name())).expect("it can be copied");
    }
    at
}

#[test]
fn a_log_of_version_1_is_read_as_it_was_written() {
    let at = version_1();
    let before = files(at.path());
    let options = Options::default().with_cap(Cap { tasks: 2, policy: Policy::Newest });
    let (buffer, report) = TaskBuffer::open(at.path(), options, READ).expect("it opens");
    assert_eq!((buffer.len(), report.cut), (24, None));
    assert_eq!(buffer.ids().collect::<Vec<_>>(), (12..24).collect::<Vec<_>>());
    let numbered = [Kind::DEDUCTION, Kind::ABDUCTION, Kind::INDUCTION, Kind::ERROR];
    assert_eq!(buffer.kinds(), numbered);
    assert_eq!(
        numbered.each_ref().map(|kind| (buffer.count(kind), buffer.drawable(kind))),
        [(3, 1), (3, 2), (3, 2), (3, 2)]
    );
    let request = Request { kinds: &[], count: 8, strategy: Strategy::Uniform, seed: 7, exclude: &[] };
    assert_eq!(buffer.sample(&request), [19, 21, 17, 20, 18, 23, 22], "the same seed gives the same batch");
    assert_eq!(buffer.solve_rate(19).expect("it is there"), Some(0.5));
    assert!(buffer.state(16).expect("it is there").quarantined);
    assert_eq!(files(at.path()), before, "reading changes nothing");
}

#[test]
fn a_log_of_version_1_takes_kinds_of_any_name_and_older_versions_then_refuse_it() {
    let at = version_1();
    let names: Vec<Kind> = (0..40).map(|number| Kind::new(format!("chess/{number}")).expect("a name")).collect();
    {
        let (buffer, _) = try_open(at.path(), Open::default()).expect("it opens");
        for (number, kind) in names.iter().enumerate() {
            let task = azr_buffer::Task::new(kind.clone(), "def f(x): return x", number.to_string());
            buffer.insert(&task).expect("it can be written").expect("it is new");
        }
        buffer.commit().expect("it can be written");
        buffer.compact(&|| false).expect("it can be written");
    }
    let current = fs::read(at.path().join("CURRENT")).expect("it is there");
    assert_eq!(current[8..12], 3_u32.to_le_bytes(), "version 1 reads no further than this");
    let (buffer, _) = try_open(at.path(), Open::default()).expect("it opens");
    assert!(names.iter().all(|kind| buffer.count(kind) == 1));
    assert_eq!(buffer.kinds().len(), 44);
    let same = azr_buffer::Task::new(names[7].clone(), "def f(y): return y", "7");
    assert!(buffer.insert(&same).expect("it can be written").is_err(), "a duplicate, of the same kind");
    let other = azr_buffer::Task::new(names[8].clone(), "def f(y): return y", "7");
    assert!(buffer.insert(&other).expect("it can be written").is_ok(), "of another kind it is another task");
}
