//! Validation and checking, and the answers that try to fool them.

#![expect(clippy::unwrap_used, reason = "helpers of tests: one that panics has failed")]

mod common;

use azr_sandbox::{Cancel, Equality, InvalidReason, Validation, Value};
use common::sandbox;

fn validate(program: &str, input: &str) -> Result<String, InvalidReason> {
    let items = [(program.to_owned(), vec![input.to_owned()])];
    let verdict = sandbox().validate(&items, &Cancel::new()).remove(0).remove(0).unwrap();
    match verdict {
        Validation::Valid { value, .. } => Ok(azr_sandbox::repr(&value)),
        Validation::Invalid { reason, .. } => Err(reason),
    }
}

fn gold(text: &str) -> Value {
    match sandbox().literals(&[text.to_owned()], &Cancel::new()).remove(0).unwrap() {
        azr_sandbox::Literal::Value(value) => value,
        azr_sandbox::Literal::Invalid(why) => panic!("{text}: {why}"),
    }
}

fn output_is(answer: &str, gold_text: &str) -> bool {
    let items = [(answer.to_owned(), gold(gold_text))];
    sandbox().check_output(&items, Equality::PYTHON, &Cancel::new()).remove(0).unwrap().correct
}

fn input_gives(program: &str, answer: &str, gold_text: &str) -> bool {
    let items = [(program.to_owned(), answer.to_owned(), gold(gold_text))];
    sandbox().check_input(&items, Equality::PYTHON, &Cancel::new()).remove(0).unwrap().correct
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
    assert_eq!(validate("def f(x): return float('nan')", "0"), Err(InvalidReason::NotATaskValue));
    assert_eq!(validate("def f(x): return [1, [x]]", "float('nan')"), Err(InvalidReason::NotATaskValue));
    assert_eq!(validate("def f(x): raise Exception('plain')", "0"), Err(InvalidReason::Raised));
    assert_eq!(validate("def f(x): raise StopIteration", "0"), Err(InvalidReason::Raised));
    assert_eq!(validate("def f(x): raise KeyboardInterrupt", "0"), Err(InvalidReason::Raised));
    assert_eq!(validate("def f(x: return", "0"), Err(InvalidReason::SyntaxError));
    assert_eq!(validate("def f(x):\n    while True: pass", "0"), Err(InvalidReason::OutOfFuel));
    assert_eq!(validate("class S(str): pass\ndef f(x): return S('a')", "0").unwrap_err(), InvalidReason::NotATaskValue);
    assert_eq!(validate("class I(int): pass\ndef f(x): return I(1)", "0").unwrap_err(), InvalidReason::NotATaskValue);
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
        assert_eq!(validate("def f(x=0, *a): return 1", input), Err(InvalidReason::InvalidInput), "{input}");
    }
    for input in
        ["1", "1, 2", "*[1, 2]", "x=1", "1 # comment", "lambda y: y", "[i for i in range(3)]", "max(1, 2)", "\n 1"]
    {
        assert!(validate("def f(x=0, *a): return 1", input).is_ok(), "{input}");
    }
    assert!(validate("class Node: pass\ndef f(x): return 1", "Node()").is_ok());
}

#[test]
fn answers_of_outputs_are_literals() {
    assert!(output_is("[1, 2]", "[1, 2]"));
    assert!(output_is(" {'b': 1, 'a': {3, 2}} ", "{'a': {2, 3}, 'b': 1}"));
    assert!(output_is("1", "True") && output_is("1.0", "1") && output_is("1 + 0j", "1"));
    assert!(output_is("inf", "float('inf')") && output_is("set()", "set()"));
    assert!(
        !output_is("(1, 2)", "[1, 2]")
            && !output_is("'1'", "1")
            && !output_is("9007199254740993", "9007199254740992.0")
    );
    for hostile in ["1+1", "[1]*2", "__import__('os')", "x", "f(1)", "1 if 1 else 2", "open('a')", "True or 1", ""] {
        assert!(!output_is(hostile, "2"), "{hostile}");
    }
    assert!(!output_is(&"(".repeat(100_000), "1") && !output_is(&"-".repeat(100_000), "1"));
}

