//! Run programs, validate a task, score an answer: `cargo run --release -p azr-sandbox --example embed`.
#![allow(clippy::print_stdout)] // an example shows what it does

use azr_sandbox::{Guest, Limits, Program, Sandbox, Termination, repr};

fn main() -> Result<(), azr_sandbox::Error> {
    // The crate's build script has compiled the interpreter: this loads it.
    let sandbox = Sandbox::new(&Guest::embedded()?, Limits::default())?;

    // However a program ends is a value; only a failure of the sandbox is an error.
    let sorted = Program::call("def f(xs):\n    return sorted(xs)[-1]", "f", "[3, 1, 2]");
    let failing = Program::call("def f(xs):\n    return xs[9]", "f", "[3, 1, 2]");
    let endless = Program::call("def f(xs):\n    while True: pass", "f", "[]");
    for program in [sorted, failing, endless] {
        let outcome = sandbox.run(&program)?;
        match outcome.termination {
            Termination::Returned(value) => println!("returned {} for {} fuel", repr(&value), outcome.fuel_used),
            termination => println!("{termination:?}"),
        }
    }
    Ok(())
}
