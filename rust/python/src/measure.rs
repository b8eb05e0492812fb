//! What the benchmarks measure: publishing prepared tasks from several threads, against the same work behind a lock.

use std::collections::HashMap;
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use azr_buffer::{Kind, Level, Options, Prepared, Task, TaskBuffer, canonicalize};

/// How threads share the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// As the buffer does.
    LockFree,
    /// The same code, one thread at a time.
    Mutex,
    /// A plain hash map and a vector, one thread at a time.
    MutexMap,
}

/// Time that `threads` threads take to publish `tasks` distinct tasks, prepared before. Only map and append count.
///
/// # Panics
///
/// If a task is lost or counted twice.
#[must_use]
pub(crate) fn publish(sharing: Sharing, threads: usize, tasks: usize) -> Duration {
    let buffer = TaskBuffer::in_memory(Options::default().with_level(Level::Exact).with_similarity(false));
    let prepare = |number: usize| {
        let task = Task::new(Kind::DEDUCTION, format!("def f(x):\n    return x + {number}"), "1");
        // For the plain map: spread over all bits, as the buffer's own keys are.
        let key = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        (key, buffer.prepare(&task).expect("the exact level needs no canonical form"))
    };
    let lock = Mutex::new(());
    let plain: Mutex<(HashMap<u128, u64>, Vec<Prepared>)> = Mutex::default();
    let publish = |task: &Prepared| {
        buffer.publish(task).expect("memory can be written").expect("it is new");
    };
    let one = |(key, task): (u128, Prepared)| match sharing {
        Sharing::LockFree => publish(&task),
        Sharing::Mutex => {
            let _held = lock.lock().expect("no holder panics");
            publish(&task);
        }
        Sharing::MutexMap => {
            let mut held = plain.lock().expect("no holder panics");
            let id = held.1.len() as u64;
            held.0.entry(key).or_insert(id);
            held.1.push(task);
        }
    };
    let barrier = Barrier::new(threads);
    // Each thread looks at the clock itself: on few cores the thread that waits for them may wake up last.
    let work = |thread: usize| {
        // Each thread publishes what it has prepared, as in `insert`: tasks that one thread made lie side by side in
        // memory, and threads that took them in turn would write the same cache lines, which no user of the buffer does.
        let prepared: Vec<(u128, Prepared)> = (thread..tasks).step_by(threads).map(prepare).collect();
        barrier.wait();
        let start = Instant::now();
        prepared.into_iter().for_each(one);
        (start, Instant::now())
    };
    let times: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no worker panics")).collect()
    });
    let first = times.iter().map(|(start, _)| *start).min().expect("there is a thread");
    let time = times.iter().map(|(_, end)| end.duration_since(first)).max().expect("there is a thread");
    let found = if sharing == Sharing::MutexMap {
        plain.lock().expect("no holder panics").1.len() as u64
    } else {
        buffer.len()
    };
    assert_eq!(found, tasks as u64, "no loss, no duplicate");
    time
}

/// Time that one thread takes for the canonical forms of `programs` with their inputs, `rounds` times over.
#[must_use]
pub(crate) fn canonical(programs: &[(String, Vec<String>)], rounds: usize) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        for (program, inputs) in programs {
            // What does not parse is part of what is measured.
            std::hint::black_box(canonicalize(program, inputs, None).is_ok());
        }
    }
    start.elapsed()
}
