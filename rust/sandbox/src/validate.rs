//! Is this a task: a program and an input whose output is always the same.

use std::fmt;

use azr_wire::Reads;

use crate::cancel::Cancel;
use crate::entropy::{OTHER_SETTINGS, entropy};
use crate::error::Error;
use crate::outcome::{Outcome, OutcomeKind, Termination};
use crate::program::Program;
use crate::sandbox::Sandbox;
use crate::value::Value;

/// The function that tasks call.
pub const ENTRY: &str = "f";

/// Whether a program and an input make a task.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Validation {
    /// They do: the program returns this, whatever the entropy.
    Valid {
        /// The output.
        #[cfg_attr(feature = "serde", serde(with = "crate::serde_data::value"))]
        value: Value,
        /// Fuel that one run takes.
        fuel_used: u64,
    },
    /// They do not.
    Invalid {
        /// Why.
        reason: InvalidReason,
        /// The first run.
        outcome: Outcome,
    },
}

/// Why a program and an input are not a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidReason {
    /// It did not return, or no plain data.
    Outcome(OutcomeKind),
    /// Runs under different settings of entropy differ, or the value's text has no one form.
    Nondeterministic,
    /// A verifier returned something else than a number from 0 to 1.
    NotAScore,
}

impl InvalidReason {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let outcomes = OutcomeKind::ALL.into_iter().filter(|kind| *kind != OutcomeKind::Returned);
        outcomes.map(Self::Outcome).chain([Self::Nondeterministic, Self::NotAScore]).collect()
    }

    /// Its name in JSON and in Python: that of the outcome, or `nondeterministic`, or `not_a_score`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outcome(kind) => kind.name(),
            Self::Nondeterministic => "nondeterministic",
            Self::NotAScore => "not_a_score",
        }
    }

    /// The reason of an outcome that is no value.
    fn of(termination: &Termination) -> Option<Self> {
        match termination.kind() {
            OutcomeKind::Returned => None,
            kind => Some(Self::Outcome(kind)),
        }
    }
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Containers of a valid value may nest this deep: less than values in general, so that a task's values can be put into
/// larger ones, which is how verifiers get them.
const SERVED_DEPTH: usize = 90;

/// Whether a value's containers nest no deeper than this.
fn within(value: &Value, depth: usize) -> bool {
    let all = |items: &[Value]| depth > 0 && items.iter().all(|item| within(item, depth - 1));
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) | Value::FrozenSet(items) => all(items),
        Value::Dict(pairs) => {
            depth > 0 && pairs.iter().all(|(key, value)| within(key, depth - 1) && within(value, depth - 1))
        }
        _ => true,
    }
}

impl Sandbox {
    /// Runs each program on each of its inputs, and again under other settings of every source of entropy if it
    /// reads one.
    ///
    /// One list a program, one verdict an input, in order. A run that reads no clock, no random number without a
    /// seed, no address, no hash of text and no order of a set that follows from one is determined: it is not
    /// repeated. A value is [`Validation::Valid`] only when all runs return it and print the same, and when it
    /// holds no set of texts: such a value has no one `repr`, and CPython shows it in another order in every
    /// process.
    pub fn validate(&self, items: &[(String, Vec<String>)], cancel: &Cancel) -> Vec<Vec<Result<Validation, Error>>> {
        let programs = items
            .iter()
            .flat_map(|(source, inputs)| inputs.iter().map(move |input| Program::call(source, ENTRY, input)));
        let programs: Vec<Program> = programs.collect();
        let mut verdicts = self.run_determined(&programs, cancel).into_iter().map(|ran| {
            Ok(match ran? {
                (Outcome { termination: Termination::Returned(value), fuel_used, .. }, None)
                    if within(&value, SERVED_DEPTH) =>
                {
                    Validation::Valid { value, fuel_used }
                }
                (outcome @ Outcome { termination: Termination::Returned(_), .. }, None) => {
                    let termination = Termination::NotATaskValue(format!("nested deeper than {SERVED_DEPTH}"));
                    Validation::Invalid {
                        reason: InvalidReason::Outcome(OutcomeKind::NotATaskValue),
                        outcome: Outcome { termination, ..outcome },
                    }
                }
                (outcome, reason) => {
                    let reason = reason.expect("what returned nothing has a reason");
                    Validation::Invalid { reason, outcome }
                }
            })
        });
        items.iter().map(|(_, inputs)| verdicts.by_ref().take(inputs.len()).collect()).collect()
    }

