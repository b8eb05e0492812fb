//! The process's signal handlers. One test in a process of its own: others would meet what it does to them.

#![cfg(all(unix, feature = "compiler"))]
#![expect(unsafe_code, reason = "takes signal handlers away")]

mod common;

use azr_sandbox::{Program, Termination};

#[test]
fn a_trap_is_an_outcome_also_where_the_handlers_were_taken_away() {
    let sandbox = common::sandbox();
    let hungry = Program::call("def f(xs):\n    while True:\n        xs.append(bytearray(100_000))", "f", "[]");
    for _ in 0..2 {
        let termination = sandbox.run(&hungry).unwrap().termination;
        assert!(matches!(termination, Termination::OutOfMemory { .. }), "{termination:?}");
        for signal in [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE] {
            // SAFETY: the system's own action for a signal is always right, and no guest is running.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    }
}
