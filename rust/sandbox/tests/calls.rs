//! Calls of one program share its load and nothing else.

mod common;

use azr_sandbox::{Cancel, Outcome, Program};
use common::{run_all, sandbox, text};

/// Each call in a batch of its own: nothing is shared.
fn alone(program: &str, calls: &[&str]) -> Vec<Outcome> {
    calls.iter().map(|call| common::run(program, call)).collect()
}

fn together(program: &str, calls: &[&str]) -> Vec<Outcome> {
    run_all(&calls.iter().map(|call| Program::call(program, "f", *call)).collect::<Vec<_>>())
}

#[test]
fn outcomes_and_fuel_are_those_of_calls_alone() {
    let programs = [
        "import random, time\nseen = []\nprint('loaded', time.time())\ndef f(x):\n    seen.append(x)\n    print(x)\n    return seen, random.random(), time.time()",
        "def f(x):\n    return f(x) if x == 3 else [x] * x",
        "import sys\ndef f(x):\n    sys.modules[str(x)] = sys\n    return sorted(m for m in sys.modules if m.isdigit())",
        "def f(x):\n    return 'x' * (x * 1_000_000)",
        "kept = list(range(300_000))\ndef f(x):\n    kept.append(x)\n    return len(kept)",
        "raise ValueError('while loading')",
        "def f(x:",
        "while True: pass",
        "def f(x):\n    if x == 2:\n        while True: pass\n    if x == 4:\n        import os\n        os._exit(1)\n    return x",
    ];
    let calls = ["1", "2", "3", "4", "5", "__import__('random').random()", "1)", "nothing", "[1, 2]", "x=7", "1", "2"];
    for program in programs {
        assert_eq!(together(program, &calls), alone(program, &calls), "{program}");
    }
}

#[test]
fn no_call_sees_what_another_did() {
    let program = "import builtins, math, sys, re
state = {'n': 0}
class A: pass
def f(x):
    before = (state['n'], hasattr(builtins, 'canary'), math.pi, hasattr(A, 'canary'), len(re._cache), 'canary' in sys.modules)
    state['n'] += 1
    builtins.canary = math.pi = A.canary = sys.modules['canary'] = x
    re.compile('canary' + str(x))
    return before";
    let calls: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    let outcomes = sandbox().run_calls(program, "f", &calls, &Cancel::new());
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(Result::unwrap).collect();
    assert!(text(&outcomes[0]).starts_with("(0, False, 3.14"), "{}", text(&outcomes[0]));
    for outcome in &outcomes {
        assert_eq!((text(outcome), outcome.fuel_used), (text(&outcomes[0]), outcome.fuel_used));
    }
}

#[test]
fn programs_with_other_limits_share_nothing() {
    let program = "def f(x):\n    return [0] * x";
    let small = common::limits().with_memory_bytes(1 << 20);
    let outcomes = run_all(&[
        Program::call(program, "f", "1000000"),
        Program::call(program, "f", "1000000").with_limits(small),
        Program::call(program, "f", "2"),
    ]);
    let kinds: Vec<&str> = outcomes.iter().map(|outcome| outcome.termination.kind().name()).collect();
    assert_eq!(kinds, ["not_a_task_value", "out_of_memory", "returned"]);
}

#[test]
fn cancelling_ends_the_calls_that_are_left() {
    let cancel = Cancel::new();
    cancel.cancel();
    let calls: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    assert!(sandbox().run_calls("def f(x):\n    return x", "f", &calls, &cancel).iter().all(Result::is_err));
    assert_eq!(text(&common::run("def f(x):\n    return x", "1")), "1");
}
