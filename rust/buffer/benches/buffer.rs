//! Criterion benchmarks: the rates that the buffer is held to, on programs of the size that models propose.

#![expect(missing_docs, reason = "criterion's macro makes a public function")]

use std::hint::black_box;

use azr_buffer::{Kind, Level, Options, Request, Strategy, Task, TaskBuffer, canonicalize};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// A program that depends on `number`, as long as a proposed one.
fn program(number: u64) -> String {
    format!(
        "def f(numbers: list):\n    # {number}\n    squares = {{value: value ** 2 + {number} for value in numbers}}\n    \
         chosen = [(key, item) for (key, item) in squares.items() if key % 2 == 0 and item > {}]\n    total = 0\n    for key, \
         item in chosen:\n        if item % 3 == 0 or key % 5 == 0:\n            total += item\n        else:\n            total \
         -= key\n    return total, sorted(chosen, key=lambda pair: pair[1])",
        number % 97
    )
}

fn task(number: u64) -> Task {
    let mut task = Task::new(Kind::DEDUCTION, program(number), "[1, 2, 3]");
    task.step = u32::try_from(number / 200).expect("small");
    task
}

fn filled(count: u64, similarity: bool) -> TaskBuffer {
    let buffer = TaskBuffer::in_memory(Options::default().with_level(Level::Exact).with_similarity(similarity));
    for number in 0..count {
        buffer.insert(&task(number)).expect("memory can be written").expect("it is new");
    }
    buffer
}

fn canonical(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("canonical");
    group.throughput(Throughput::Elements(1));
    let source = program(7);
    group.bench_function("program", |bencher| {
        bencher.iter(|| canonicalize(black_box(&source), &["[1, 2, 3]"], None).expect("it parses"));
    });
    group.finish();
}

fn publish(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("publish");
    group.throughput(Throughput::Elements(1000));
    let tasks: Vec<Task> = (0..1000).map(task).collect();
    group.bench_function("one thousand new tasks, prepared", |bencher| {
        let fresh = || {
            let buffer = TaskBuffer::in_memory(Options::default().with_level(Level::Exact).with_similarity(false));
            let prepared: Vec<_> = tasks.iter().map(|task| buffer.prepare(task).expect("it needs no form")).collect();
            (buffer, prepared)
        };
        let run = |(buffer, prepared): (TaskBuffer, Vec<_>)| {
            for task in &prepared {
                buffer.publish(task).expect("memory can be written").expect("it is new");
            }
            (buffer, prepared)
        };
        bencher.iter_batched(fresh, run, BatchSize::LargeInput);
    });
    group.finish();
}

fn sample(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sample 64 of 200,000");
    let buffer = filled(200_000, false);
    let strategies = [
        ("uniform", Strategy::Uniform),
        ("max new", Strategy::MaxNew { since: 998 }),
        ("recency", Strategy::Recency),
        ("priority", Strategy::Priority),
    ];
    for (name, strategy) in strategies {
        let mut seed = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                seed += 1;
                buffer.sample(&Request { kinds: &[], count: 64, strategy, seed, exclude: &[] })
            });
        });
    }
    group.finish();
}

fn similarity(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("neighbours");
    let buffer = filled(20_000, true);
    let source = program(123_456);
    group.bench_function("among 20,000", |bencher| {
        bencher.iter(|| buffer.neighbours(black_box(&source), 0.7, None).expect("it parses"));
    });
    group.finish();
}

criterion_group!(benches, canonical, publish, sample, similarity);
criterion_main!(benches);
