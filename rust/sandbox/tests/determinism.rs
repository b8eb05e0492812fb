//! The same program has the same outcome and takes the same fuel, always.

mod common;

use azr_sandbox::{Cancel, Program, Sandbox};
use common::{guest, limits, run_all};

const PROGRAMS: &[(&str, &str)] = &[
    ("def f(x): return sorted({str(i) for i in range(x)})", "50"),
    ("import random\ndef f(x): return random.random(), random.randint(0, x)", "1000"),
    ("import time, datetime\ndef f(x): return time.time(), str(datetime.datetime.now())", "0"),
    ("def f(x): return id(x), hash('text'), repr(object())", "[]"),
    ("import uuid, secrets\ndef f(x): return str(uuid.uuid4()), secrets.token_hex(8)", "0"),
    ("def f(x): return list(set(x))", "'determinism'"),
    ("def f(x): return 1 / x", "0"),
    ("def f(x):\n    while True: pass", "0"),
    ("def f(x):\n    y = []\n    while True: y.append(x)", "0"),
    ("def f(x): return f(x)", "0"),
];

#[test]
fn a_thousand_repeats_are_one_outcome() {
    let programs: Vec<Program> = PROGRAMS.iter().map(|(program, input)| Program::call(*program, "f", *input)).collect();
    let first = run_all(&programs);
    // The cheap ones a thousand times, those that run into a limit less often.
    for (at, program) in programs.iter().enumerate() {
        let repeats = if at < 7 || at == 9 { 1_000 } else { 6 };
        // Calls of one load, and programs that are loaded one by one. (Their texts differ, and so may the fuel for them.)
        let again = run_all(&vec![program.clone(); repeats]);
        assert!(again.iter().all(|outcome| *outcome == first[at]), "{program:?}");
        let (source, input) = PROGRAMS[at];
        let apart: Vec<Program> =
            (0..repeats).map(|n| Program::call(format!("{source}\n# {n:04}"), "f", input)).collect();
        let apart = run_all(&apart);
        assert!(apart.iter().all(|outcome| outcome.ended == apart[0].ended), "{program:?}");
    }
}

#[test]
fn threads_and_sandboxes_agree() {
    let programs: Vec<Program> = PROGRAMS.iter().map(|(program, input)| Program::call(*program, "f", *input)).collect();
    let first = run_all(&programs);
    let other = Sandbox::with_threads(&guest(), limits(), 3).unwrap();
    let second: Vec<_> = other.run_batch(&programs, &Cancel::new()).into_iter().map(Result::unwrap).collect();
    assert_eq!(first, second);
}
