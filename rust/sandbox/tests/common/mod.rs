//! A sandbox for tests: the embedded guest, compiled once for all test binaries of a build.

#![expect(clippy::unwrap_used, reason = "helpers of tests: one that panics has failed")]
#![expect(unsafe_code, reason = "loads what it compiled itself, from the build's own folder")]
#![allow(dead_code, unreachable_pub, clippy::allow_attributes, reason = "each test binary uses a part")]

use std::path::PathBuf;
use std::sync::OnceLock;

use azr_sandbox::{Cancel, Guest, Limits, Outcome, Program, Sandbox, Target, Termination, embedded_wasm, repr};

pub fn guest() -> Guest {
    static GUEST: OnceLock<Guest> = OnceLock::new();
    GUEST
        .get_or_init(|| {
            let wasm = embedded_wasm().unwrap();
            let name = format!("guest-{}.code", blake3::hash(&wasm).to_hex());
            let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
            // SAFETY: `Guest::precompile` of a build in this folder wrote the file, if there is one.
            let load = || unsafe { Guest::from_precompiled(&std::fs::read(&path).ok()?) }.ok();
            // A file of another version is refused, and made anew.
            load().unwrap_or_else(|| {
                let partial = path.with_extension(std::process::id().to_string());
                std::fs::write(&partial, Guest::precompile(&wasm, Target::Native).unwrap()).unwrap();
                std::fs::rename(&partial, &path).unwrap();
                load().unwrap()
            })
        })
        .clone()
}

/// Small limits, so that what should hit one hits it soon.
pub fn limits() -> Limits {
    Limits::DEFAULT.with_fuel(2_000_000_000).with_memory_bytes(64 << 20)
}

pub fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::with_threads(&guest(), limits(), 2).unwrap())
}

pub fn run(program: &str, arguments: &str) -> Outcome {
    sandbox().run(&Program::call(program, "f", arguments)).unwrap()
}

pub fn script(program: &str) -> Outcome {
    sandbox().run(&Program::script(program)).unwrap()
}

/// The returned value's text, or how else the program ended.
pub fn text(outcome: &Outcome) -> String {
    match &outcome.termination {
        Termination::Returned(value) => repr(value),
        Termination::Raised { class, .. } => class.clone(),
        other => other.kind().to_string(),
    }
}

/// Each function's value, or how it ends, is the one that CPython gives.
pub fn check(cases: &[(&str, &str)]) {
    for (program, value) in cases {
        assert_eq!(text(&run(program, "0")), *value, "{program}");
    }
}

pub fn run_all(programs: &[Program]) -> Vec<Outcome> {
    sandbox().run_batch(programs, &Cancel::new()).into_iter().map(Result::unwrap).collect()
}
