//! Any sequence of operations, against a plain model.

mod common;

use std::collections::BTreeMap;

use azr_buffer::{
    Cap, Kind, Level, Open, Policy, Position, Rejected, Request, Solved, State, Strategy as Draw, Task, TaskBuffer,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Op {
    /// A program of one of a few classes, spelt in one of a few ways.
    Insert {
        class: u8,
        spelling: u8,
        behaviour: u8,
        step: u8,
    },
    Solve {
        pick: u16,
        step: u8,
        successes: u8,
    },
    Serve {
        pick: u16,
    },
    Hold {
        pick: u16,
        held: bool,
    },
    Exclude {
        pick: u16,
    },
    Sample {
        count: u8,
        strategy: u8,
        seed: u8,
    },
    Commit,
    Reopen,
    Forget,
    Rewind,
    Compact,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        12 => (0..24_u8, 0..3_u8, 0..6_u8, 0..8_u8)
            .prop_map(|(class, spelling, behaviour, step)| Op::Insert { class, spelling, behaviour, step }),
        3 => (any::<u16>(), 0..8_u8, 0..=8_u8).prop_map(|(pick, step, successes)| Op::Solve { pick, step, successes }),
        2 => any::<u16>().prop_map(|pick| Op::Serve { pick }),
        2 => (any::<u16>(), any::<bool>()).prop_map(|(pick, held)| Op::Hold { pick, held }),
        1 => any::<u16>().prop_map(|pick| Op::Exclude { pick }),
        4 => (any::<u8>(), 0..6_u8, any::<u8>()).prop_map(|(count, strategy, seed)| Op::Sample { count, strategy, seed }),
        3 => Just(Op::Commit),
        1 => Just(Op::Reopen),
        1 => Just(Op::Forget),
        1 => Just(Op::Rewind),
        1 => Just(Op::Compact),
    ];
    prop::collection::vec(op, 1..80)
}

fn task(class: u8, spelling: u8, behaviour: u8, step: u8) -> Task {
    let name = ["x", "value", "longer_name"][usize::from(spelling)];
    let kind = common::kinds()[usize::from(class % 4)].clone();
    let mut task = Task::new(kind, format!("def f({name}):\n    return {name} + {class}"), class.to_string());
    task.step = u32::from(step);
    // Behaviour follows the canonical program, as it does for a program that runs: classes share one of a few.
    task.behaviour = (behaviour > 0).then_some(u128::from(class / 3) + 1);
    task
}

/// The buffer as vectors.
#[derive(Debug, Clone, Default)]
struct Model {
    /// None where compaction has taken a task out.
    tasks: Vec<Option<(Task, State)>>,
}

impl Model {
    fn rejection(&self, new: &Task, level: Level) -> Option<Rejected> {
        let class = |task: &Task| (task.kind.clone(), task.inputs.clone());
        let behaviour = |task: &Task| task.behaviour.map(|signature| (task.kind.clone(), signature));
        let there = || self.tasks.iter().enumerate().filter_map(|(id, task)| Some((id as u64, &task.as_ref()?.0)));
        let equal = |there: &Task| match level {
            Level::Exact => there.program == new.program && class(there) == class(new),
            _ => class(there) == class(new),
        };
        // Behaviour is looked up first.
        let by_behaviour = there().find(|(_, task)| {
            level == Level::Behaviour && behaviour(task).is_some() && behaviour(task) == behaviour(new)
        });
        let (of, task) = by_behaviour.or_else(|| there().find(|(_, task)| equal(task)))?;
        let level = if task.program == new.program && task.kind == new.kind && task.inputs == new.inputs {
            Level::Exact
        } else if class(task) == class(new) {
            Level::Canonical
        } else {
            Level::Behaviour
        };
        Some(Rejected::Duplicate { level, of })
    }

    fn of_kind(&self, kind: &Kind) -> Vec<u64> {
        let present =
            self.tasks.iter().enumerate().filter(|(_, task)| task.as_ref().is_some_and(|(task, _)| task.kind == *kind));
        present.map(|(id, _)| id as u64).collect()
    }

    /// Set which tasks are servable under the newest policy.
    fn serve_newest(&mut self, cap: Cap) {
        for kind in common::kinds() {
            let ids = self.of_kind(&kind);
            let cap =
                if cap.policy == Policy::None { ids.len() } else { usize::try_from(cap.tasks).expect("a small cap") };
            let start = ids.len().saturating_sub(cap);
            for (index, id) in ids.into_iter().enumerate() {
                let (_, state) = self.tasks[usize::try_from(id).expect("small")].as_mut().expect("present");
                state.servable = index >= start;
            }
        }
    }

    fn contents(&self) -> BTreeMap<u64, (Task, State)> {
        self.tasks.iter().enumerate().filter_map(|(id, task)| Some((id as u64, task.clone()?))).collect()
    }

    fn pick(&self, pick: u16) -> Option<u64> {
        let ids: Vec<u64> = self.contents().into_keys().collect();
        (!ids.is_empty()).then(|| ids[usize::from(pick) % ids.len()])
    }
}

