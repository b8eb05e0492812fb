//! The same program has the same outcome and takes the same fuel, always; and what a program reads that is not the same
//! in every run of CPython is counted, so that what is determined is known.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use azr_sandbox::{Cancel, InvalidReason, Program, Reads, Sandbox, Validation};
use common::{guest, limits, run, run_all, sandbox};

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
        assert!(apart.iter().all(|outcome| outcome.termination == apart[0].termination), "{program:?}");
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

/// Programs of a file, which are parted by lines of dashes.
fn programs(text: &'static str) -> Vec<(String, Vec<String>)> {
    text.split("\n# ---\n").map(|program| (program.to_owned(), vec!["0".to_owned()])).collect()
}

fn verdicts(items: &[(String, Vec<String>)]) -> Vec<Validation> {
    sandbox().validate(items, &Cancel::new()).into_iter().map(|mut verdicts| verdicts.remove(0).unwrap()).collect()
}

#[test]
fn no_program_passes_to_which_cpython_gives_two_answers() {
    let items = programs(include_str!("programs/undetermined.txt"));
    for ((program, _), verdict) in items.iter().zip(verdicts(&items)) {
        let rejected = matches!(verdict, Validation::Invalid { reason: InvalidReason::Nondeterministic, .. });
        assert!(rejected, "{program}\n{verdict:?}");
    }
}

#[test]
fn a_program_with_one_answer_is_not_refused() {
    let items = programs(include_str!("programs/determined.txt"));
    for ((program, _), verdict) in items.iter().zip(verdicts(&items)) {
        let refused = matches!(verdict, Validation::Invalid { reason: InvalidReason::Nondeterministic, .. });
        assert!(!refused, "{program}\n{verdict:?}");
    }
}

#[test]
fn what_is_determined_reads_nothing() {
    for program in [
        "def f(x): return sorted(set('some words')), len({'a', 'b'}), 'a' in {'a', 'b'}",
        "def f(x): return {'a': 1, 'b': 2}.keys() == {'b', 'a'}, {'a': {1}}['a']",
        "def f(x): return list({3, 1, 2}), hash((1, (2, 3))), {(1, 2), (3, 4)}.pop()",
        "import random\ndef f(x):\n    random.seed(x)\n    return random.random(), random.Random(1).randint(1, 6)",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: str\ndef f(x): return repr(P('a')), P('a') == P('a')",
        "import json, re\ndef f(x): return json.dumps({'a': [1]}, indent=1), re.sub('a', 'b', 'aa')",
        "class N: pass\ndef f(x):\n    n = N()\n    return {n: 1}[n], n in {n}",
        "from collections import Counter, defaultdict, deque\ndef f(x): return Counter('hello'), defaultdict(int, a=1)",
    ] {
        let outcome = run(program, "0");
        assert!(outcome.reads.is_none(), "{program}: {:?}", outcome.reads.names());
    }
}

#[test]
fn each_source_is_counted_as_itself() {
    for (program, source) in [
        ("def f(x): return list({'a', 'b'})", Reads::HASH),
        ("def f(x): return hash('a')", Reads::HASH),
        ("def f(x): return id(x)", Reads::ADDRESS),
        ("def f(x): return str(object())", Reads::ADDRESS),
        ("import time\ndef f(x): return time.time()", Reads::CLOCK),
        ("import random\ndef f(x): return random.random()", Reads::RANDOM),
        ("import os\ndef f(x): return os.urandom(1)", Reads::RANDOM),
        ("import sys\ndef f(x): return sys.modules['ran' + 'dom'].random()", Reads::RANDOM),
    ] {
        assert_eq!(run(program, "0").reads, source, "{program}");
    }
}

/// x86-64 makes NaNs with a minus and aarch64 with a plus. Programs see CPython's of x86-64 on both; a NaN that they were
/// given passes through as it is.
#[test]
fn a_computed_nan_has_a_minus_on_every_processor() {
    let program = "
import math
def f(x):
    made = [x - x, x * 0, -x + x, 0.0 * -x, x / x, x % 2, math.fmod(0.0, math.inf) * x]
    given = [math.nan + 1, float('-nan') * 2, 1 - math.nan, x + float('-nan'), -(x - x)]
    return [math.copysign(1.0, nan) for nan in made + given]
";
    let signs = [["-1.0"; 7].as_slice(), &["1.0", "-1.0", "1.0", "-1.0", "1.0"]].concat();
    assert_eq!(common::text(&common::run(program, "float('inf')")), format!("[{}]", signs.join(", ")));
}
