//! What the buffer promises while it lives: no loss, no duplicate, the newest served, batches that repeat.

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use azr_buffer::{Cap, Error, Kind, Level, Policy, Rejected, Request, Solved, Strategy, Task, TaskBuffer};
use common::task;

fn memory(level: Level, cap: Cap) -> TaskBuffer {
    TaskBuffer::in_memory(common::options().with_level(level).with_cap(cap))
}

fn uniform(count: usize, seed: u64) -> Request<'static> {
    Request { kinds: &[], count, strategy: Strategy::Uniform, seed, exclude: &[] }
}

#[test]
fn each_level_rejects_what_it_should_and_says_which() {
    let made = |kind: Kind, program: &str, input: &str, behaviour: Option<u128>| {
        let mut task = Task::new(kind, program, input);
        task.behaviour = behaviour;
        task
    };
    let first = made(Kind::DEDUCTION, "def f(x): return x + 1", "[1, 2]", Some(9));
    let spaced = made(Kind::DEDUCTION, "def f(x):  return x + 1", "[1, 2]", Some(9));
    let renamed = made(Kind::DEDUCTION, "def f(y): return y + 1", "[1,2]", Some(9));
    let alike = made(Kind::DEDUCTION, "def f(x): return 1 + x", "[1, 2]", Some(9));
    let other = made(Kind::DEDUCTION, "def f(x): return x + 1", "[1, 3]", None);
    let abducted = made(Kind::ABDUCTION, "def f(x): return x + 1", "[1, 2]", Some(9));
    for (level, caught) in [(Level::Exact, 1), (Level::Canonical, 3), (Level::Behaviour, 4)] {
        let buffer = memory(level, Cap::NONE);
        let insert = |task: &Task| buffer.insert(task).expect("memory can be written");
        assert_eq!(insert(&first), Ok(0));
        let found = [Level::Exact, Level::Canonical, Level::Canonical, Level::Behaviour];
        for (index, task) in [&first, &spaced, &renamed, &alike].into_iter().enumerate() {
            if index < caught {
                assert_eq!(insert(task), Err(Rejected::Duplicate { level: found[index], of: 0 }), "{level:?}");
            } else {
                assert!(insert(task).is_ok());
            }
        }
        assert!(insert(&other).is_ok());
        assert!(insert(&abducted).is_ok(), "a task of another kind is another task");
    }
}

#[test]
fn a_program_without_a_canonical_form_is_rejected_not_an_error() {
    let buffer = memory(Level::Canonical, Cap::NONE);
    let verdict = buffer.insert(&Task::new(Kind::DEDUCTION, "def f(:", "1")).expect("memory can be written");
    assert!(matches!(verdict, Err(Rejected::Invalid(_))));
    let exact = memory(Level::Exact, Cap::NONE);
    assert_eq!(exact.insert(&Task::new(Kind::DEDUCTION, "def f(:", "1")).expect("memory can be written"), Ok(0));
}

#[test]
fn a_task_that_no_record_can_hold_is_rejected() {
    let buffer = memory(Level::Exact, Cap::NONE);
    let mut huge = task(1);
    huge.message = "x".repeat(65 << 20);
    assert!(matches!(buffer.insert(&huge).expect("memory can be written"), Err(Rejected::TooLarge { .. })));
    assert!(matches!(buffer.commit(), Err(Error::NoLog)));
}

