//! Validation, and the programs that try to pass for tasks.

#![expect(clippy::unwrap_used, reason = "helpers of tests: one that panics has failed")]

mod common;

use azr_sandbox::{Cancel, InvalidReason, OutcomeKind, Validation};
use common::sandbox;

fn validate(program: &str, input: &str) -> Result<String, InvalidReason> {
    let items = [(program.to_owned(), vec![input.to_owned()])];
    let verdict = sandbox().validate(&items, &Cancel::new()).remove(0).remove(0).unwrap();
    match verdict {
        Validation::Valid { value, .. } => Ok(azr_sandbox::repr(&value)),
        Validation::Invalid { reason, .. } => Err(reason),
    }
}

#[test]
fn plain_values_are_valid() {
    assert_eq!(
        validate("def f(x): return x", "{'a': [1, 2.5, None, True], (1,): b'x'}"),
        Ok("{'a': [1, 2.5, None, True], (1,): b'x'}".to_owned())
    );
    assert_eq!(validate("def f(x): return {3, 1, 2}", "0"), Ok("{1, 2, 3}".to_owned()));
    assert_eq!(validate("def f(x): return 2**200, -1e100, 1+2j", "0").unwrap().split(',').count(), 3);
}

#[test]
fn every_source_of_entropy_is_seen_through() {
    for program in [
        "import random\ndef f(x): return random.random()",
        "import random\ndef f(x):\n    r = random.Random()\n    return r.randint(0, 10**9)",
        "import time\ndef f(x): return time.time()",
        "import datetime\ndef f(x): return str(datetime.datetime.now())",
        "def f(x): return id(x)",
        "def f(x): return repr(object())",
        "def f(x): return hash('text')",
        "import uuid\ndef f(x): return str(uuid.uuid4())",
        "import os\ndef f(x): return os.urandom(4)",
        "import secrets\ndef f(x): return secrets.token_hex(4)",
        "def f(x): return object()",
    ] {
        assert_eq!(validate(program, "[1]"), Err(InvalidReason::Nondeterministic), "{program}");
    }
}

#[test]
fn the_order_of_sets_is_seen_through() {
    for body in [
        "list(s)",
        "tuple(s)",
        "[x for x in s]",
        "''.join(s)",
        "str(s)",
        "s.pop()",
        "[*s]",
        "next(iter(s))",
        "sorted(s, key=len)",
        "list(enumerate(s))",
        "[] + list(s | {'z'})",
        "list(frozenset(s))",
        "list(map(str.upper, s))",
        "f'{s}'",
        "(lambda *a: a)(*s)",
        "list({x: 1 for x in s})",
        "list(dict.fromkeys(s))",
        "dict.fromkeys(s, 1).popitem()",
        "max(s, key=len)",
        "min(s, key=len)",
        "next(__import__('itertools').permutations(s))",
        "next(__import__('itertools').combinations(s, 2))",
        "next(__import__('itertools').product(s, [1]))",
        "[tuple(s) for _ in range(300)][-1]",
    ] {
        let program = format!("def f(x):\n    s = set(x)\n    return {body}");
        assert_eq!(validate(&program, "['aa', 'bb', 'cc']"), Err(InvalidReason::Nondeterministic), "{body}");
    }
    for body in [
        "sorted(s)",
        "len(s)",
        "'aa' in s",
        "max(s)",
        "s == {'cc', 'bb', 'aa'}",
        "sum(map(len, s))",
        "max(s, {'z'}) == s",
        "min(s, default=1)",
        "len(dict.fromkeys(s))",
        "max(1, 2)",
    ] {
        let program = format!("def f(x):\n    s = set(x)\n    return {body}");
        assert!(validate(&program, "['aa', 'bb', 'cc']").is_ok(), "{body}");
    }
}

#[test]
fn what_is_no_value_is_rejected_with_its_reason() {
    assert_eq!(validate("def f(x): return float('nan')", "0"), Err(InvalidReason::Outcome(OutcomeKind::NotATaskValue)));
    assert_eq!(
        validate("def f(x): return [1, [x]]", "float('nan')"),
        Err(InvalidReason::Outcome(OutcomeKind::NotATaskValue))
    );
    assert_eq!(validate("def f(x): raise Exception('plain')", "0"), Err(InvalidReason::Outcome(OutcomeKind::Raised)));
    assert_eq!(validate("def f(x): raise StopIteration", "0"), Err(InvalidReason::Outcome(OutcomeKind::Raised)));
    assert_eq!(validate("def f(x): raise KeyboardInterrupt", "0"), Err(InvalidReason::Outcome(OutcomeKind::Raised)));
    assert_eq!(validate("def f(x: return", "0"), Err(InvalidReason::Outcome(OutcomeKind::SyntaxError)));
    assert_eq!(validate("def f(x):\n    while True: pass", "0"), Err(InvalidReason::Outcome(OutcomeKind::OutOfFuel)));
    assert_eq!(
        validate("class S(str): pass\ndef f(x): return S('a')", "0").unwrap_err(),
        InvalidReason::Outcome(OutcomeKind::NotATaskValue)
    );
    assert_eq!(
        validate("class I(int): pass\ndef f(x): return I(1)", "0").unwrap_err(),
        InvalidReason::Outcome(OutcomeKind::NotATaskValue)
    );
}

#[test]
fn arguments_are_arguments_and_nothing_else() {
    for input in [
        "1) or (True",
        "1)\nimport os\n(2",
        "1); f(2",
        "x := 1",
        "gold",
        "expected",
        "*gold",
        "yield 1",
        "1)(2",
        "import os",
        "x = 1; y = 2",
        "lambda: gold",
        "[g for g in gold]",
    ] {
        assert_eq!(
            validate("def f(x=0, *a): return 1", input),
            Err(InvalidReason::Outcome(OutcomeKind::InvalidInput)),
            "{input}"
        );
    }
    for input in
        ["1", "1, 2", "*[1, 2]", "x=1", "1 # comment", "lambda y: y", "[i for i in range(3)]", "max(1, 2)", "\n 1"]
    {
        assert!(validate("def f(x=0, *a): return 1", input).is_ok(), "{input}");
    }
    assert!(validate("class Node: pass\ndef f(x): return 1", "Node()").is_ok());
}

#[test]
fn a_valid_value_can_be_put_into_others() {
    let program = "def f(n):\n    x = []\n    for _ in range(n): x = [x]\n    return x".to_owned();
    let items = [(program, vec!["89".to_owned(), "90".to_owned(), "99".to_owned()])];
    let verdicts = sandbox().validate(&items, &Cancel::new()).remove(0);
    let valid: Vec<bool> =
        verdicts.into_iter().map(|verdict| matches!(verdict.unwrap(), Validation::Valid { .. })).collect();
    assert_eq!(valid, [true, false, false]);
}
