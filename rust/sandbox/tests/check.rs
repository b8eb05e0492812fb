//! Checking, and the answers that try to fool it.

#![expect(clippy::unwrap_used, reason = "helpers of tests: one that panics has failed")]

mod common;

use azr_sandbox::{Cancel, Equality, Value};
use common::sandbox;

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
fn a_program_is_checked_on_every_hidden_pair_in_order() {
    let pairs = vec![("1".to_owned(), gold("2")), ("'a'".to_owned(), gold("'a1'")), ("5".to_owned(), gold("6"))];
    let items = [("def f(x): return x + 1".to_owned(), pairs)];
    let checks = sandbox().check_program(&items, Equality::PYTHON, &Cancel::new()).remove(0);
    let verdicts: Vec<bool> = checks.into_iter().map(|check| check.unwrap().correct).collect();
    assert_eq!(verdicts, [true, false, true]);
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