/// Threads insert overlapping tasks, read and sample, all at once.
fn stress(level: Level, threads: u64, each: u64, overlap: u64) {
    let buffer = memory(level, Cap { tasks: each, policy: Policy::Newest });
    let (accepted, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..threads)
            .map(|thread| {
                let (buffer, accepted, refused) = (&buffer, &accepted, &refused);
                scope.spawn(move || {
                    for index in 0..each {
                        let number = thread * (each - overlap) + index;
                        match buffer.insert(&task(number)).expect("memory can be written") {
                            Ok(id) => {
                                assert_eq!(buffer.get(id).expect("visible at once"), task(number));
                                accepted.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(Rejected::Duplicate { of, .. }) => {
                                assert_eq!(buffer.get(of).expect("visible to who is refused"), task(number));
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(other) => panic!("{other}"),
                        }
                        if index % 16 == 0 {
                            let id = index % buffer.len();
                            buffer
                                .record_solved(id, Solved { step: 1, successes: 1, attempts: 2 })
                                .expect("it is there");
                            buffer.mark_served(&[id]).expect("it is there");
                        }
                    }
                })
            })
            .collect();
        for seed in 0..2 {
            let (buffer, done) = (&buffer, &done);
            scope.spawn(move || {
                let mut seed = seed;
                while !done.load(Ordering::Relaxed) {
                    let before = buffer.len();
                    let batch = buffer.sample(&uniform(16, seed));
                    assert!(batch.len() as u64 >= before.min(16).min(each));
                    assert!(batch.iter().all(|id| buffer.get(*id).is_ok()));
                    seed += 2;
                }
            });
        }
        for writer in writers {
            writer.join().expect("no writer panics");
        }
        done.store(true, Ordering::Relaxed);
    });
    let distinct = threads * (each - overlap) + overlap;
    assert_eq!(buffer.len(), distinct, "no loss, no duplicate, no id without a task");
    assert_eq!(accepted.into_inner(), distinct);
    assert_eq!(refused.into_inner(), threads * each - distinct);
    let programs: BTreeSet<String> = buffer.ids().map(|id| buffer.get(id).expect("dense").program).collect();
    assert_eq!(programs.len() as u64, distinct);
    assert_eq!(common::kinds().map(|kind| buffer.count(&kind)).iter().sum::<u64>(), distinct);
    let history: usize = buffer.ids().map(|id| buffer.state(id).expect("dense").history.len()).sum();
    assert_eq!(history as u64, threads * each.div_ceil(16));
    let served: u64 = buffer.ids().map(|id| buffer.state(id).expect("dense").served).sum();
    assert_eq!(served, threads * each.div_ceil(16));
}

#[test]
fn eight_threads_lose_nothing_and_add_nothing_twice() {
    let each = if cfg!(miri) { 12 } else { 3000 };
    stress(Level::Exact, if cfg!(miri) { 3 } else { 8 }, each, each / 2);
}

#[cfg(not(miri))]
#[test]
fn eight_threads_agree_on_canonical_and_behavioural_duplicates() {
    stress(Level::Canonical, 8, 400, 200);
    stress(Level::Behaviour, 8, 400, 200);
}

#[test]
fn ids_of_a_batch_follow_its_order_whatever_the_threads() {
    let tasks: Vec<Task> = (0..100).map(|number| task(number / 2)).collect();
    for threads in [1, 3, 8] {
        let buffer = memory(Level::Canonical, Cap::NONE);
        let verdicts = buffer.insert_many(&tasks, threads).expect("memory can be written");
        for (index, verdict) in verdicts.iter().enumerate() {
            let number = index as u64 / 2;
            match index % 2 {
                0 => assert_eq!(*verdict, Ok(number)),
                _ => assert_eq!(*verdict, Err(Rejected::Duplicate { level: Level::Exact, of: number })),
            }
        }
    }
}

#[test]
fn after_overflow_the_newest_task_is_served_and_the_window_is_right() {
    let buffer = memory(Level::Exact, Cap { tasks: 50, policy: Policy::Newest });
    for number in 0..1000_u32 {
        let mut task = Task::new(Kind::DEDUCTION, "def f(x): return x", number.to_string());
        task.step = number / 10;
        let id = buffer.insert(&task).expect("memory can be written").expect("it is new");
        let newest = buffer.sample(&Request { strategy: Strategy::MaxNew { since: number / 10 }, ..uniform(10, 1) });
        assert!(newest.contains(&id), "the newest task is in the recent window");
        assert!(
            newest
                .iter()
                .take(usize::try_from(number % 10).expect("small"))
                .all(|id| *id >= u64::from(number - number % 10))
        );
        assert!(buffer.state(id).expect("it is there").servable);
    }
    assert_eq!(buffer.servable(&Kind::DEDUCTION), 50);
    let mut all = buffer.sample(&uniform(1000, 3));
    all.sort_unstable();
    assert_eq!(all, (950..1000).collect::<Vec<_>>());
    assert!(!buffer.state(949).expect("evicted tasks can be read").servable);
    // Each of the served is drawn about as often as the others.
    let mut drawn = [0_u32; 50];
    for seed in 0..2000 {
        for id in buffer.sample(&uniform(5, seed)) {
            drawn[usize::try_from(id - 950).expect("small")] += 1;
        }
    }
    assert!(drawn.iter().all(|count| (130..280).contains(count)), "{drawn:?}");
}

