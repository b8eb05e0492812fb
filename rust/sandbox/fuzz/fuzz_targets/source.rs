//! Text through every door that text has: programs, arguments, literals, imports. See `tests/fuzz.rs`.
#![no_main]

use std::sync::OnceLock;

use azr_sandbox::{Cancel, Ended, Guest, Limits, Program, Sandbox};
use libfuzzer_sys::fuzz_target;

#[path = "../soup.rs"]
mod soup;

fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let limits = Limits { fuel: 50_000_000, memory_bytes: 32 << 20, ..Limits::default() };
        let guest = Guest::embedded().expect("the crate's own guest loads");
        Sandbox::with_threads(&guest, limits, 1).expect("threads")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let (sandbox, text) = (sandbox(), soup::soup(bytes));
    let programs = [
        Program::script(&text),
        Program::call("def f(*x, **y): return x", "f", &text),
        Program::call("def f(x): return x", "f", "1"),
    ];
    let mut outcomes = sandbox.run_batch(&programs, &Cancel::new());
    let after = outcomes.pop().expect("three outcomes").expect("the sandbox works");
    assert!(matches!(after.ended, Ended::Returned(_)), "not fresh: {:?}", after.ended);
    for outcome in outcomes {
        let ended = outcome.expect("the sandbox works").ended;
        // Known, and in LIMITATIONS.md: the text of a syntax error that is cut inside a character.
        let known = matches!(&ended, Ended::Crashed(why) if why.contains("is not a char boundary"));
        assert!(known || !matches!(ended, Ended::Crashed(_)), "{ended:?}");
    }
    let texts = [text];
    sandbox.literals(&texts, &Cancel::new()).remove(0).expect("the sandbox works");
    let _ = sandbox.imports(&texts, &Cancel::new()).remove(0).expect("the sandbox works");
});
