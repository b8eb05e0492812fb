//! Futures: the outcomes of the blocking calls, many at once, and what a dropped one leaves.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::sync::Arc;

use azr_sandbox::{Cancel, Error, Limits, Program, Sandbox, SessionOptions, SessionRun, Termination};
use common::{guest, sandbox, text};
use tokio::sync::Notify;

/// A loop that only its limits or a switch end.
const ENDLESS: &str = "print('begun', flush=True)\nwhile True:\n    pass";

/// A sandbox of one thread, so that what is still running keeps all else out.
fn narrow() -> Sandbox {
    Sandbox::with_threads(&guest(), Limits::DEFAULT.with_fuel(i64::MAX as u64 / 4), 1).unwrap()
}

#[tokio::test]
async fn a_future_has_the_outcome_of_the_blocking_call() {
    let programs: Vec<_> = (0..20).map(|n| Program::call("def f(n): return n * n", "f", n.to_string())).collect();
    let found = sandbox().run_batch_async(programs.clone()).await.unwrap();
    for (program, found) in programs.into_iter().zip(found) {
        let found = found.unwrap();
        assert_eq!(found, sandbox().run(&program).unwrap());
        assert_eq!(found, sandbox().run_async(program).await.unwrap());
    }
    let Err(Error::BadLimit { .. }) =
        sandbox().run_async(Program::script("pass").with_limits(Limits::DEFAULT.with_fuel(u64::MAX))).await
    else {
        panic!("a limit that no run can keep is an error here, too");
    };
}

#[tokio::test]
async fn a_thread_goes_on_while_programs_run() {
    let sandbox = narrow();
    let cancelled = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { sandbox.run_async(Program::script(ENDLESS)).await }
    });
    // On this runtime's one thread: were it blocked, nothing would come after.
    tokio::task::yield_now().await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    assert_eq!(text(&sandbox.run_async(Program::script("1")).await.unwrap()), "None");
}

#[tokio::test]
async fn a_dropped_future_frees_its_thread_and_its_session_run_has_never_happened() {
    let sandbox = narrow();
    let mut session = sandbox.session(SessionOptions::new()).unwrap();
    session.run("x = 1").unwrap();
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let run = SessionRun::new(format!("x = 2\n{ENDLESS}")).with_output(move |_, _| told.notify_one());
    tokio::select! {
        biased;
        outcome = session.run_async(run) => panic!("an endless loop ended: {outcome:?}"),
        () = begun.notified() => {}
    }
    assert_eq!(text(&session.run_async(SessionRun::new("x")).await.unwrap()), "1");
}

#[tokio::test]
async fn the_runs_own_switch_stops_it_too() {
    let sandbox = narrow();
    let mut session = sandbox.session(SessionOptions::new()).unwrap();
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let run = SessionRun::new(ENDLESS).with_cancel(&cancel).with_output(move |_, _| switch.cancel());
    assert!(matches!(session.run_async(run).await, Err(Error::Cancelled)));
    let after = session.run_async(SessionRun::new("2 + 2")).await.unwrap();
    assert!(matches!(after.termination, Termination::Returned(_)));
}
