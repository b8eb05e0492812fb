//! Sessions: state that lasts, branches, snapshots; and what must not pass between them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use azr_sandbox::{
    Cancel, Error, ExecMode, Sandbox, Session, SessionOptions, SessionRun, Stream, Termination, Value, repr,
};
use common::{guest, limits, sandbox};

fn session() -> Session {
    sandbox().session(SessionOptions::new()).unwrap()
}

/// What a run returns, as text, or how else it ended.
fn run(session: &mut Session, source: &str) -> String {
    common::text(&session.run(source).unwrap())
}

#[test]
fn variables_functions_classes_and_modules_last_from_run_to_run() {
    let mut session = session();
    assert_eq!(run(&mut session, "import math\nx = 20"), "None");
    assert_eq!(run(&mut session, "def f(n):\n    return n * x\nclass C:\n    y = 3"), "None");
    assert_eq!(run(&mut session, "x += 1\nf(2) + C.y + math.floor(0.5)"), "45");
    assert_eq!(common::text(&session.call("f", vec![Value::Int(10.into())]).unwrap()), "210");
    let outcome = session.run("print('seen')").unwrap();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("seen\n", ""));
    assert_eq!(session.run("pass").unwrap().stdout, "");
}

#[test]
fn variables_are_read_and_set_as_plain_data() {
    let mut session = session();
    let value = Value::List(vec![Value::Int(1.into()), Value::Str(b"a".to_vec())]);
    session.set(vec![("rows".to_owned(), value.clone())]).unwrap();
    assert_eq!(run(&mut session, "rows.append(None)\nlen(rows)"), "3");
    assert_eq!(repr(&value), "[1, 'a']");
    assert_eq!(common::text(&session.get("rows").unwrap()), "[1, 'a', None]");
    assert_eq!(common::text(&session.get("missing").unwrap()), "NameError");
    assert_eq!(run(&mut session, "o = object()"), "None");
    assert_eq!(common::text(&session.get("o").unwrap()), "not_a_task_value");
    assert!(session.set(vec![("not a name".to_owned(), value)]).is_err());
}

#[test]
fn an_exception_leaves_what_the_program_did_before_it() {
    let mut session = session();
    assert_eq!(run(&mut session, "x = 1\ny = [1]\ny.append(2)\nraise ValueError('no')\nx = 2"), "ValueError");
    assert_eq!(run(&mut session, "x, y"), "(1, [1, 2])");
    assert_eq!(run(&mut session, "x = (1"), "syntax_error");
    assert_eq!(run(&mut session, "x"), "1");
}

#[test]
fn a_run_that_a_limit_stops_has_never_happened() {
    let mut session = session();
    run(&mut session, "x = 1");
    for (source, end) in [
        ("x = 2\nwhile True: pass", "out_of_fuel"),
        ("x = 2\ny = [0] * 10**8", "out_of_memory"),
        ("x = 2\nprint('x' * 10**7)", "output_too_long"),
        ("x = 2\nimport os\nos._exit(1)", "SystemExit"),
    ] {
        let short = SessionRun::new(source).with_fuel(500_000_000);
        assert_eq!(common::text(&session.run_with(&short).unwrap()), end, "{source}");
        assert_eq!(run(&mut session, "x"), "1", "after {source}");
    }
}

#[test]
fn fuel_is_bounded_for_each_run_and_for_all_and_memory_for_the_session() {
    let options = SessionOptions::new().with_fuel(400_000_000);
    let mut bounded = sandbox().session(options).unwrap();
    let busy = "for i in range(100_000): pass";
    let ends: Vec<String> = (0..30).map(|_| run(&mut bounded, busy)).collect();
    assert_eq!(ends[0], "None");
    assert_eq!(ends[29], "out_of_fuel");
    let point = bounded.branch();
    bounded.return_to(&point).unwrap();
    assert_eq!(run(&mut bounded, busy), "out_of_fuel", "going back gives no fuel back");

    let mut session = session();
    run(&mut session, "kept = []");
    let ends: Vec<String> = (0..40).map(|_| run(&mut session, "kept.append(bytearray(4 << 20))")).collect();
    assert_eq!((ends[0].as_str(), ends[39].as_str()), ("None", "out_of_memory"));
}