fn check_sample(buffer: &TaskBuffer, model: &Model, count: u8, strategy: u8, seed: u8) {
    let strategy = match strategy {
        0 => Draw::Uniform,
        1 => Draw::MaxNew { since: 4 },
        2 => Draw::HalfNew { since: 4 },
        3 => Draw::Recency,
        4 => Draw::Priority,
        _ => Draw::SolveRate { low: 0.2, high: 0.8, unknown: seed.is_multiple_of(2) },
    };
    let kinds = &common::kinds()[..usize::from(seed % 5).min(4)];
    let request = Request { kinds, count: usize::from(count), strategy, seed: u64::from(seed), exclude: &[] };
    let batch = buffer.sample(&request);
    assert_eq!(batch, buffer.sample(&request), "the same seed gives the same batch");
    let open: Vec<u64> = model
        .contents()
        .into_iter()
        .filter(|(_, (task, state))| {
            state.servable && !state.quarantined && !state.excluded && (kinds.is_empty() || kinds.contains(&task.kind))
        })
        .map(|(id, _)| id)
        .collect();
    assert_eq!(batch.len(), open.len().min(usize::from(count)), "as many as there are");
    assert!(batch.iter().all(|id| open.contains(id)), "{batch:?} of {open:?}");
    let mut distinct = batch.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), batch.len());
    if let Draw::MaxNew { since } = strategy {
        let recent =
            |id: &&u64| model.tasks[usize::try_from(**id).expect("small")].as_ref().expect("present").0.step >= since;
        let recents = open.iter().filter(recent).count();
        assert_eq!(batch.iter().filter(recent).count().min(recents), recents.min(batch.len()), "recent ones first");
    }
}

fn run(level: Level, cap: Cap, ops: Vec<Op>) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let options = common::options().with_level(level).with_cap(cap).with_segment_bytes(2000);
    let reopen = |open: Open| TaskBuffer::open(folder.path(), options.clone(), open).expect("the buffer opens").0;
    let mut buffer = reopen(Open::default());
    let mut model = Model::default();
    let mut saved: Vec<(Position, Model)> = Vec::new();
    let mut committed = model.clone();
    for op in ops {
        match op {
            Op::Insert { class, spelling, behaviour, step } => {
                let new = task(class, spelling, behaviour, step);
                let verdict = buffer.insert(&new).expect("the buffer can be written");
                match model.rejection(&new, level) {
                    Some(rejected) => assert_eq!(verdict, Err(rejected)),
                    None => {
                        assert_eq!(verdict, Ok(model.tasks.len() as u64));
                        model.tasks.push(Some((new, State::default())));
                        model.serve_newest(cap);
                    }
                }
            }
            Op::Solve { pick, step, successes } => {
                let Some(id) = model.pick(pick) else { continue };
                let solved = Solved { step: u32::from(step), successes: u16::from(successes), attempts: 8 };
                buffer.record_solved(id, solved).expect("the id is there");
                let (_, state) = model.tasks[usize::try_from(id).expect("small")].as_mut().expect("present");
                state.history.push(solved);
                state.history.sort_unstable();
            }
            Op::Serve { pick } => {
                let Some(id) = model.pick(pick) else { continue };
                buffer.mark_served(&[id]).expect("the id is there");
                model.tasks[usize::try_from(id).expect("small")].as_mut().expect("present").1.served += 1;
            }
            Op::Hold { pick, held } => {
                let Some(id) = model.pick(pick) else { continue };
                buffer.quarantine(id, held).expect("the id is there");
                model.tasks[usize::try_from(id).expect("small")].as_mut().expect("present").1.quarantined = held;
            }
            Op::Exclude { pick } => {
                let Some(id) = model.pick(pick) else { continue };
                buffer.exclude(id).expect("the id is there");
                model.tasks[usize::try_from(id).expect("small")].as_mut().expect("present").1.excluded = true;
            }
            Op::Sample { count, strategy, seed } => check_sample(&buffer, &model, count, strategy, seed),
            Op::Commit => {
                saved.push((buffer.commit().expect("it can be written"), model.clone()));
                committed = model.clone();
            }
            Op::Reopen => {
                saved.push((buffer.commit().expect("it can be written"), model.clone()));
                committed = model.clone();
                drop(buffer);
                buffer = reopen(Open::default());
            }
            // The process ends without a commit.
            Op::Forget => {
                drop(buffer);
                buffer = reopen(Open::default());
                model = committed.clone();
            }
            Op::Rewind => {
                let Some((position, old)) = saved.pop() else { continue };
                drop(buffer);
                buffer = reopen(Open::WRITE.at(position));
                model = old;
                committed = model.clone();
            }
            Op::Compact => {
                buffer.compact(&|| false).expect("it can be written");
                drop(buffer);
                buffer = reopen(Open::default());
                for task in &mut model.tasks {
                    if task.as_ref().is_some_and(|(_, state)| !state.servable) {
                        *task = None;
                    }
                }
                committed = model.clone();
                saved.clear();
            }
        }
        assert_eq!(common::contents(&buffer), model.contents());
        assert_eq!(buffer.len(), model.tasks.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_buffer_does_what_a_vector_would(ops in ops()) {
        run(Level::Canonical, Cap::NONE, ops);
    }

    #[test]
    fn a_capped_buffer_serves_the_newest(ops in ops()) {
        run(Level::Canonical, Cap { tasks: 3, policy: Policy::Newest }, ops);
    }

    #[test]
    fn exact_duplicates_are_told_by_text(ops in ops()) {
        run(Level::Exact, Cap { tasks: 5, policy: Policy::Newest }, ops);
    }

    #[test]
    fn behavioural_duplicates_are_told_by_signature(ops in ops()) {
        run(Level::Behaviour, Cap::NONE, ops);
    }
}