    /// Runs each program, those that read entropy under further settings too: the first run, and why it decides
    /// nothing, if so.
    pub(crate) fn run_determined(
        &self,
        programs: &[Program],
        cancel: &Cancel,
    ) -> Vec<Result<(Outcome, Option<InvalidReason>), Error>> {
        let limits = self.limits();
        let first: Vec<_> = programs.iter().map(|one| one.prepare_under(limits, entropy(0))).collect();
        let mut ran: Vec<Result<(Outcome, Option<InvalidReason>), Error>> = self
            .run_prepared(first, cancel)
            .into_iter()
            .map(|outcome| {
                outcome.map(|outcome| {
                    let reason = problem(&outcome);
                    (outcome, reason)
                })
            })
            .collect();
        for setting in 1..=OTHER_SETTINGS {
            // Most that differ do so the first time: then no other setting needs to be tried.
            let open: Vec<usize> = (0..ran.len())
                .filter(|&at| ran[at].as_ref().is_ok_and(|(first, reason)| is_open(first, *reason, setting)))
                .collect();
            let again = open.iter().map(|&at| programs[at].prepare_again(limits, entropy(setting))).collect();
            for (at, other) in open.into_iter().zip(self.run_prepared(again, cancel)) {
                match other {
                    Ok(other) => {
                        let Ok((first, reason)) = &mut ran[at] else { continue };
                        if (&first.termination, &first.stdout, &first.stderr)
                            != (&other.termination, &other.stdout, &other.stderr)
                        {
                            *reason = Some(InvalidReason::Nondeterministic);
                        }
                    }
                    // What this setting would have shown is not known, so there is no verdict.
                    Err(error) => ran[at] = Err(error),
                }
            }
        }
        ran
    }
}

/// Why the first run makes no task, by itself.
fn problem(first: &Outcome) -> Option<InvalidReason> {
    match &first.termination {
        Termination::Returned(value) if shows_an_order(value) => Some(InvalidReason::Nondeterministic),
        termination => InvalidReason::of(termination),
    }
}

/// Settings that a run is tried under if an order or a hash is all that it reads.
const SETTINGS_FOR_ORDERS: u32 = 4;

/// Whether a further setting may show that the outcome is not determined.
fn is_open(first: &Outcome, reason: Option<InvalidReason>, setting: u32) -> bool {
    // Only what may be a task, or may show an address, is worth another run.
    let may_differ = matches!((&first.termination, reason), (Termination::Returned(_), None))
        || matches!(
            (&first.termination, reason),
            (Termination::NotATaskValue(_), Some(InvalidReason::Outcome(OutcomeKind::NotATaskValue)))
        );
    let settings = if first.reads == Reads::HASH { SETTINGS_FOR_ORDERS } else { OTHER_SETTINGS };
    may_differ && !first.reads.is_none() && setting <= settings
}

/// Whether the value holds a set of two or more elements whose order CPython draws anew in each
/// process: that of everything but numbers and `None`.
fn shows_an_order(value: &Value) -> bool {
    match value {
        Value::Set(items) | Value::FrozenSet(items) => items.len() > 1 && items.iter().any(is_hashed_by_seed),
        Value::List(items) | Value::Tuple(items) => items.iter().any(shows_an_order),
        Value::Dict(pairs) => pairs.iter().any(|(key, value)| shows_an_order(key) || shows_an_order(value)),
        _ => false,
    }
}

fn is_hashed_by_seed(value: &Value) -> bool {
    match value {
        Value::Str(text) => !text.is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::Tuple(items) | Value::FrozenSet(items) => items.iter().any(is_hashed_by_seed),
        _ => false,
    }
}
