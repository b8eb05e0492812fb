//! Class `Sandbox` and the values that it gives and takes. Batches in, batches out, without the GIL.
//!
//! Outcomes cross as plain tuples and values as their canonical bytes: `azr/sandbox.py` gives both their types. Where the
//! sandbox failed at one row, a `SandboxError` stands in its place, not raised: the other rows are what they are.

#![expect(unsafe_code, reason = "loads the native code that this crate's build script made")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use azr_sandbox::{
    Cancel, Check, Equality, Error, Guest, InvalidReason, Limits, Literal, Outcome, OutcomeKind, Program, Score,
    Termination, Validation, Value,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::text::{Text, strings};
use crate::value;

/// Fuel, memory, output, value, source, nesting, wall seconds.
pub(crate) type LimitsRow = (u64, u32, u32, u32, u32, u32, f64);

/// Source, entry, argument text, limits.
type RequestRow = (Text, Text, Option<Text>, Option<LimitsRow>);

/// An input, and the encoded output that it should give.
type PairRow = (Text, Vec<u8>);

/// An outcome; Python gets a dict of it.
#[derive(IntoPyObject, Default)]
pub(crate) struct OutcomeRow {
    kind: &'static str,
    /// Encoded.
    value: Option<Vec<u8>>,
    /// Name of the exception's class.
    exception: Option<String>,
    message: Option<String>,
    /// Line and function.
    traceback: Vec<(u32, String)>,
    limit: Option<u64>,
    stdout: String,
    stderr: String,
    fuel_used: u64,
    peak_memory: u32,
    /// Names of what it read.
    reads: Vec<&'static str>,
}

/// Verdict, outcome, problem.
type CheckRow = (bool, Option<OutcomeRow>, Option<String>);