#[test]
fn a_thousand_requests_take_no_memory_that_a_session_does_not_keep() {
    let mut session = session();
    run(&mut session, "x = 0");
    let text = format!("x += 1\n# {}", "a".repeat(50_000));
    for _ in 0..20 {
        run(&mut session, &text);
    }
    let before = session.bytes();
    for _ in 0..200 {
        run(&mut session, &text);
    }
    assert_eq!(run(&mut session, "x"), "220");
    assert!(session.bytes() <= before + (1 << 20), "{} bytes, then {}", before, session.bytes());
}

#[test]
fn branches_share_a_past_and_nothing_else() {
    let mut trunk = session();
    run(&mut trunk, "x = [1]\nsecret = None");
    let mut left = trunk.branch();
    let mut right = trunk.branch();
    run(&mut left, "x.append('left')\nsecret = 'CANARY-LEFT'\nimport builtins\nbuiltins.seen = 'CANARY-LEFT'");
    run(&mut right, "x.append('right')");
    assert_eq!(run(&mut trunk, "x, secret"), "([1], None)");
    assert_eq!(run(&mut left, "x"), "[1, 'left']");
    let search = "import builtins\nx, secret, hasattr(builtins, 'seen')";
    assert_eq!(run(&mut right, search), "([1, 'right'], None, False)");
    left.return_to(&trunk).unwrap();
    assert_eq!(run(&mut left, "x, secret"), "([1], None)");
    assert!(matches!(left.return_to(&session()), Err(Error::BadSession(_))));
}

#[test]
fn no_byte_of_one_session_is_in_the_memory_of_another() {
    let canary = "CANARY-7f3a";
    let mut first = session();
    run(&mut first, &format!("keep = ['{canary}' + str(i) for i in range(20_000)]\nopen_ = {{'{canary}': keep}}"));
    let mut second = session();
    run(&mut second, "x = 1");
    let bytes = second.snapshot(None);
    assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()));
    let bytes = first.snapshot(None);
    assert!(bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "the search finds it where it is");
    // Nor in plain runs that share the threads.
    let outcome = common::script("import gc\nprint(any('CANARY-7f3a' in repr(o)[:100] for o in gc.get_objects()))");
    assert_eq!(outcome.stdout, "False\n");
}

#[test]
fn a_session_goes_on_from_its_snapshot_and_takes_the_same_fuel() {
    let mut session = session();
    run(
        &mut session,
        "import random\nrandom.seed(3)\nx = {i: str(i) for i in range(1000)}\ng = (i * i for i in range(9))\nnext(g)",
    );
    let bytes = session.snapshot(None);
    let mut restored = sandbox().restore(SessionOptions::new(), &bytes, None).unwrap();
    let source = "next(g), len(x), random.random(), sorted(x)[-1]";
    let (one, two) = (session.run(source).unwrap(), restored.run(source).unwrap());
    assert_eq!(one, two);
    assert!(matches!(one.termination, Termination::Returned(_)));
}

#[test]
fn a_snapshot_of_other_limits_another_key_or_damaged_is_refused() {
    let mut session = session();
    run(&mut session, "x = 1");
    let bytes = session.snapshot(Some(&[1; 32]));
    let refused = |options, bytes: &[u8], key| {
        let result = sandbox().restore(options, bytes, key);
        assert!(matches!(result, Err(Error::BadSnapshot(_))), "{result:?}");
    };
    refused(SessionOptions::new(), &bytes, None);
    refused(SessionOptions::new(), &bytes, Some(&[2; 32]));
    refused(SessionOptions::new().with_fuel(7), &bytes, Some(&[1; 32]));
    let other = limits().with_memory_bytes(65 << 20);
    refused(SessionOptions::new().with_limits(other), &bytes, Some(&[1; 32]));
    let mut damaged = bytes.clone();
    damaged[4000] ^= 1;
    refused(SessionOptions::new(), &damaged, Some(&[1; 32]));
    refused(SessionOptions::new(), &bytes[..bytes.len() - 1], Some(&[1; 32]));
    refused(SessionOptions::new(), b"", None);
    let modules = Sandbox::with_threads(&guest().with_modules(&[("m", "y = 2")]).unwrap(), limits(), 1).unwrap();
    assert!(matches!(modules.restore(SessionOptions::new(), &bytes, Some(&[1; 32])), Err(Error::BadSnapshot(_))));
    assert!(sandbox().restore(SessionOptions::new(), &bytes, Some(&[1; 32])).is_ok());
}

