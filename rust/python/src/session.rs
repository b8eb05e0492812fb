//! Class `Session`: programs of one sandbox that run one after the other. `azr/sandbox/session.py` gives it its types.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use azr_sandbox::{
    Arguments, Error, Exception, ExecMode, FileQuota, Functions, SessionOptions, SessionRun, Stream, Value,
};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::sandbox::{LimitsRow, OutcomeRow, Sandbox, interruptible, limits_of, outcome_row, raise};
use crate::text::Text;
use crate::value;

/// Python callables as functions of a session's.
struct Callables(HashMap<String, Py<PyAny>>);

impl Functions for Callables {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.keys().cloned().collect();
        names.sort();
        names
    }

    fn call(&self, name: &str, arguments: Arguments) -> Result<Value, Exception> {
        Python::attach(|py| {
            let called = self.0.get(name).map(|function| call(py, function, &arguments));
            match called {
                Some(Ok(value)) => Ok(value),
                Some(Err(error)) => Err(exception(py, &error)),
                None => Err(Exception::new("NameError", format!("the host has no function {name:?}"))),
            }
        })
    }
}

fn call(py: Python<'_>, function: &Py<PyAny>, arguments: &Arguments) -> PyResult<Value> {
    let positional: Vec<_> =
        arguments.positional.iter().map(|value| value::to_python(py, value)).collect::<PyResult<_>>()?;
    let named = PyDict::new(py);
    for (name, value) in &arguments.named {
        named.set_item(name, value::to_python(py, value)?)?;
    }
    let result = function.bind(py).call(PyTuple::new(py, positional)?, Some(&named))?;
    value::of_python(&result, 0)
}

/// What the program sees of an exception: its class by name and its text. One that is no `Exception`, which a program may not
/// catch here, becomes a `RuntimeError`.
fn exception(py: Python<'_>, error: &PyErr) -> Exception {
    let text = error.value(py).str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    let class = error.get_type(py).name().map_or_else(|_| String::new(), |name| name.to_string());
    let class = if error.is_instance_of::<PyException>(py) { class } else { format!("RuntimeError: {class}") };
    Exception::new(class, text)
}

/// Stops runs of sessions from another thread.
#[pyclass(frozen, module = "azr._azr")]
pub(crate) struct Cancel(azr_sandbox::Cancel);

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Self {
        Self(azr_sandbox::Cancel::new())
    }

    fn cancel(&self) {
        self.0.cancel();
    }
}

/// A session: see `azr.sandbox.Session`.
#[pyclass(frozen, module = "azr._azr")]
pub(crate) struct Session(Mutex<azr_sandbox::Session>);

#[pymethods]
impl Session {
    #[staticmethod]
    #[pyo3(signature = (sandbox, *, limits, fuel, functions, files, snapshot, key))]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword argument of the Python method")]
    fn open(
        py: Python<'_>,
        sandbox: &Sandbox,
        limits: Option<LimitsRow>,
        fuel: Option<u64>,
        functions: HashMap<String, Py<PyAny>>,
        files: Option<(u32, u32)>,
        snapshot: Option<Vec<u8>>,
        key: Option<[u8; 32]>,
    ) -> PyResult<Self> {
        let mut options = SessionOptions::new();
        if let Some(limits) = limits {
            options = options.with_limits(limits_of(limits));
        }
        if let Some(fuel) = fuel {
            options = options.with_fuel(fuel);
        }
        if !functions.is_empty() {
            options = options.with_functions(Callables(functions));
        }
        if let Some((bytes, entries)) = files {
            options = options.with_files(FileQuota { bytes, entries });
        }
        let opened = py.detach(|| match snapshot {
            None => sandbox.inner().session(options),
            Some(snapshot) => sandbox.inner().restore(options, &snapshot, key.as_ref()),
        });
        opened.map(|session| Self(Mutex::new(session))).map_err(|error| raise(py, &error))
    }