#[test]
fn a_reservoir_keeps_a_uniform_sample_of_all_that_there_were() {
    let buffer = memory(Level::Exact, Cap { tasks: 200, policy: Policy::Reservoir });
    for number in 0..4000_u32 {
        let task = Task::new(Kind::DEDUCTION, "def f(x): return x", number.to_string());
        buffer.insert(&task).expect("memory can be written").expect("it is new");
    }
    let served = buffer.sample(&uniform(4000, 0));
    assert_eq!(served.len(), 200);
    let mean = served.iter().sum::<u64>() as f64 / 200.0;
    assert!((mean - 2000.0).abs() < 350.0, "{mean}");
    assert!(served.iter().all(|id| buffer.state(*id).expect("it is there").servable));
}

#[test]
fn a_union_of_kinds_is_drawn_from_both() {
    let buffer = memory(Level::Exact, Cap::NONE);
    for number in 0..400 {
        buffer.insert(&task(number)).expect("memory can be written").expect("it is new");
    }
    let kinds = [Kind::ABDUCTION, Kind::DEDUCTION];
    let batch = buffer.sample(&Request { kinds: &kinds, ..uniform(120, 1) });
    assert_eq!(batch.len(), 120);
    assert!(batch.iter().all(|id| kinds.contains(&buffer.get(*id).expect("it is there").kind)));
    let swapped = buffer.sample(&Request { kinds: &[Kind::DEDUCTION, Kind::ABDUCTION], ..uniform(120, 1) });
    assert_eq!(batch, swapped, "the order in which kinds are asked for does not matter");
}

#[test]
fn only_measurements_that_can_be_are_recorded() {
    let buffer = memory(Level::Exact, Cap::NONE);
    buffer.insert(&task(0)).expect("memory can be written").expect("it is new");
    let solved = |successes, attempts| buffer.record_solved(0, Solved { step: 1, successes, attempts });
    assert!(matches!(solved(1, 0), Err(Error::BadRate { .. })));
    assert!(matches!(solved(3, 2), Err(Error::BadRate { .. })));
    assert!(matches!(
        buffer.record_solved(1, Solved { step: 1, successes: 1, attempts: 1 }),
        Err(Error::NoSuchTask { id: 1, len: 1 })
    ));
    assert_eq!(buffer.solve_rate(0).expect("it is there"), None);
    solved(1, 4).expect("it can be");
    solved(1, 4).expect("it can be");
    assert_eq!(buffer.solve_rate(0).expect("it is there"), Some(0.25));
    buffer.record_solved(0, Solved { step: 2, successes: 3, attempts: 4 }).expect("it can be");
    buffer.record_solved(0, Solved { step: 1, successes: 0, attempts: 60_000 }).expect("it can be");
    assert_eq!(buffer.solve_rate(0).expect("it is there"), Some(0.75), "the last step counts");
}

#[test]
fn quarantine_and_exclusion_are_two_flags() {
    let buffer = memory(Level::Exact, Cap::NONE);
    let id = buffer.insert(&task(1)).expect("it can be written").expect("it is new");
    let flags = || {
        let state = buffer.state(id).expect("it is there");
        (state.quarantined, state.excluded, buffer.drawable(&buffer.get(id).expect("it is there").kind))
    };
    assert_eq!(flags(), (false, false, 1));
    buffer.exclude(id).expect("it is there");
    assert_eq!(flags(), (false, true, 0));
    buffer.quarantine(id, true).expect("it is there");
    buffer.quarantine(id, false).expect("it is there");
    assert_eq!(flags(), (false, true, 0), "who releases a task does not undo its exclusion");
    assert!(buffer.sample(&uniform(1, 1)).is_empty());
    assert!(matches!(buffer.exclude(7), Err(Error::NoSuchTask { id: 7, len: 1 })));
}
