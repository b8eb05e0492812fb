//! Functions of the embedder's: what crosses, what does not, and programs that mean harm.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use azr_sandbox::{
    Arguments, Cancel, Error, Exception, FunctionTable, Functions, Program, Record, Recorded, Replayed, Sandbox,
    Session, SessionOptions, SessionRun, Value,
};
use common::{guest, limits, sandbox};

fn table() -> FunctionTable {
    FunctionTable::new()
        .with("echo", |arguments: Arguments| {
            Ok(Value::Tuple(vec![
                Value::Tuple(arguments.positional),
                Value::Dict(
                    arguments.named.into_iter().map(|(name, value)| (Value::Str(name.into_bytes()), value)).collect(),
                ),
            ]))
        })
        .with("fail", |arguments: Arguments| match &arguments.positional[..] {
            [Value::Str(class)] => Err(Exception::new(String::from_utf8(class.clone()).unwrap(), "told so")),
            _ => panic!("a bug of the embedder's"),
        })
        .with("large", |_| Ok(Value::Bytes(vec![0; 1 << 20])))
}

fn with(functions: impl Functions + 'static) -> Session {
    sandbox().session(SessionOptions::new().with_functions(functions)).unwrap()
}

fn run(session: &mut Session, source: &str) -> String {
    common::text(&session.run(source).unwrap())
}

#[test]
fn arguments_and_results_are_plain_data_both_ways() {
    let mut session = with(table());
    assert_eq!(run(&mut session, "echo()"), "((), {})");
    let source = "echo(1, [2.5, None], 'a', k={1: {2}}, b=b'x')";
    assert_eq!(run(&mut session, source), "((1, [2.5, None], 'a'), {'k': {1: {2}}, 'b': b'x'})");
    assert_eq!(run(&mut session, "echo.__name__"), "'echo'");
    assert_eq!(run(&mut session, "list(map(echo, [1]))"), "[((1,), {})]");
}

#[test]
fn what_is_no_plain_data_does_not_cross() {
    let mut session = with(table());
    for bad in ["object()", "lambda: 1", "type('L', (list,), {})()", "float('nan')", "b'x' * 100_000"] {
        assert_eq!(run(&mut session, &format!("echo({bad})")), "TypeError", "{bad}");
    }
    let nested = "x = []\nfor _ in range(200): x = [x]\necho(x)";
    assert_eq!(run(&mut session, nested), "TypeError");
    assert_eq!(run(&mut session, "large()"), "ValueError");
}

#[test]
fn exceptions_are_raised_by_the_name_of_a_class_that_programs_may_catch() {
    let mut session = with(table());
    assert_eq!(
        run(&mut session, "try:\n    fail('KeyError')\nexcept KeyError as e:\n    x = e.args\nx"),
        "('told so',)"
    );
    for class in ["SystemExit", "KeyboardInterrupt", "print", "NoSuchClass", "BaseException", "__import__"] {
        assert_eq!(run(&mut session, &format!("fail('{class}')")), "RuntimeError", "{class}");
    }
    assert_eq!(run(&mut session, "fail()"), "RuntimeError", "a panic");
    assert_eq!(run(&mut session, "echo(1)"), "((1,), {})", "and the session goes on");
}

#[test]
fn a_program_reaches_no_function_that_it_was_not_given() {
    let mut session = with(table());
    for name in ["secret", "", "echo\\0", "../echo"] {
        assert_eq!(run(&mut session, &format!("import _azr\n_azr.call('{name}', 1)")), "NameError", "{name}");
    }
    let mut without = sandbox().session(SessionOptions::new()).unwrap();
    let outcome = without.run("import _azr\n_azr.call('echo', 1)");
    // There is no door for it: its guest broke the contract, which is no outcome that a verdict follows from.
    assert!(matches!(&outcome, Err(Error::GuestContract(_))), "{outcome:?}");
}

#[test]
fn a_plain_program_has_no_door_at_all() {
    let outcome = common::script("import _azr\n_azr.call('echo')");
    assert_eq!(common::text(&outcome), "crashed");
    assert_eq!(common::text(&common::run("def f(n):\n    return n", "3")), "3");
}