    #[pyo3(signature = (source, *, mode, stdin, files, fuel, deadline, on_output, cancel))]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword argument of the Python method")]
    fn run(
        &self,
        py: Python<'_>,
        source: Text,
        mode: &str,
        stdin: Option<Vec<u8>>,
        files: Vec<(String, Vec<u8>)>,
        fuel: Option<u64>,
        deadline: Option<f64>,
        on_output: Option<Py<PyAny>>,
        cancel: Option<&Cancel>,
    ) -> PyResult<OutcomeRow> {
        let mode = match mode {
            "script" => ExecMode::Script,
            "prompt" => ExecMode::Prompt,
            _ => ExecMode::Last,
        };
        let mut run = SessionRun::new(String::from(source)).with_mode(mode);
        if let Some(stdin) = stdin {
            run = run.with_stdin(stdin);
        }
        for (path, bytes) in files {
            run = run.with_file(path, bytes);
        }
        if let Some(fuel) = fuel {
            run = run.with_fuel(fuel);
        }
        if let Some(deadline) = deadline {
            let given = Duration::try_from_secs_f64(deadline).map_err(|error| {
                PyValueError::new_err(format!("deadline = {deadline}: {error}; None is no deadline"))
            })?;
            run = run.with_deadline(given);
        }
        if let Some(on_output) = on_output {
            run = run.with_output(move |stream, bytes| told(&on_output, stream, bytes));
        }
        let (interrupt, interrupted) = interruptible();
        let run = run.with_cancel(cancel.map_or(&interrupt, |cancel| &cancel.0));
        let outcome = self.with(py, |session| session.run_with(&run));
        if let Some(error) = interrupted.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take() {
            return Err(error);
        }
        outcome.map(outcome_row)
    }

    fn call(&self, py: Python<'_>, entry: &str, arguments: Vec<Vec<u8>>) -> PyResult<OutcomeRow> {
        let arguments = arguments.iter().map(|bytes| value::decode(bytes)).collect::<PyResult<_>>()?;
        self.with(py, |session| session.call(entry, arguments)).map(outcome_row)
    }

    fn get(&self, py: Python<'_>, name: &str) -> PyResult<OutcomeRow> {
        self.with(py, |session| session.get(name)).map(outcome_row)
    }

    fn set(&self, py: Python<'_>, variables: Vec<(String, Vec<u8>)>) -> PyResult<()> {
        let variables =
            variables.into_iter().map(|(name, bytes)| Ok((name, value::decode(&bytes)?))).collect::<PyResult<_>>()?;
        self.with(py, |session| session.set(variables))
    }

    fn files(&self, py: Python<'_>) -> PyResult<BTreeMap<String, Vec<u8>>> {
        self.with(py, azr_sandbox::Session::files)
    }

    fn branch(&self, py: Python<'_>) -> PyResult<Self> {
        self.with(py, |session| Ok(session.branch())).map(|session| Self(Mutex::new(session)))
    }

    fn return_to(&self, py: Python<'_>, to: &Self) -> PyResult<()> {
        let to = to.with(py, |session| Ok(session.branch()))?;
        self.with(py, |session| session.return_to(&to))
    }

    fn snapshot(&self, py: Python<'_>, key: Option<[u8; 32]>) -> PyResult<Vec<u8>> {
        self.with(py, |session| Ok(session.snapshot(key.as_ref())))
    }

    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |session| Ok(session.bytes()))
    }

    #[getter]
    fn fuel_used(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |session| Ok(session.fuel_used()))
    }
}

impl Session {
    /// Does something to the session, unless it is at work already: a function that it called, or another thread.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut azr_sandbox::Session) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let busy = || Error::BadSession("the session is at work: it does one thing at a time".to_owned());
        let done = py.detach(|| {
            let mut session: MutexGuard<'_, azr_sandbox::Session> = match self.0.try_lock() {
                Ok(session) => session,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return Err(busy()),
            };
            work(&mut session)
        });
        done.map_err(|error| raise(py, &error))
    }
}

/// Tells a callable of output. What it raises is nobody's to catch here.
fn told(on_output: &Py<PyAny>, stream: Stream, bytes: &[u8]) {
    let stream = match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    Python::attach(|py| {
        let text = String::from_utf8_lossy(bytes);
        if let Err(error) = on_output.call1(py, (stream, text)) {
            error.write_unraisable(py, Some(on_output.bind(py)));
        }
    });
}
