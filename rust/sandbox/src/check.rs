//! Is this the answer: outputs, inputs and programs against gold values, and answers against verifiers.

use azr_wire::Literal;

use crate::cancel::Cancel;
use crate::error::Error;
use crate::outcome::{Outcome, Termination};
use crate::program::Program;
use crate::sandbox::Sandbox;
use crate::validate::{ENTRY, InvalidReason};
use crate::value::{Equality, Value};

/// The function of a verifier: `verify(task, answer)`.
pub const VERIFIER_ENTRY: &str = "verify";

/// What a verifier says of an answer.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Score {
    /// A number from 0 to 1, the same under every entropy.
    Scored {
        /// The number; `True` and `False` are 1 and 0.
        score: f64,
        /// Fuel that one run takes.
        fuel_used: u64,
    },
    /// The verifier gave none: no reward follows from this.
    Failed {
        /// Why.
        reason: InvalidReason,
        /// The first run.
        outcome: Outcome,
    },
}

/// Whether an answer is right.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Check {
    /// The verdict.
    pub correct: bool,
    /// How the answer's run ended, for checks that run something.
    pub outcome: Option<Outcome>,
    /// Why an answer text is no answer at all.
    pub problem: Option<String>,
}

impl Sandbox {
    /// Has verifiers score answers: each item is a verifier's source, which defines `verify(task, answer)`, and
    /// the two values. They reach the guest as data, and no text of theirs is compiled. Runs under further
    /// settings of entropy where [`Sandbox::validate`] does.
    pub fn score(&self, items: &[(String, Value, Value)], cancel: &Cancel) -> Vec<Result<Score, Error>> {
        let programs: Vec<Program> = items
            .iter()
            .map(|(source, task, answer)| {
                Program::call_with(source, VERIFIER_ENTRY, vec![task.clone(), answer.clone()])
            })
            .collect();
        let score = |(outcome, reason): (Outcome, Option<InvalidReason>)| {
            if let Some(reason) = reason {
                return Score::Failed { reason, outcome };
            }
            match &outcome.termination {
                Termination::Returned(value) => match unit_number(value) {
                    Some(score) => Score::Scored { score, fuel_used: outcome.fuel_used },
                    None => Score::Failed { reason: InvalidReason::NotAScore, outcome },
                },
                _ => unreachable!("what returned nothing has a reason"),
            }
        };
        self.run_determined(&programs, cancel).into_iter().map(|ran| Ok(score(ran?))).collect()
    }

    /// Whether each answer text, read as a literal, is its gold value. Nothing is executed.
    pub fn check_output(
        &self,
        items: &[(String, Value)],
        equality: Equality,
        cancel: &Cancel,
    ) -> Vec<Result<Check, Error>> {
        let texts: Vec<String> = items.iter().map(|(text, _)| text.clone()).collect();
        let literals = self.literals(&texts, cancel);
        literals
            .into_iter()
            .zip(items)
            .map(|(literal, (_, gold))| {
                Ok(match literal? {
                    Literal::Value(value) => {
                        Check { correct: equality.holds(&value, gold), outcome: None, problem: None }
                    }
                    Literal::Invalid(why) => Check { correct: false, outcome: None, problem: Some(why) },
                })
            })
            .collect()
    }

    /// Whether each program returns its gold value on its answer, an argument text. Any input that does
    /// is right. The gold value is never in the guest.
    ///
    /// The text is evaluated on its own first, far from the program, which is then called with the values
    /// that came out: an answer such as `f.__globals__.update(..)` cannot change what it is checked by.
    /// So an answer has to be plain data.
    pub fn check_input(
        &self,
        items: &[(String, String, Value)],
        equality: Equality,
        cancel: &Cancel,
    ) -> Vec<Result<Check, Error>> {
        let alone: Vec<Program> =
            items.iter().map(|(_, input, _)| Program::call(ARGUMENTS_ALONE, ENTRY, input)).collect();
        let evaluated = self.run_batch(&alone, cancel);
        let calls: Vec<Program> = evaluated
            .iter()
            .zip(items)
            .filter_map(|(outcome, (source, ..))| call_of(source, outcome.as_ref().ok()?))
            .collect();
        let mut called = self.run_batch(&calls, cancel).into_iter();
        evaluated
            .into_iter()
            .zip(items)
            .map(|(arguments, (source, _, gold))| {
                let arguments = arguments?;
                if call_of(source, &arguments).is_none() {
                    return Ok(Check { correct: false, outcome: Some(arguments), problem: None });
                }
                let outcome = called.next().expect("one run for each answer that is plain data")?;
                Ok(check(outcome, gold, equality))
            })
            .collect()
    }

    /// Whether each program returns its gold value on an argument text that is not the answerer's.
    fn check_given(
        &self,
        items: &[(String, String, Value)],
        equality: Equality,
        cancel: &Cancel,
    ) -> Vec<Result<Check, Error>> {
        let programs: Vec<Program> =
            items.iter().map(|(source, input, _)| Program::call(source, ENTRY, input)).collect();
        self.run_batch(&programs, cancel)
            .into_iter()
            .zip(items)
            .map(|(outcome, (_, _, gold))| Ok(check(outcome?, gold, equality)))
            .collect()
    }

    /// Whether each answer program returns the gold value of each of its hidden pairs (input text,
    /// output). One verdict a pair, in order; every pair runs in a fresh interpreter.
    pub fn check_program(
        &self,
        items: &[(String, Vec<(String, Value)>)],
        equality: Equality,
        cancel: &Cancel,
    ) -> Vec<Vec<Result<Check, Error>>> {
        let flat: Vec<(String, String, Value)> = items
            .iter()
            .flat_map(|(source, pairs)| {
                pairs.iter().map(move |(input, gold)| (source.clone(), input.clone(), gold.clone()))
            })
            .collect();
        let mut checks = self.check_given(&flat, equality, cancel).into_iter();
        items.iter().map(|(_, pairs)| checks.by_ref().take(pairs.len()).collect()).collect()
    }
}

/// A number from 0 to 1.
fn unit_number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Int(int) => int.to_i64()? as f64,
        Value::Float(float) => *float,
        _ => return None,
    };
    (0.0..=1.0).contains(&number).then_some(number)
}

/// Gives the arguments that it was called with.
const ARGUMENTS_ALONE: &str = "def f(*positional, **named):\n    return positional, named";

/// The program called with the values of an outcome of [`ARGUMENTS_ALONE`]; None if it returned none.
fn call_of(source: &str, arguments: &Outcome) -> Option<Program> {
    let Termination::Returned(Value::Tuple(parts)) = &arguments.termination else { return None };
    let [Value::Tuple(positional), Value::Dict(named)] = parts.as_slice() else { return None };
    if named.is_empty() {
        return Some(Program::call_with(source, ENTRY, positional.clone()));
    }
    // Named arguments need a line of Python; it stands after the program and holds none of the answer's text.
    let caller = format!("{source}\n\ndef _call(positional, named):\n    return {ENTRY}(*positional, **named)");
    Some(Program::call_with(caller, "_call", parts.clone()))
}

fn check(outcome: Outcome, gold: &Value, equality: Equality) -> Check {
    let correct = matches!(&outcome.termination, Termination::Returned(value) if equality.holds(value, gold));
    Check { correct, outcome: Some(outcome), problem: None }
}
