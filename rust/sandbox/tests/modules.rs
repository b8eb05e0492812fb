//! Modules of a domain: imported once, found by every program, fresh for every program.

#![expect(clippy::unwrap_used, reason = "helpers of tests: one that panics has failed")]

mod common;

use azr_sandbox::{
    Cancel, Error, Guest, InvalidReason, OutcomeKind, Program, Sandbox, Score, Termination, Validation, Value,
};
use common::{guest, limits, text};

const TABLES: &str = "
'''A table.'''
import random
from grid.cells import Cell

ROWS = [Cell(row, column) for row in range(30) for column in range(30)]
seen = []

def rows():
    seen.append(1)
    return len(ROWS), len(seen)

def draw():
    return random.random()

def first(names):
    return [*names][0]
";

const CELLS: &str = "
from dataclasses import dataclass

@dataclass(frozen=True)
class Cell:
    row: int
    column: int
";

const MODULES: &[(&str, &str)] = &[("tables", TABLES), ("grid.cells", CELLS)];

fn with_modules() -> Guest {
    guest().with_modules(MODULES).unwrap()
}

fn sandbox() -> Sandbox {
    Sandbox::with_threads(&with_modules(), limits(), 2).unwrap()
}

fn call(sandbox: &Sandbox, program: &str) -> String {
    text(&sandbox.run(&Program::call(program, "f", "0")).unwrap())
}

fn fault(modules: &[(&str, &str)]) -> (String, u32, String) {
    match guest().with_modules(modules).unwrap_err() {
        Error::BadModule { name, line, message } => (name, line, message),
        other => panic!("{other}"),
    }
}

#[test]
fn modules_import_one_another_in_any_order_and_programs_find_them_loaded() {
    let sandbox = sandbox();
    assert_eq!(call(&sandbox, "import tables\ndef f(x): return tables.rows()"), "(900, 1)");
    assert_eq!(call(&sandbox, "from grid.cells import Cell\ndef f(x): return Cell(1, 2).row"), "1");
    assert_eq!(
        call(&sandbox, "import grid\ndef f(x): return grid.cells.Cell.__name__, grid.__name__"),
        "('Cell', 'grid')"
    );
    assert_eq!(call(&sandbox, "import json\ndef f(x): return json.dumps([x])"), "'[0]'");
}

#[test]
fn a_module_costs_a_program_nothing() {
    let slow = "total = sum(i * i for i in range(200_000))";
    let guest = guest().with_modules(&[("slow", slow)]).unwrap();
    let sandbox = Sandbox::with_threads(&guest, limits(), 1).unwrap();
    let with = sandbox.run(&Program::call("import slow\ndef f(x): return slow.total", "f", "0")).unwrap();
    let without = common::run("import json\ndef f(x): return 2666646666700000", "0");
    assert_eq!(text(&with), text(&without));
    assert!(with.fuel_used < without.fuel_used * 2, "{} and {}", with.fuel_used, without.fuel_used);
}

#[test]
fn what_a_program_does_to_a_module_no_later_program_sees() {
    let sandbox = Sandbox::with_threads(&with_modules(), limits(), 1).unwrap();
    let look = "import tables, grid.cells\ndef f(x): return tables.rows(), hasattr(tables, 'canary'), tables.ROWS[0].row, tables.draw()";
    let clean = call(&sandbox, look);
    for polluter in [
        "import tables\ntables.canary = tables.ROWS.clear()",
        "import tables\nfor _ in range(1000): tables.rows()",
        "import sys\ndel sys.modules['tables']\nsys.modules['grid.cells'] = None",
        "import grid.cells\ngrid.cells.Cell.row = 7",
        "import tables\nwhile True: tables.rows()",
        "import tables\nwhile True: tables.ROWS.append('canary' * 1000)",
        "import tables\ndef g(): return g()\nimport sys\nsys.setrecursionlimit(10**9)\ng()",
        "import tables, random\nrandom.seed(1)\ntables.draw()",
    ] {
        sandbox.run(&Program::script(polluter)).unwrap();
        assert_eq!(call(&sandbox, look), clean, "after {polluter}");
    }
}

