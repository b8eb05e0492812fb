//! Texts that are read and not run.

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
fn imports_are_read_from_the_syntax() {
    let programs =
        vec!["import os.path as p\nfrom a.b import c\ndef f():\n    import sys".to_owned(), "import (".to_owned()];
    let mut found = sandbox().imports(&programs, &Cancel::new());
    assert!(found.pop().unwrap().unwrap().is_err());
    assert_eq!(found.pop().unwrap().unwrap().unwrap(), ["os.path", "a.b", "a.b.c", "sys"]);
}
