//! Text through every door that text has: programs, arguments, literals, imports. See `tests/fuzz.rs`.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use azr_sandbox::{Cancel, Guest, Limits, Program, Sandbox, Target, Termination, embedded_wasm};
use libfuzzer_sys::fuzz_target;

#[path = "../soup.rs"]
mod soup;

/// The embedded guest, from the file that the tests keep it in, made if need be: Cranelift takes minutes under a
/// sanitizer, and as long in every run.
fn guest() -> Guest {
    let wasm = embedded_wasm().expect("the crate's own guest is whole");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/tmp");
    let path = folder.join(format!("guest-{}.code", blake3::hash(&wasm).to_hex()));
    // SAFETY: `Guest::precompile` of a build in this folder wrote the file, if there is one.
    let load = || unsafe { Guest::from_precompiled(&fs::read(&path).ok()?) }.ok();
    load().unwrap_or_else(|| {
        let partial = path.with_extension(std::process::id().to_string());
        fs::create_dir_all(&folder).expect("the folder can be made");
        fs::write(&partial, Guest::precompile(&wasm, Target::Native).expect("it compiles")).expect("it can be written");
        fs::rename(&partial, &path).expect("it can be written");
        load().expect("what was compiled here loads")
    })
}

fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| {
        let limits = Limits::DEFAULT.with_fuel(50_000_000).with_memory_bytes(32 << 20);
        Sandbox::with_threads(&guest(), limits, 1).expect("threads")
    })
}

fuzz_target!(init: { sandbox(); }, |bytes: &[u8]| {
    let (sandbox, text) = (sandbox(), soup::soup(bytes));
    let programs = [
        Program::script(&text),
        Program::call("def f(*x, **y): return x", "f", &text),
        Program::call("def f(x): return x", "f", "1"),
    ];
    let mut outcomes = sandbox.run_batch(&programs, &Cancel::new());
    let after = outcomes.pop().expect("three outcomes").expect("the sandbox works");
    assert!(matches!(after.termination, Termination::Returned(_)), "not fresh: {:?}", after.termination);
    for outcome in outcomes {
        let termination = outcome.expect("the sandbox works").termination;
        // Known, and in LIMITATIONS.md: the text of a syntax error that is cut inside a character.
        let known = matches!(&termination, Termination::Crashed(why) if why.contains("is not a char boundary"));
        assert!(known || !matches!(termination, Termination::Crashed(_)), "{termination:?}");
    }
    let texts = [text];
    sandbox.literals(&texts, &Cancel::new()).remove(0).expect("the sandbox works");
    let _ = sandbox.imports(&texts, &Cancel::new()).remove(0).expect("the sandbox works");
});
