//! A Python tool for an agent: JSON requests in, JSON answers out, one a line, until the input ends.
//!
//! ```sh
//! echo '{"code": "print(sum(range(10)))"}' | cargo run --release --example agent_tool
//! ```
//!
//! A request is `{"code": "..."}`, with `"call": "f(3)"` to evaluate a call after it, and optionally `"fuel"` and
//! `"memory_mb"` below the tool's own limits. Every request runs in a fresh interpreter. What the model gets back
//! says how its code ended, so that it can mend it; the tool itself fails only when the sandbox does.

#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::error::Error;
use std::io::{BufRead, stdin};

use azr_sandbox::{Guest, Limits, Outcome, Program, Sandbox, Termination, repr};
use serde_json::{Value as Json, json};

/// What a model may not raise.
const MOST: Limits = Limits::DEFAULT
    .with_fuel(5_000_000_000)
    .with_memory_bytes(128 << 20)
    .with_output_bytes(64 << 10)
    .with_value_bytes(64 << 10)
    .with_source_bytes(64 << 10)
    .with_nesting(100)
    .with_wall(std::time::Duration::from_secs(30));

fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::with_threads(&Guest::embedded()?, MOST, 1)?;
    for line in stdin().lock().lines() {
        let answer = match program(&line?) {
            Ok(program) => answer(sandbox.run(&program)?),
            Err(why) => json!({ "error": format!("not a request: {why}") }),
        };
        println!("{answer}");
    }
    Ok(())
}

/// The program of a request line.
fn program(line: &str) -> Result<Program, String> {
    let request: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let code = request["code"].as_str().ok_or("it has no code")?;
    let program = match request["call"].as_str() {
        None => Program::script(code),
        Some(call) => {
            let (entry, rest) = call.split_once('(').ok_or("call is no call")?;
            let arguments = rest.trim_end().strip_suffix(')').ok_or("call is no call")?;
            Program::call(code, entry.trim(), arguments)
        }
    };
    let fuel = request["fuel"].as_u64().unwrap_or(MOST.fuel).clamp(1, MOST.fuel);
    let megabytes = u32::try_from(request["memory_mb"].as_u64().unwrap_or(128).clamp(1, 128)).expect("at most 128");
    Ok(program.with_limits(MOST.with_fuel(fuel).with_memory_bytes(megabytes << 20)))
}

/// What the model is told.
fn answer(outcome: Outcome) -> Json {
    let detail = match &outcome.termination {
        Termination::Returned(value) => json!({ "value": repr(value) }),
        Termination::Raised { class, message, traceback } => {
            let lines: Vec<String> =
                traceback.iter().map(|frame| format!("line {}, in {}", frame.line, frame.function)).collect();
            json!({ "exception": class, "message": message, "traceback": lines })
        }
        Termination::SyntaxError { message, line } => json!({ "message": message, "line": line }),
        Termination::InvalidInput(why) | Termination::NotATaskValue(why) | Termination::Crashed(why) => {
            json!({ "message": why })
        }
        Termination::OutOfFuel { limit } => json!({ "limit": limit }),
        Termination::OutOfMemory { limit } | Termination::OutputTooLong { limit } => json!({ "limit": limit }),
        _ => json!({}),
    };
    json!({
        "ended": outcome.termination.kind().name(), "detail": detail, "stdout": outcome.stdout, "stderr": outcome.stderr,
        "fuel_used": outcome.fuel_used,
    })
}
