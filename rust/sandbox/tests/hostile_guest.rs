//! A guest that is not ours cannot make the host panic, read outside its memory, or allocate at will.

#![expect(clippy::unwrap_used, reason = "helpers of tests: one that panics has failed")]

use azr_sandbox::{Cancel, Error, Guest, Limits, Program, Sandbox, embedded_wasm};

/// A module with a guest's exports whose `azr_run` does as `body` says.
fn module(begin: &str, body: &str) -> Vec<u8> {
    with_next(begin, "(i32.const 9200000)", body)
}

fn with_next(begin: &str, next: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "(module
            (memory (export \"memory\") 160)
            (global (export \"__stack_pointer\") (mut i32) (i32.const 8388608))
            (global (export \"AZR_ABORT\") i32 (i32.const 9000000))
            (global (export \"AZR_PANIC\") i32 (i32.const 9000016))
            (func (export \"azr_begin\") (param i32 i32 i32) (result i32) {begin})
            (func (export \"azr_next\") (param i32) (result i32) {next})
            (func (export \"azr_run\") (param i32 i32) (result i64) {body})
            (data (i32.const 9000000) \"\\00\"))"
    );
    wat::parse_str(text).unwrap()
}

/// What making a sandbox on the module and running a program on it gives.
fn run(wasm: &[u8]) -> Result<(), Error> {
    let guest = Guest::from_wasm(wasm)?;
    let limits = Limits::DEFAULT.with_fuel(1 << 24);
    Sandbox::with_threads(&guest, limits, 1)?.run(&Program::script("1")).map(|_| ())
}

#[test]
fn wild_pointers_and_lengths_are_errors() {
    for place in ["-1", "0xffffffff00000001", "0x00000001ffffffff", "0x4a00000000010000", "0x7fffffff7fffffff"] {
        let error = run(&module("(i32.const 9100000)", &format!("(i64.const {place})"))).unwrap_err();
        assert!(matches!(error, Error::GuestContract(_)), "{place}: {error}");
    }
    for begin in ["(i32.const -1)", "(i32.const 0x7fffffff)"] {
        let error = run(&module(begin, "(i64.const 0)")).unwrap_err();
        assert!(matches!(error, Error::GuestContract(_)), "{begin}: {error}");
    }
}

/// A guest that loads every program, answers the self-test's call (`[1]`), and does as `body` says when it is called with
/// anything else; `next` says where it wants the call's bytes.
fn that_loads(next: &str, body: &str) -> Vec<u8> {
    // Its answer is the one byte 4 at 9,300,000: that a program is loaded.
    let loaded = "(i32.store8 (i32.const 9300000) (i32.const 4)) (i64.const 0x008de82000000001)";
    let run = format!(
        "(if (result i64) (i32.eqz (i32.load8_u (local.get 0)))
          (then {loaded})
          (else (if (result i64)
            (i32.eq (i32.load8_u (i32.sub (i32.add (local.get 0) (local.get 1)) (i32.const 1))) (i32.const 93))
            (then {loaded})
            (else {body}))))"
    );
    with_next("(i32.const 9100000)", next, &run)
}

#[test]
fn a_guest_that_loads_and_then_lies_is_an_error_of_each_call() {
    let stored = "(i64.const 0x008de82000000001)";
    for (next, body) in [
        ("(i32.const 9200000)", "(i64.const -1)".to_owned()),
        ("(i32.const 9200000)", "(i64.const 0x7fffffff7fffffff)".to_owned()),
        ("(i32.const 9200000)", format!("(global.set 0 (i32.const 3)) {stored}")),
        // All of its memory: more than a checkpoint puts back.
        ("(i32.const 9200000)", format!("(memory.fill (i32.const 0) (i32.const 255) (i32.const 10485760)) {stored}")),
        // Where the self-test's call is read from as well, so that only a later one is out of bounds.
        ("(i32.add (i32.mul (local.get 0) (i32.const 0)) (i32.const 10485750))", stored.to_owned()),
    ] {
        let guest = match Guest::from_wasm(&that_loads(next, &body)) {
            Ok(guest) => guest,
            Err(error) => {
                assert!(matches!(error, Error::GuestContract(_)), "{body}: {error}");
                continue;
            }
        };
        let limits = Limits::DEFAULT.with_fuel(1 << 28);
        let sandbox = Sandbox::with_threads(&guest, limits, 1).unwrap();
        let calls: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        for outcome in sandbox.run_calls("f = 1", "f", &calls, &Cancel::new()) {
            assert!(matches!(outcome, Err(Error::GuestContract(_))), "{body}: {outcome:?}");
        }
    }
}

#[test]
fn a_guest_that_traps_when_it_is_called_has_an_outcome_for_each_call() {
    for (body, kind) in [("(unreachable)", "crashed"), ("(loop (result i64) (br 0))", "out_of_fuel")] {
        let guest = Guest::from_wasm(&that_loads("(i32.const 9200000)", body)).unwrap();
        let limits = Limits::DEFAULT.with_fuel(1 << 24);
        let sandbox = Sandbox::with_threads(&guest, limits, 1).unwrap();
        let calls: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        for outcome in sandbox.run_calls("f = 1", "f", &calls, &Cancel::new()) {
            assert_eq!(outcome.unwrap().termination.kind().name(), kind);
        }
    }
}

#[test]
fn responses_of_any_bytes_are_decoded_without_harm() {
    // The request itself, zeros, and what looks like a list of four billion items.
    for place in ["0x008adae000000010", "0x0000000000000040"] {
        let error = run(&module("(i32.const 9100000)", &format!("(i64.const {place})"))).unwrap_err();
        assert!(matches!(error, Error::GuestContract(_)), "{place}: {error}");
    }
}

#[test]
fn a_guest_that_traps_in_start_up_samples_is_refused() {
    assert!(run(&module("unreachable", "(i64.const 0)")).is_err());
    assert!(run(&module("(loop (br 0)) (i32.const 0)", "(i64.const 0)")).is_err());
}

#[test]
fn modules_that_could_keep_state_or_reach_out_are_no_guests() {
    let refused = [
        ("(import \"host\" \"f\" (func))", "imports"),
        // Its own function has a number that no function would have without the import.
        ("(import \"host\" \"f\" (func)) (func (call 1))", "imports"),
        ("(global (mut i32) (i32.const 0))", "mutable"),
        ("(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))", "state"),
        ("(start $s) (func $s)", "start"),
        ("(table 1 funcref)", "no functions"),
    ];
    for (part, word) in refused {
        let text = format!(
            "(module {part} (memory (export \"memory\") 1)
              (global (export \"__stack_pointer\") (mut i32) (i32.const 0)))"
        );
        // An import must stand first, so all parts do.
        let error = Guest::from_wasm(&wat::parse_str(text).unwrap()).unwrap_err();
        assert!(error.to_string().contains(word), "{part}: {error}");
    }
    assert!(Guest::from_wasm(b"\0asm garbage").is_err());
    assert!(Guest::from_wasm(&wat::parse_str("(module (memory 1) (memory 1))").unwrap()).is_err());
}

#[test]
fn the_shipped_guest_imports_nothing() {
    let wasm = embedded_wasm().unwrap();
    let imports = wasmparser::Parser::new(0)
        .parse_all(&wasm)
        .filter(|payload| matches!(payload, Ok(wasmparser::Payload::ImportSection(section)) if section.count() > 0));
    assert_eq!(imports.count(), 0);
}
