//! What a trainer asks of the sandbox: is this a task, is this the answer.

use azr_wire::{Literal, Reads, Request, Response};

use crate::error::Error;
use crate::instance::Answer;
use crate::outcome::{Ended, Outcome};
use crate::program::{OTHER_SETTINGS, Program, entropy, parse_job};
use crate::sandbox::{Cancel, Job, Sandbox};
use crate::value::{Equality, Value};

/// The function that tasks call.
pub const ENTRY: &str = "f";

/// The function of a verifier: `verify(task, answer)`.
pub const VERIFIER_ENTRY: &str = "verify";

/// Literals or programs that one guest parses.
const PARSED_TOGETHER: usize = 64;

/// Whether a program and an input make a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Validation {
    /// They do: the program returns this, whatever the entropy.
    Valid {
        /// The output.
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
#[expect(missing_docs, reason = "each is the outcome of the same name")]
pub enum InvalidReason {
    SyntaxError,
    InvalidInput,
    Raised,
    OutOfFuel,
    OutOfMemory,
    StackOverflow,
    OutputTooLong,
    NotATaskValue,
    Crashed,
    /// Runs under different settings of entropy differ, or the value's text has no one form.
    Nondeterministic,
    /// A verifier returned something else than a number from 0 to 1.
    NotAScore,
}

impl InvalidReason {
    /// The name in JSON and in Python.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SyntaxError => "syntax_error",
            Self::InvalidInput => "invalid_input",
            Self::Raised => "raised",
            Self::OutOfFuel => "out_of_fuel",
            Self::OutOfMemory => "out_of_memory",
            Self::StackOverflow => "stack_overflow",
            Self::OutputTooLong => "output_too_long",
            Self::NotATaskValue => "not_a_task_value",
            Self::Crashed => "crashed",
            Self::Nondeterministic => "nondeterministic",
            Self::NotAScore => "not_a_score",
        }
    }

    /// The reason of an outcome that is no value.
    fn of(ended: &Ended) -> Option<Self> {
        Some(match ended {
            Ended::Returned(_) => return None,
            Ended::Raised { .. } => Self::Raised,
            Ended::SyntaxError { .. } => Self::SyntaxError,
            Ended::InvalidInput(_) => Self::InvalidInput,
            Ended::OutOfFuel { .. } => Self::OutOfFuel,
            Ended::OutOfMemory { .. } => Self::OutOfMemory,
            Ended::StackOverflow => Self::StackOverflow,
            Ended::OutputTooLong { .. } => Self::OutputTooLong,
            Ended::NotATaskValue(_) => Self::NotATaskValue,
            Ended::Crashed(_) => Self::Crashed,
        })
    }
}