/// Reason where it is no task, value where it is one, fuel, the first run's outcome.
type ValidationRow = (Option<&'static str>, Option<Vec<u8>>, u64, Option<OutcomeRow>);

/// Score, fuel, reason where there is no score, outcome.
type ScoreRow = (Option<f64>, u64, Option<&'static str>, Option<OutcomeRow>);

/// What a text reads as, or why it cannot be read.
type ReadRow<T> = (Option<T>, Option<String>);

/// One row of a batch: what came of it, or the error of the sandbox that it met.
#[derive(IntoPyObject)]
enum Row<T> {
    Done(T),
    Failed(Py<PyAny>),
}

/// Whether an error is about the call, not about a row of it: no row can have an outcome then.
fn is_of_the_call(error: &Error) -> bool {
    matches!(
        error,
        Error::BadGuest(_) | Error::BadModule { .. } | Error::Cancelled | Error::Forked { .. } | Error::BadLimit { .. }
    )
}

/// An error of the sandbox as `azr.errors.SandboxError(message, code)`.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "azr.errors", "SandboxError");
    match class.and_then(|class| class.call1((error.to_string(), error.code()))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// The guest that this module carries, as native code.
fn shipped() -> Result<Guest, Error> {
    static CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.code.zst"));
    static GUEST: OnceLock<Guest> = OnceLock::new();
    if let Some(guest) = GUEST.get() {
        return Ok(guest.clone());
    }
    let code = zstd::decode_all(CODE)?;
    // SAFETY: the bytes are part of this library: its build script made them with the same version.
    let guest = unsafe { Guest::from_precompiled(&code)? };
    Ok(GUEST.get_or_init(|| guest).clone())
}

/// Runs untrusted Python: see `azr.sandbox.Sandbox`.
#[pyclass(frozen, module = "azr._azr")]
pub(crate) struct Sandbox(azr_sandbox::Sandbox);

#[pymethods]
impl Sandbox {
    #[new]
    #[pyo3(signature = (threads, limits, guest, modules=Vec::new()))]
    fn new(
        py: Python<'_>,
        threads: Option<usize>,
        limits: Option<LimitsRow>,
        guest: Option<PathBuf>,
        modules: Vec<(Text, Text)>,
    ) -> PyResult<Self> {
        let modules: Vec<(String, String)> =
            modules.into_iter().map(|(name, source)| (name.into(), source.into())).collect();
        let made = py.detach(|| {
            let guest = match guest {
                None => shipped()?,
                Some(path) => Guest::from_wasm(&read_wasm(&path)?)?,
            };
            let modules: Vec<(&str, &str)> =
                modules.iter().map(|(name, source)| (name.as_str(), source.as_str())).collect();
            let guest = guest.with_modules(&modules)?;
            let limits = limits.map_or_else(Limits::default, limits_of);
            match threads {
                None => azr_sandbox::Sandbox::new(&guest, limits),
                Some(threads) => azr_sandbox::Sandbox::with_threads(&guest, limits, threads),
            }
        });
        made.map(Self).map_err(|error| raise(py, &error))
    }

    /// Worker threads.
    #[getter]
    fn threads(&self) -> usize {
        self.0.threads()
    }

    /// The limits of requests without their own.
    #[getter]
    fn limits(&self) -> LimitsRow {
        limits_row(self.0.limits())
    }

    fn run_batch(&self, py: Python<'_>, requests: Vec<RequestRow>) -> PyResult<Vec<Row<OutcomeRow>>> {
        let programs: Vec<Program> = requests.into_iter().map(program).collect();
        self.run(py, move |sandbox, cancel| sandbox.run_batch(&programs, cancel), outcome_row)
    }

    fn validate(&self, py: Python<'_>, items: Vec<(Text, Vec<Text>)>) -> PyResult<Vec<Vec<Row<ValidationRow>>>> {
        let items: Vec<(String, Vec<String>)> =
            items.into_iter().map(|(source, inputs)| (source.into(), strings(inputs))).collect();
        let counts: Vec<usize> = items.iter().map(|(_, inputs)| inputs.len()).collect();
        let flat = self.run(
            py,
            move |sandbox, cancel| sandbox.validate(&items, cancel).into_iter().flatten().collect(),
            validation_row,
        )?;
        Ok(regrouped(flat, &counts))
    }

    fn check_output(
        &self,
        py: Python<'_>,
        items: Vec<(Text, Vec<u8>)>,
        strict: bool,
        tolerance: f64,
    ) -> PyResult<Vec<Row<CheckRow>>> {
        let items = items
            .into_iter()
            .map(|(text, gold)| Ok((text.into(), value::decode(&gold)?)))
            .collect::<PyResult<Vec<_>>>()?;
        let equality = Equality { strict, tolerance };
        self.run(py, move |sandbox, cancel| sandbox.check_output(&items, equality, cancel), check_row)
    }

    fn check_input(
        &self,
        py: Python<'_>,
        items: Vec<(Text, Text, Vec<u8>)>,
        strict: bool,
        tolerance: f64,
    ) -> PyResult<Vec<Row<CheckRow>>> {
        let items = items
            .into_iter()
            .map(|(source, input, gold)| Ok((source.into(), input.into(), value::decode(&gold)?)))
            .collect::<PyResult<Vec<_>>>()?;
        let equality = Equality { strict, tolerance };
        self.run(py, move |sandbox, cancel| sandbox.check_input(&items, equality, cancel), check_row)
    }

    fn check_program(
        &self,
        py: Python<'_>,
        items: Vec<(Text, Vec<PairRow>)>,
        strict: bool,
        tolerance: f64,
    ) -> PyResult<Vec<Vec<Row<CheckRow>>>> {
        let pairs = |pairs: Vec<PairRow>| -> PyResult<Vec<(String, Value)>> {
            pairs.into_iter().map(|(input, gold)| Ok((input.into(), value::decode(&gold)?))).collect()
        };
        let items = items
            .into_iter()
            .map(|(source, hidden)| Ok((source.into(), pairs(hidden)?)))
            .collect::<PyResult<Vec<_>>>()?;
        let counts: Vec<usize> = items.iter().map(|(_, pairs)| pairs.len()).collect();
        let equality = Equality { strict, tolerance };
        let flat = self.run(
            py,
            move |sandbox, cancel| sandbox.check_program(&items, equality, cancel).into_iter().flatten().collect(),
            check_row,
        )?;
        Ok(regrouped(flat, &counts))
    }

    fn score(&self, py: Python<'_>, items: Vec<(Text, Vec<u8>, Vec<u8>)>) -> PyResult<Vec<Row<ScoreRow>>> {
        let items = items
            .into_iter()
            .map(|(source, task, answer)| Ok((source.into(), value::decode(&task)?, value::decode(&answer)?)))
            .collect::<PyResult<Vec<_>>>()?;
        self.run(
            py,
            move |sandbox, cancel| sandbox.score(&items, cancel),
            |score| match score {
                Score::Scored { score, fuel_used } => (Some(score), fuel_used, None, None),
                Score::Failed { reason, outcome } => {
                    (None, outcome.fuel_used, Some(reason.name()), Some(outcome_row(outcome)))
                }
            },
        )
    }

    fn literals(&self, py: Python<'_>, texts: Vec<Text>) -> PyResult<Vec<Row<ReadRow<Vec<u8>>>>> {
        let texts = strings(texts);
        self.run(
            py,
            move |sandbox, cancel| sandbox.literals(&texts, cancel),
            |literal| match literal {
                Literal::Value(value) => (Some(value.encode()), None),
                Literal::Invalid(why) => (None, Some(why)),
            },
        )
    }

    fn imports(&self, py: Python<'_>, programs: Vec<Text>) -> PyResult<Vec<Row<ReadRow<Vec<String>>>>> {
        let programs = strings(programs);
        self.run(
            py,
            move |sandbox, cancel| sandbox.imports(&programs, cancel),
            |program| match program {
                Ok(names) => (Some(names), None),
                Err(why) => (None, Some(why)),
            },
        )
    }
}

impl Sandbox {
    pub(crate) fn inner(&self) -> &azr_sandbox::Sandbox {
        &self.0
    }

    /// The one door out of the GIL: runs a batch, stops it on Ctrl-C, and raises what is wrong with the call itself.
    /// `row` gives a result its form for Python.
    fn run<T: Send, R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&azr_sandbox::Sandbox, &Cancel) -> Vec<Result<T, Error>> + Send,
        row: impl Fn(T) -> R,
    ) -> PyResult<Vec<Row<R>>> {
        let (cancel, interrupted) = interruptible();
        let results = py.detach(|| work(&self.0, &cancel));
        let mut interrupted = interrupted.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(error) = interrupted.take() {
            return Err(error);
        }
        let form = |result: Result<T, Error>| match result {
            Ok(result) => Ok(Row::Done(row(result))),
            Err(error) if is_of_the_call(&error) => Err(raise(py, &error)),
            Err(error) => Ok(Row::Failed(raise(py, &error).into_value(py).into_any())),
        };
        results.into_iter().map(form).collect()
    }
}

/// The names of all kinds of outcomes, and of all reasons why something is no task.
#[pyfunction]
pub(crate) fn outcome_names() -> (Vec<&'static str>, Vec<&'static str>) {
    let reasons = InvalidReason::all().into_iter().map(InvalidReason::name).collect();
    (OutcomeKind::ALL.map(OutcomeKind::name).to_vec(), reasons)
}

/// A switch that Ctrl-C turns, and where the exception is then.
pub(crate) fn interruptible() -> (Cancel, Arc<Mutex<Option<PyErr>>>) {
    let interrupted: Arc<Mutex<Option<PyErr>>> = Arc::default();
    let seen = Arc::clone(&interrupted);
    let cancel = Cancel::polling(move || {
        Python::attach(|py| match py.check_signals() {
            Ok(()) => false,
            Err(error) => {
                *seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(error);
                true
            }
        })
    });
    (cancel, interrupted)
}

/// Whether two encoded values are the same.
#[pyfunction]
pub(crate) fn values_equal(a: &[u8], b: &[u8], strict: bool, tolerance: f64) -> PyResult<bool> {
    Ok(Equality { strict, tolerance }.holds(&value::decode(a)?, &value::decode(b)?))
}

/// The text of an encoded value, as Python's `repr` writes it, sets in one fixed order. Other threads run meanwhile.
#[pyfunction]
pub(crate) fn value_repr(py: Python<'_>, encoded: &[u8]) -> PyResult<String> {
    let value = value::decode(encoded)?;
    Ok(py.detach(|| azr_sandbox::repr(&value)))
}

/// Raises ValueError for bytes that encode no value.
#[pyfunction]
pub(crate) fn check_encoded(encoded: &[u8]) -> PyResult<()> {
    value::decode(encoded).map(drop)
}

fn read_wasm(path: &std::path::Path) -> Result<Vec<u8>, Error> {
    let bytes = std::fs::read(path)?;
    if bytes.starts_with(b"\0asm") { Ok(bytes) } else { Ok(zstd::decode_all(&bytes[..])?) }
}

pub(crate) fn limits_of(row: LimitsRow) -> Limits {
    let (fuel, memory_bytes, output_bytes, value_bytes, source_bytes, nesting, wall) = row;
    // Out of range becomes zero, which is refused by name.
    let wall = Duration::try_from_secs_f64(wall).unwrap_or_default();
    Limits::DEFAULT
        .with_fuel(fuel)
        .with_memory_bytes(memory_bytes)
        .with_output_bytes(output_bytes)
        .with_value_bytes(value_bytes)
        .with_source_bytes(source_bytes)
        .with_nesting(nesting)
        .with_wall(wall)
}

fn limits_row(limits: &Limits) -> LimitsRow {
    (
        limits.fuel,
        limits.memory_bytes,
        limits.output_bytes,
        limits.value_bytes,
        limits.source_bytes,
        limits.nesting,
        limits.wall.as_secs_f64(),
    )
}

fn program((source, entry, call, limits): RequestRow) -> Program {
    let program = match call {
        None => Program::script(source),
        Some(arguments) => Program::call(source, entry, arguments),
    };
    match limits {
        None => program,
        Some(limits) => program.with_limits(limits_of(limits)),
    }
}

pub(crate) fn outcome_row(outcome: Outcome) -> OutcomeRow {
    let Outcome { termination, stdout, stderr, fuel_used, peak_memory, reads, .. } = outcome;
    let kind = termination.kind().name();
    let mut row =
        OutcomeRow { kind, stdout, stderr, fuel_used, peak_memory, reads: reads.names(), ..Default::default() };
    match termination {
        Termination::Returned(value) => row.value = Some(value.encode()),
        Termination::Raised { class, message, traceback } => {
            (row.exception, row.message) = (Some(class), Some(message));
            row.traceback = traceback.into_iter().map(|frame| (frame.line, frame.function)).collect();
        }
        Termination::SyntaxError { message, line } => {
            row.message = Some(message);
            row.traceback.push((line, "<module>".to_owned()));
        }
        Termination::InvalidInput(why) | Termination::NotATaskValue(why) | Termination::Crashed(why) => {
            row.message = Some(why);
        }
        Termination::OutOfFuel { limit } => row.limit = Some(limit),
        Termination::OutOfMemory { limit } | Termination::OutputTooLong { limit } => row.limit = Some(limit.into()),
        // `StackOverflow` has nothing to add; of another the kind is known.
        _ => {}
    }
    row
}

fn validation_row(validation: Validation) -> ValidationRow {
    match validation {
        Validation::Valid { value, fuel_used } => (None, Some(value.encode()), fuel_used, None),
        Validation::Invalid { reason, outcome } => {
            (Some(reason.name()), None, outcome.fuel_used, Some(outcome_row(outcome)))
        }
    }
}

/// Rows in groups of so many.
fn regrouped<T>(flat: Vec<T>, counts: &[usize]) -> Vec<Vec<T>> {
    let mut rows = flat.into_iter();
    counts.iter().map(|&count| rows.by_ref().take(count).collect()).collect()
}

fn check_row(check: Check) -> CheckRow {
    (check.correct, check.outcome.map(outcome_row), check.problem)
}