#[test]
fn calls_take_fuel_so_that_no_program_calls_for_ever() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let mut session = with(FunctionTable::new().with("tick", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Value::None)
    }));
    let endless = SessionRun::new("while True: tick()").with_fuel(100_000_000);
    assert_eq!(common::text(&session.run_with(&endless).unwrap()), "out_of_fuel");
    assert!((1..10_000).contains(&calls.load(Ordering::Relaxed)));
    let one = session.run("tick()").unwrap().fuel_used;
    let two = session.run("tick()").unwrap().fuel_used;
    assert!(one >= 10_000 && one.abs_diff(two) < one / 2, "{one}, {two}");
}

#[test]
fn a_switch_that_a_function_turns_stops_the_run_when_it_returns() {
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let mut session = with(FunctionTable::new().with("stop", move |_| {
        switch.cancel();
        Ok(Value::None)
    }));
    let run = SessionRun::new("stop()\nx = 1").with_cancel(&cancel);
    assert!(matches!(session.run_with(&run), Err(Error::Cancelled)));
    assert_eq!(common::text(&session.get("x").unwrap()), "NameError");
}

#[test]
fn a_function_that_calls_the_sandbox_back_is_refused_and_not_waited_for_for_ever() {
    static OTHER: OnceLock<Sandbox> = OnceLock::new();
    let other = OTHER.get_or_init(|| Sandbox::with_threads(&guest(), limits(), 1).unwrap());
    let functions = FunctionTable::new().with("back", |_| {
        let other = OTHER.get().unwrap();
        match (other.run(&Program::script("1")), other.session(SessionOptions::new())) {
            (Err(Error::CalledBack), Err(Error::CalledBack)) => Ok(Value::Str(b"refused".to_vec())),
            others => Err(Exception::new("RuntimeError", format!("{others:?}"))),
        }
    });
    let mut session = other.session(SessionOptions::new().with_functions(functions)).unwrap();
    assert_eq!(run(&mut session, "back()"), "'refused'");
    // Another sandbox's threads are free.
    let mut session = with(FunctionTable::new().with("ask", |_| {
        let outcome = OTHER.get().unwrap().run(&Program::call("def f(n):\n    return n + 1", "f", "1"));
        outcome.map(|_| Value::Bool(true)).map_err(|error| Exception::new("RuntimeError", error.to_string()))
    }));
    assert_eq!(run(&mut session, "ask()"), "True");
}

#[test]
fn a_recorded_run_is_the_same_with_its_functions_answered_from_the_record() {
    let clock = Arc::new(AtomicI64::new(0));
    let ticks = Arc::clone(&clock);
    let live = Arc::new(Recorded::new(
        FunctionTable::new().with("now", move |_| Ok(Value::Int(ticks.fetch_add(7, Ordering::Relaxed).into()))),
    ));
    struct Shared(Arc<Recorded<FunctionTable>>);
    impl Functions for Shared {
        fn names(&self) -> Vec<String> {
            self.0.names()
        }
        fn call(&self, name: &str, arguments: Arguments) -> Result<Value, Exception> {
            self.0.call(name, arguments)
        }
    }
    let source = "a = now(); b = now('x')\n(a, b)";
    let first = with(Shared(Arc::clone(&live))).run(source).unwrap();
    assert_eq!(common::text(&first), "(0, 7)");
    let record = Record::decode(&live.record().encode()).unwrap();
    assert_eq!(record.len(), 2);
    let replayed = || Replayed::new(vec!["now".to_owned()], record.clone());
    assert_eq!(with(replayed()).run(source).unwrap(), first);
    assert_eq!(run(&mut with(replayed()), "now('other')"), "RuntimeError", "another call than the recorded one");
}

#[test]
fn values_that_functions_return_are_bounded_and_never_believed_by_their_length() {
    let small = limits().with_value_bytes(1 << 10);
    let options = SessionOptions::new().with_limits(small).with_functions(table());
    let mut session = sandbox().session(options).unwrap();
    assert_eq!(run(&mut session, "echo('x' * 2000)"), "TypeError");
    assert_eq!(run(&mut session, "len(echo('x' * 500)[0][0])"), "500");
}