/// What a verifier says of an answer.
#[derive(Debug, Clone, PartialEq)]
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
pub struct Check {
    /// The verdict.
    pub correct: bool,
    /// How the answer's run ended, for checks that run something.
    pub outcome: Option<Outcome>,
    /// Why an answer text is no answer at all.
    pub problem: Option<String>,
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
                (Outcome { ended: Ended::Returned(value), fuel_used, .. }, None) if within(&value, SERVED_DEPTH) => {
                    Validation::Valid { value, fuel_used }
                }
                (outcome @ Outcome { ended: Ended::Returned(_), .. }, None) => {
                    let ended = Ended::NotATaskValue(format!("nested deeper than {SERVED_DEPTH}"));
                    Validation::Invalid { reason: InvalidReason::NotATaskValue, outcome: Outcome { ended, ..outcome } }
                }
                (outcome, reason) => {
                    let reason = reason.expect("what returned nothing has a reason");
                    Validation::Invalid { reason, outcome }
                }
            })
        });
        items.iter().map(|(_, inputs)| verdicts.by_ref().take(inputs.len()).collect()).collect()
    }

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
            match &outcome.ended {
                Ended::Returned(value) => match unit_number(value) {
                    Some(score) => Score::Scored { score, fuel_used: outcome.fuel_used },
                    None => Score::Failed { reason: InvalidReason::NotAScore, outcome },
                },
                _ => unreachable!("what returned nothing has a reason"),
            }
        };
        self.run_determined(&programs, cancel).into_iter().map(|ran| Ok(score(ran?))).collect()
    }

    /// Runs each program, those that read entropy under further settings too: the first run, and why it decides
    /// nothing, if so.
    fn run_determined(
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
                        if (&first.ended, &first.stdout, &first.stderr) != (&other.ended, &other.stdout, &other.stderr)
                        {
                            *reason = Some(InvalidReason::Nondeterministic);
                        }
                    }
                    Err(error) => ran[at] = Err(error),
                }
            }
        }
        ran
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

    /// Reads each text as a literal of plain data, in a guest. Nothing is executed.
    pub fn literals(&self, texts: &[String], cancel: &Cancel) -> Vec<Result<Literal, Error>> {
        let value_bytes = self.limits().value_bytes;
        self.parse(
            texts,
            cancel,
            |texts| Request::Literals { texts, value_bytes },
            |response| match response {
                Response::Literals(literals) => Some(literals),
                _ => None,
            },
            Literal::Invalid,
        )
    }

    /// The modules that each program imports, by its syntax; or why it does not parse.
    pub fn imports(&self, programs: &[String], cancel: &Cancel) -> Vec<Result<Result<Vec<String>, String>, Error>> {
        self.parse(
            programs,
            cancel,
            Request::Imports,
            |response| match response {
                Response::Imports(imports) => Some(imports),
                _ => None,
            },
            Err,
        )
    }

    /// Has guests parse texts, many in one guest; a text that brings its guest down is parsed alone again.
    fn parse<T>(
        &self,
        texts: &[String],
        cancel: &Cancel,
        request: impl Fn(Vec<String>) -> Request,
        read: impl Fn(Response) -> Option<Vec<T>>,
        refused: impl Fn(String) -> T,
    ) -> Vec<Result<T, Error>> {
        let limits = *self.limits();
        // What is refused without parsing, in its place; the rest goes to the guests.
        let problem = |text: &String| {
            if text.len() > limits.source_bytes as usize {
                return Some(format!("{} bytes, and the limit is {}", text.len(), limits.source_bytes));
            }
            crate::nesting::too_deep(text, limits.nesting).map(|(_, why)| why.to_owned())
        };
        let mut results: Vec<Option<Result<T, Error>>> =
            texts.iter().map(|text| problem(text).map(|why| Ok(refused(why)))).collect();
        let open: Vec<usize> = (0..texts.len()).filter(|&at| results[at].is_none()).collect();
        let job = |places: &[usize]| -> Job {
            let texts: Vec<String> = places.iter().map(|&at| texts[at].clone()).collect();
            let bytes = texts.iter().map(String::len).sum::<usize>() * 4 + (64 << 10) * places.len();
            parse_job(&request(texts), &limits, bytes)
        };
        for together in [PARSED_TOGETHER, 1] {
            let left: Vec<usize> = open.iter().copied().filter(|&at| results[at].is_none()).collect();
            let groups: Vec<&[usize]> = left.chunks(together).collect();
            let jobs = groups.iter().map(|places| job(places)).collect();
            for (places, ran) in groups.iter().zip(self.run_jobs(jobs, cancel)) {
                match ran.into_iter().next().expect("one result of a job without calls") {
                    Ok((Answer::Response(bytes), _)) => {
                        let answers = Response::decode(&bytes).ok().and_then(&read);
                        let answers = answers.filter(|answers| answers.len() == places.len());
                        let Some(answers) = answers else {
                            for &at in *places {
                                let why = "it did not answer every text".to_owned();
                                results[at] = Some(Err(Error::GuestContract(why)));
                            }
                            continue;
                        };
                        for (&at, answer) in places.iter().zip(answers) {
                            results[at] = Some(Ok(answer));
                        }
                    }
                    Ok((Answer::Trapped { .. }, _)) if places.len() == 1 => {
                        results[places[0]] = Some(Ok(refused("too deeply nested to parse".to_owned())));
                    }
                    Ok((Answer::Trapped { .. }, _)) => {}
                    Err(error) => {
                        let text = error.to_string();
                        let mut error = Some(error);
                        for &at in *places {
                            let this = error.take().unwrap_or_else(|| Error::Runtime(text.clone()));
                            results[at] = Some(Err(this));
                        }
                    }
                }
            }
        }
        results.into_iter().map(|result| result.expect("what trapped in company has been parsed alone")).collect()
    }
}

/// Why the first run makes no task, by itself.
fn problem(first: &Outcome) -> Option<InvalidReason> {
    match &first.ended {
        Ended::Returned(value) if shows_an_order(value) => Some(InvalidReason::Nondeterministic),
        ended => InvalidReason::of(ended),
    }
}

/// Settings that a run is tried under if an order or a hash is all that it reads.
const SETTINGS_FOR_ORDERS: u32 = 4;

/// Whether a further setting may show that the outcome is not determined.
fn is_open(first: &Outcome, reason: Option<InvalidReason>, setting: u32) -> bool {
    // Only what may be a task, or may show an address, is worth another run.
    let may_differ = matches!((&first.ended, reason), (Ended::Returned(_), None))
        || matches!((&first.ended, reason), (Ended::NotATaskValue(_), Some(InvalidReason::NotATaskValue)));
    let settings = if first.reads == Reads::HASH { SETTINGS_FOR_ORDERS } else { OTHER_SETTINGS };
    may_differ && !first.reads.is_none() && setting <= settings
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

/// Gives the arguments that it was called with.
const ARGUMENTS_ALONE: &str = "def f(*positional, **named):\n    return positional, named";

/// The program called with the values of an outcome of [`ARGUMENTS_ALONE`]; None if it returned none.
fn call_of(source: &str, arguments: &Outcome) -> Option<Program> {
    let Ended::Returned(Value::Tuple(parts)) = &arguments.ended else { return None };
    let [Value::Tuple(positional), Value::Dict(named)] = parts.as_slice() else { return None };
    if named.is_empty() {
        return Some(Program::call_with(source, ENTRY, positional.clone()));
    }
    // Named arguments need a line of Python; it stands after the program and holds none of the answer's text.
    let caller = format!("{source}\n\ndef _call(positional, named):\n    return {ENTRY}(*positional, **named)");
    Some(Program::call_with(caller, "_call", parts.clone()))
}

fn check(outcome: Outcome, gold: &Value, equality: Equality) -> Check {
    let correct = matches!(&outcome.ended, Ended::Returned(value) if equality.holds(value, gold));
    Check { correct, outcome: Some(outcome), problem: None }
}
