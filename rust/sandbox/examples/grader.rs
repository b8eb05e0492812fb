//! Grades answers: JSON lines in, JSON lines out.
//!
//! ```sh
//! cargo run --release --example grader < answers.jsonl
//! ```
//!
//! A row holds a program and the tests that it must pass: `{"id": 7, "program": "def f(x): return x + 1",
//! "tests": [["1", "2"], ["-1", "0"]]}`, each test an argument text and the expected value as a literal. Out
//! comes `{"id": 7, "passed": 2, "of": 2, "ended": ["returned", "returned"]}`. The expected values are never in
//! the interpreter that runs the program.

#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::io::{BufRead, stdin};

use azr_sandbox::{Cancel, Equality, Guest, Limits, Literal, Sandbox, Value};
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::new(&Guest::embedded()?, Limits::DEFAULT.with_fuel(1_000_000_000))?;
    for (number, line) in stdin().lock().lines().enumerate() {
        let row: Json = serde_json::from_str(&line?).map_err(|error| format!("line {}: {error}", number + 1))?;
        println!("{}", grade(&sandbox, &row).map_err(|why| format!("line {}: {why}", number + 1))?);
    }
    Ok(())
}

/// The verdict on one row.
fn grade(sandbox: &Sandbox, row: &Json) -> Result<Json, Box<dyn Error>> {
    let program = row["program"].as_str().ok_or("it has no program")?;
    let tests = row["tests"].as_array().ok_or("it has no tests")?;
    let mut pairs = Vec::new();
    for test in tests {
        let (Some(input), Some(output)) = (test[0].as_str(), test[1].as_str()) else {
            return Err("a test is [arguments, expected value], both texts".into());
        };
        pairs.push((input.to_owned(), value(sandbox, output)?));
    }
    let none = Cancel::new();
    let checks = sandbox.check_program(&[(program.to_owned(), pairs)], Equality::PYTHON, &none).remove(0);
    let (mut passed, mut termination) = (0, Vec::new());
    for check in checks {
        let check = check?;
        passed += usize::from(check.correct);
        termination.push(check.outcome.map(|outcome| outcome.termination.kind().name()));
    }
    Ok(json!({ "id": row["id"], "passed": passed, "of": tests.len(), "ended": termination }))
}

fn value(sandbox: &Sandbox, text: &str) -> Result<Value, Box<dyn Error>> {
    match sandbox.literals(&[text.to_owned()], &Cancel::new()).remove(0)? {
        Literal::Value(value) => Ok(value),
        Literal::Invalid(why) => Err(format!("{text}: {why}").into()),
    }
}