#[test]
fn large_sets_and_dicts_are_read_in_a_moment_and_keep_the_first_of_equals() {
    let set = format!("{{{}}}", (0..9_000).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    assert!(output_is(&set, &set));
    assert!(output_is("{1: 'a', True: 'b', 1.0: 'c'}", "{1: 'c'}"));
    assert!(output_is("[{0.0, -0.0, 0, False}, {(1, 2.0), (1.0, 2)}, {2: 1, 2.0: 3}]", "[{0}, {(1, 2)}, {2: 3}]"));
}

#[test]
fn a_text_that_brings_the_parser_down_takes_no_other_with_it() {
    let texts = vec!["1".to_owned(), format!("{}1", "- ".repeat(100_000)), "'two'".to_owned()];
    let read = sandbox().literals(&texts, &Cancel::new());
    let good: Vec<bool> = read.into_iter().map(|one| matches!(one, Ok(azr_sandbox::Literal::Value(_)))).collect();
    assert_eq!((good[0], good[2]), (true, true));
}

#[test]
fn always_equal_objects_and_lying_reprs_score_nothing() {
    assert!(!input_gives("def f(x): return x", "type('A', (), {'__eq__': lambda s, o: True})()", "1"));
    assert!(!input_gives("def f(x): return x", "type('S', (str,), {'__eq__': lambda s, o: True})('b')", "'a'"));
    assert!(!input_gives(
        "class A:\n    def __eq__(s, o): return True\n    def __repr__(s): return '1'\ndef f(x): return A()",
        "0",
        "1"
    ));
    assert!(!input_gives("import builtins\nbuiltins.repr = lambda x: '1'\ndef f(x): return x", "2", "1"));
    assert!(input_gives("def f(x): return x * 2", "21", "42"));
}

#[test]
fn strict_equality_tells_types_apart() {
    let holds = |a: &str, b: &str| Equality::STRICT.holds(&gold(a), &gold(b));
    assert!(
        !holds("1", "1.0") && !holds("1", "True") && !holds("{1}", "frozenset({1})") && !holds("{1: 2}", "{1.0: 2}")
    );
    assert!(holds("{1: [2]}", "{1: [2]}") && holds("{'a', 'b'}", "{'b', 'a'}"));
    let near = Equality { tolerance: 1e-9, ..Equality::PYTHON };
    assert!(near.holds(&gold("[0.1]"), &gold("[0.10000000000000002]")));
    assert!(!Equality::PYTHON.holds(&gold("[0.1]"), &gold("[0.10000000000000002]")));
}

#[test]
fn no_tolerance_makes_infinity_a_number() {
    let near = Equality { tolerance: 1e-9, ..Equality::PYTHON };
    let infinity = Value::Float(f64::INFINITY);
    for other in [1.0, f64::MAX, f64::NEG_INFINITY, 0.0] {
        assert!(!near.holds(&infinity, &Value::Float(other)) && !near.holds(&Value::Float(other), &infinity));
    }
    let pair = |part: f64| Value::List(vec![Value::Float(part), Value::Float(2.0)]);
    assert!(!near.holds(&pair(f64::INFINITY), &pair(0.5)));
    assert!(near.holds(&infinity, &infinity) && near.holds(&pair(f64::INFINITY), &pair(f64::INFINITY)));
    let complex = |imaginary: f64| Value::Complex(f64::INFINITY, imaginary);
    assert!(near.holds(&complex(1.0), &complex(1.0 + 1e-12)) && !near.holds(&complex(1.0), &complex(f64::INFINITY)));
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

#[test]
fn a_program_is_checked_on_every_hidden_pair_in_order() {
    let pairs = vec![("1".to_owned(), gold("2")), ("'a'".to_owned(), gold("'a1'")), ("5".to_owned(), gold("6"))];
    let items = [("def f(x): return x + 1".to_owned(), pairs)];
    let checks = sandbox().check_program(&items, Equality::PYTHON, &Cancel::new()).remove(0);
    let verdicts: Vec<bool> = checks.into_iter().map(|check| check.unwrap().correct).collect();
    assert_eq!(verdicts, [true, false, true]);
}

#[test]
fn imports_are_read_from_the_syntax() {
    let programs =
        vec!["import os.path as p\nfrom a.b import c\ndef f():\n    import sys".to_owned(), "import (".to_owned()];
    let mut found = sandbox().imports(&programs, &Cancel::new());
    assert!(found.pop().unwrap().unwrap().is_err());
    assert_eq!(found.pop().unwrap().unwrap().unwrap(), ["os.path", "a.b", "a.b.c", "sys"]);
}

#[test]
fn an_abduction_answer_cannot_rewrite_the_program_that_it_is_checked_by() {
    let program = "def g(x):\n    return x + 1\n\ndef f(x):\n    return g(x)";
    for answer in [
        "f.__globals__.update(g=lambda x: 5)",
        "f.__globals__.__setitem__('g', lambda x: 5)",
        "setattr(f, '__code__', (lambda x: 5).__code__)",
        "exec('g = lambda x: 5', f.__globals__)",
        "(g := lambda x: 5)",
        "[globals().update(f=lambda x: 5)]",
        "__import__('builtins').__dict__.update(len=lambda x: 5)",
    ] {
        assert!(!input_gives(program, answer, "5"), "{answer}");
        assert!(!input_gives("def f(x):\n    return len(x)", answer, "5"), "{answer}");
    }
    assert!(input_gives(program, "4", "5"));
}

#[test]
fn an_abduction_answer_may_be_any_expression_of_plain_data() {
    assert!(input_gives("def f(x):\n    return x", "sorted([2, 1])", "[1, 2]"));
    assert!(input_gives("def f(x, y=0):\n    return x - y", "3, y=2", "1"));
    assert!(input_gives("def f(*xs, **named):\n    return len(xs) + len(named)", "*[1, 2], **{'a': 1}", "3"));
    assert!(input_gives("def f(x):\n    return x > 10", "float('inf')", "True"));
    assert!(!input_gives("def f(x):\n    return 1", "object()", "1"));
    assert!(!input_gives("def f(x):\n    return 1", "1)+(1", "1"));
}