#[test]
fn the_same_modules_give_the_same_guest_and_the_same_fuel() {
    let (one, two) = (with_modules(), with_modules());
    assert_eq!(one.hash(), two.hash());
    assert_ne!(one.hash(), guest().hash());
    assert_ne!(
        one.hash(),
        guest().with_modules(&MODULES[..1]).map_or_else(|_| String::new(), |guest| guest.hash().to_owned())
    );
    let program = Program::call("import tables\ndef f(x): return tables.rows(), tables.draw()", "f", "0");
    let first = Sandbox::with_threads(&one, limits(), 1).unwrap().run(&program).unwrap();
    drop(one);
    drop(two);
    // Made anew: nobody holds the first any more.
    let again = Sandbox::with_threads(&with_modules(), limits(), 1).unwrap().run(&program).unwrap();
    assert_eq!((first.termination, first.fuel_used), (again.termination, again.fuel_used));
}

#[test]
fn entropy_inside_a_module_is_seen_through() {
    let sandbox = sandbox();
    for program in [
        "import tables\ndef f(x): return tables.draw()",
        "import tables\ndef f(x): return tables.first(set(['aa', 'bb', 'cc']))",
    ] {
        let items = [(program.to_owned(), vec!["0".to_owned()])];
        let verdict = sandbox.validate(&items, &Cancel::new()).remove(0).remove(0).unwrap();
        assert!(matches!(verdict, Validation::Invalid { reason: InvalidReason::Nondeterministic, .. }), "{program}");
    }
}