#[test]
fn a_forged_snapshot_is_a_program_in_the_sandbox_and_no_more() {
    let mut session = session();
    run(&mut session, "x = list(range(1000))");
    let bytes = session.snapshot(None);
    let mut random = 7_u64;
    for _ in 0..60 {
        let mut forged = bytes[..bytes.len() - 32].to_vec();
        for _ in 0..200 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = 60 + usize::try_from(random >> 33).expect("31 bits") % (forged.len() - 60);
            forged[at] = (random >> 24).to_le_bytes()[0];
        }
        let hash = blake3::hash(&forged);
        forged.extend_from_slice(hash.as_bytes());
        // Whatever it is, it ends, and the next program is none the wiser.
        if let Ok(mut restored) = sandbox().restore(SessionOptions::new(), &forged, None) {
            let _ = restored.run_with(&SessionRun::new("sum(x)").with_fuel(200_000_000));
        }
        assert_eq!(common::text(&common::run("def f(n):\n    return n + 1", "1")), "2");
    }
    assert_eq!(run(&mut session, "sum(x)"), "499500");
}

#[test]
fn output_comes_as_it_is_written_and_all_of_it_in_the_end() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let source = "import sys\nprint('one')\nsys.stderr.write('two')\nprint('three')";
    let run = SessionRun::new(source).with_output(move |stream, bytes| {
        told.lock().unwrap().push((stream, String::from_utf8_lossy(bytes).into_owned()));
    });
    let outcome = session().run_with(&run).unwrap();
    let of = |wanted: Stream| -> String {
        seen.lock().unwrap().iter().filter(|(stream, _)| *stream == wanted).map(|(_, text)| text.as_str()).collect()
    };
    assert_eq!((of(Stream::Stdout), of(Stream::Stderr)), (outcome.stdout.clone(), outcome.stderr.clone()));
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("one\nthree\n", "two"));
}

#[test]
fn what_is_printed_before_a_limit_has_been_told() {
    let seen = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&seen);
    let run =
        SessionRun::new("print('before')\nwhile True: pass").with_fuel(100_000_000).with_output(move |_, bytes| {
            told.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        });
    assert_eq!(common::text(&session().run_with(&run).unwrap()), "out_of_fuel");
    assert_eq!(*seen.lock().unwrap(), "before\n");
}

#[test]
fn a_deadline_and_a_switch_stop_a_run_which_then_has_never_happened() {
    let mut session = session();
    run(&mut session, "x = 1");
    let late = SessionRun::new("x = 2\nwhile True: pass").with_deadline(Duration::from_nanos(1));
    assert!(matches!(session.run_with(&late), Err(Error::WallClock { .. })));
    let cancel = Cancel::new();
    let switch = cancel.clone();
    // The program itself says when it runs.
    let stopped = SessionRun::new("x = 3\nprint('go')\nwhile True: pass")
        .with_cancel(&cancel)
        .with_output(move |_, _| switch.cancel());
    assert!(matches!(session.run_with(&stopped), Err(Error::Cancelled)));
    assert_eq!(run(&mut session, "x"), "1");
}

#[test]
fn a_prompt_shows_values_as_python_does() {
    let mut session = session();
    let typed = |source: &str| SessionRun::new(source).with_mode(ExecMode::Prompt);
    assert_eq!(session.run_with(&typed("'a' * 2")).unwrap().stdout, "'aa'\n");
    assert_eq!(session.run_with(&typed("None")).unwrap().stdout, "");
    assert_eq!(session.run_with(&typed("x = 1; x")).unwrap().stdout, "1\n");
}

#[test]
fn sources_are_held_to_the_limits_before_they_run() {
    let mut session = session();
    assert_eq!(run(&mut session, &"(".repeat(500)), "syntax_error");
    assert_eq!(run(&mut session, "x = '\0'"), "syntax_error");
    assert_eq!(run(&mut session, &" ".repeat(300 << 10)), "syntax_error");
}
