//! Outcomes, verdicts and limits survive JSON, whatever a program returned; what no guest could give is refused.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::time::Duration;

use azr_sandbox::{
    Cancel, Equality, InvalidReason, Limits, Outcome, OutcomeKind, Program, Reads, Score, SessionOptions, Termination,
    Validation,
};
use common::{limits, sandbox, script};
use serde::{Serialize, de::DeserializeOwned};

fn again<T: Serialize + DeserializeOwned>(given: &T) -> T {
    serde_json::from_str(&serde_json::to_string(given).unwrap()).unwrap()
}

#[test]
fn every_value_comes_back_the_same() {
    for text in [
        "None",
        "True",
        "-(10 ** 400) + 7",
        "0",
        "-0.0",
        "1e400",
        "-1e400",
        "0.1",
        "5e-324",
        "complex(-0.0, 1e400)",
        "'a\\ud800b\\0'",
        "'\u{e9}'",
        "b'\\x00\\xff'",
        "[(), [], {}, set(), frozenset()]",
        "{(1, 'a'): [2.5], frozenset({1, 2}): {3, 4}}",
        // Hexadecimal: see `repr`.
        "-(1 << 600_000)",
    ] {
        let program = Program::call("def f(x): return x", "f", text);
        let outcome = sandbox().run(&program.with_limits(limits().with_value_bytes(1 << 20))).unwrap();
        let Termination::Returned(value) = &outcome.termination else { panic!("{text}: {:?}", outcome.termination) };
        let Termination::Returned(back) = again(&outcome).termination else { panic!("{text} came back otherwise") };
        // By their bytes: -0.0 and 0.0 are equal, and not the same.
        assert_eq!(back.encode(), value.encode(), "{text}");
    }
}

#[test]
fn every_ending_comes_back_the_same() {
    let mut seen = Vec::new();
    for program in [
        "x = 1",
        "def g():\n    raise ValueError('no')\ng()",
        "x = (1",
        "while True: pass",
        "x = bytearray(1 << 28)",
        "print('x' * (2 << 20))",
        "import time, random; print(time.time(), random.random(), hash('a'), id(1))",
    ] {
        let outcome = script(program);
        assert_eq!(again(&outcome), outcome);
        let text = serde_json::to_string(&outcome.termination).unwrap();
        assert!(text.starts_with(&format!("{{\"{}\":", outcome.termination.kind())), "{text}");
        seen.push(outcome.termination.kind());
    }
    seen.dedup();
    assert!(seen.len() >= 6, "{seen:?}");
    let reads = again(&script("import time; time.time()")).reads;
    assert!(reads.has(Reads::CLOCK) && !reads.has(Reads::RANDOM));
}

#[test]
fn names_are_those_of_the_kinds() {
    for kind in OutcomeKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert_eq!(again(&kind), kind);
    }
    for reason in InvalidReason::all() {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        assert_eq!(again(&reason), reason);
    }
    assert!(serde_json::from_str::<InvalidReason>("\"returned\"").is_err());
}

#[test]
fn verdicts_come_back_the_same() {
    let calls = |source: &str| vec![(source.to_owned(), vec!["1".to_owned()])];
    for source in ["def f(x): return x + 1", "def f(x): return id(x)", "def f(x): return x / 0"] {
        let validation: Validation = sandbox().validate(&calls(source), &Cancel::new()).remove(0).remove(0).unwrap();
        assert_eq!(again(&validation), validation);
    }
    let score = Score::Scored { score: 0.5, fuel_used: 7 };
    assert_eq!(again(&score), score);
    assert_eq!(again(&Equality::STRICT), Equality::STRICT);
}

#[test]
fn limits_are_read_from_a_config_that_names_some() {
    let limits = Limits::DEFAULT.with_fuel(5).with_wall(Duration::from_millis(1500));
    assert_eq!(again(&limits), limits);
    let some: Limits = serde_json::from_str("{\"fuel\": 5}").unwrap();
    assert_eq!(some, Limits::DEFAULT.with_fuel(5));
    assert!(serde_json::from_str::<Limits>("{\"feul\": 5}").unwrap_err().to_string().contains("feul"));
    sandbox().session(SessionOptions::new().with_limits(Limits::DEFAULT)).unwrap();
}

#[test]
fn what_no_guest_could_have_given_is_refused() {
    let outcome = serde_json::to_value(script("x = 1")).unwrap();
    for (value, why) in [
        (serde_json::json!({"int": "--1"}), "no integer"),
        (serde_json::json!({"int": "0x"}), "no integer"),
        (serde_json::json!({"float": "nan"}), "never NaN"),
        (serde_json::json!({"float": "1,5"}), "no float"),
        (serde_json::json!({"set": [{"int": "1"}, {"int": "1"}]}), ""),
        (serde_json::json!({"surrogates": [255]}), ""),
        (serde_json::json!({"object": 1}), "object"),
    ] {
        let mut outcome = outcome.clone();
        outcome["termination"] = serde_json::json!({ "returned": value });
        let error = serde_json::from_value::<Outcome>(outcome).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