#[test]
fn a_modules_table_whose_keys_hash_text_is_found_under_every_setting() {
    let colours = "
from dataclasses import dataclass
from enum import Enum

class Colour(Enum):
    RED = 1
    BLUE = 2

@dataclass(frozen=True)
class Name:
    text: str

NAMES = {Colour.RED: 'red', Colour.BLUE: 'blue'}
KNOWN = {Name('one'), Name('two')}
";
    let guest = guest().with_modules(&[("colours", colours)]).unwrap();
    let sandbox = Sandbox::with_threads(&guest, limits(), 1).unwrap();
    let program = "from colours import *
def f(x):
    hash('read')
    return [NAMES[c] for c in Colour], Name('one') in KNOWN, Name('three') in KNOWN";
    let items = [(program.to_owned(), vec!["0".to_owned()])];
    let verdict = sandbox.validate(&items, &Cancel::new()).remove(0).remove(0).unwrap();
    let Validation::Valid { value, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(azr_sandbox::repr(&value), "(['red', 'blue'], True, False)");
}

#[test]
fn a_module_at_fault_is_named_with_its_line() {
    assert_eq!(fault(&[("a", "x = 1\ny = (\n")]).0, "a");
    let (name, line, message) = fault(&[("good", "x = 1"), ("a.b", "import good\n\ngood.y\n")]);
    assert_eq!((name.as_str(), line), ("a.b", 3));
    assert!(message.starts_with("AttributeError: "), "{message}");
    let (name, line, message) = fault(&[("a", "def g():\n    raise KeyError('k')"), ("b", "import a\na.g()")]);
    assert_eq!((name.as_str(), line, message.as_str()), ("a", 2, "KeyError: 'k'"));
    assert_eq!(fault(&[("a", "import b"), ("b", "x = \n")]).0, "b");
    assert_eq!(fault(&[("a", "import sys\nsys.exit(3)")]).1, 2);
    assert!(fault(&[("a", "while True: pass")]).2.contains("fuel"));
    assert!(fault(&[("a", "x = bytearray(10**9)")]).2.contains("memory"));
    assert!(fault(&[("a", "import missing")]).2.contains("missing"));
    for name in ["json", "1a", "a..b", "", "a b", "a\n"] {
        assert_eq!(fault(&[(name, "")]).0, name);
    }
    assert!(fault(&[("a", ""), ("a", "")]).2.contains("twice"));
}

fn score(verifier: &str, task: Value, answer: Value) -> Score {
    let items = [(verifier.to_owned(), task, answer)];
    sandbox().score(&items, &Cancel::new()).remove(0).unwrap()
}

fn failed(score: Score) -> InvalidReason {
    match score {
        Score::Failed { reason, .. } => reason,
        Score::Scored { score, .. } => panic!("scored {score}"),
    }
}

#[test]
fn a_verifier_scores_data_from_0_to_1() {
    let int = |number: i64| Value::Int(number.into());
    let scored = |score: Score| match score {
        Score::Scored { score, fuel_used } if fuel_used > 0 => score,
        other => panic!("{other:?}"),
    };
    assert_eq!(scored(score("def verify(task, answer): return task == answer", int(3), int(3))), 1.0);
    assert_eq!(scored(score("def verify(task, answer): return 0.25", int(3), int(3))), 0.25);
    let verifier = "import tables\ndef verify(task, answer): return answer[0] / tables.rows()[0]";
    assert_eq!(scored(score(verifier, Value::None, Value::List(vec![int(450)]))), 0.5);
    let text = Value::Str(b"__import__('os')".to_vec());
    assert_eq!(
        scored(score("def verify(task, answer): return type(answer) is str and len(answer) == 16", Value::None, text)),
        1.0
    );
}

#[test]
fn a_verifier_that_gives_no_score_is_a_typed_failure() {
    let no = |verifier: &str| failed(score(verifier, Value::None, Value::None));
    assert_eq!(no("def verify(t, a): return 1.5"), InvalidReason::NotAScore);
    assert_eq!(no("def verify(t, a): return -1"), InvalidReason::NotAScore);
    assert_eq!(no("def verify(t, a): return '1'"), InvalidReason::NotAScore);
    assert_eq!(no("def verify(t, a): return float('nan')"), InvalidReason::Outcome(OutcomeKind::NotATaskValue));
    assert_eq!(no("def verify(t, a): raise ValueError"), InvalidReason::Outcome(OutcomeKind::Raised));
    assert_eq!(no("def verify(t, a):\n    while True: pass"), InvalidReason::Outcome(OutcomeKind::OutOfFuel));
    assert_eq!(no("def other(t, a): return 1"), InvalidReason::Outcome(OutcomeKind::InvalidInput));
    assert_eq!(no("def verify(t, a:"), InvalidReason::Outcome(OutcomeKind::SyntaxError));
    assert_eq!(no("import random\ndef verify(t, a): return random.random()"), InvalidReason::Nondeterministic);
}

#[test]
fn values_reach_the_guest_as_they_are() {
    let int = |number: i64| Value::Int(number.into());
    let values = vec![
        Value::Dict(vec![(Value::Str(b"\xed\xa0\x80x".to_vec()), Value::Set(vec![int(2), int(1)]))]),
        Value::Tuple(vec![Value::Float(f64::INFINITY), Value::Complex(1.0, -0.0), Value::Bytes(vec![0, 255])]),
        Value::FrozenSet(vec![Value::None, Value::Bool(true)]),
        Value::Int(azr_sandbox::Int::from_parts(true, vec![7; 40])),
        Value::Float(-0.0),
        Value::Str("\u{1F600}".into()),
    ];
    let program = Program::call_with("def back(*xs): return list(xs)", "back", values.clone());
    let outcome = common::sandbox().run(&program).unwrap();
    let Termination::Returned(back) = &outcome.termination else { panic!("{:?}", outcome.termination) };
    assert_eq!(back.encode(), Value::List(values).encode());
    let unhashable = Value::Dict(vec![(Value::List(vec![]), Value::None)]);
    let outcome = common::sandbox().run(&Program::call_with("def f(x): return 1", "f", vec![unhashable])).unwrap();
    assert_eq!(outcome.termination.kind().name(), "invalid_input");
}
