//! A guest that is not ours cannot make the host panic, read outside its memory, or allocate at will.

#![expect(clippy::unwrap_used, reason = "helpers of tests: one that panics has failed")]

use azr_sandbox::{Error, Guest, Limits, Program, Sandbox, embedded_wasm};

/// A module with a guest's exports whose `azr_run` does as `body` says.
fn module(begin: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "(module
            (memory (export \"memory\") 160)
            (global (export \"__stack_pointer\") (mut i32) (i32.const 8388608))
            (global (export \"AZR_ABORT\") i32 (i32.const 9000000))
            (global (export \"AZR_PANIC\") i32 (i32.const 9000016))
            (func (export \"azr_begin\") (param i32 i32 i32) (result i32) {begin})
            (func (export \"azr_next\") (param i32) (result i32) (i32.const 9200000))
            (func (export \"azr_run\") (param i32 i32) (result i64) {body})
            (data (i32.const 9000000) \"\\00\"))"
    );
    wat::parse_str(text).unwrap()
}

/// What making a sandbox on the module and running a program on it gives.
fn run(wasm: &[u8]) -> Result<(), Error> {
    let guest = Guest::from_wasm(wasm)?;
    let limits = Limits { fuel: 1 << 24, ..Limits::default() };
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
        ("(global (mut i32) (i32.const 0))", "mutable"),
        ("(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))", "state"),
        ("(start $s) (func $s)", "start"),
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
