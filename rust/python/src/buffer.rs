//! Class `TaskBuffer`: the task buffer as Python sees it. Batches in, batches out; all work is done without the GIL.
//!
//! Tasks cross as plain tuples and ids as bytes of little-endian 64-bit integers: `azr/buffer.py` gives both their types.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use azr_buffer::{
    Access, Cap, Error, GroupCommit, Kind, Level, Neighbourhood, Open, Options, Output, Policy, Position, Rejected,
    Report, Request, Role, Solved, Strategy, Task, Verdict,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyType};

use crate::measure::{self, Sharing};

/// Kind, program, inputs, outputs (encoding and repr), message, imports, step, role, references, parents, behaviour.
type Row = (
    String,
    String,
    Vec<String>,
    Vec<(Vec<u8>, String)>,
    String,
    Vec<String>,
    u32,
    String,
    Vec<u64>,
    Vec<u64>,
    Option<u128>,
);

/// How an insert went ("added", a level, or "invalid"), the id it is about, and what is wrong.
type Insertion = (&'static str, Option<u64>, Option<String>);

/// Nearest id, its similarity, share of alike tasks, whether the share is a count.
type Neighbours = (Option<u64>, f64, f64, bool);

/// An error of the buffer as `azr.errors.BufferError(message, code)`.
fn raise(py: Python<'_>, error: &Error) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match CLASS.import(py, "azr.errors", "BufferError").and_then(|class| class.call1((error.to_string(), error.code())))
    {
        Ok(value) => PyErr::from_value(value),
        Err(failure) => failure,
    }
}

/// The one door out of the GIL: run `work` detached, and raise what it returns.
fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> azr_buffer::Result<T> + Send) -> PyResult<T> {
    py.detach(work).map_err(|error| raise(py, &error))
}

fn unknown(what: &str, name: &str, known: &[&str]) -> PyErr {
    PyValueError::new_err(format!("unknown {what} `{name}`; known: {}", known.join(", ")))
}

fn parse_kind(name: &str) -> PyResult<Kind> {
    Kind::new(name).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn parse_kinds(names: &[String]) -> PyResult<Vec<Kind>> {
    names.iter().map(|name| parse_kind(name)).collect()
}

fn task_of(row: Row) -> PyResult<Task> {
    let (kind, program, inputs, outputs, message, imports, step, role, references, parents, behaviour) = row;
    let mut task = Task::new(parse_kind(&kind)?, program, "");
    task.inputs = inputs;
    task.outputs = outputs.into_iter().map(|(value, repr)| Output { value, repr }).collect();
    task.message = message;
    task.imports = imports;
    task.step = step;
    task.role = Role::from_name(&role).ok_or_else(|| unknown("role", &role, &Role::ALL.map(Role::name)))?;
    task.references = references;
    task.parents = parents;
    task.behaviour = behaviour;
    Ok(task)
}

fn row_of(task: Task) -> Row {
    (
        task.kind.to_string(),
        task.program,
        task.inputs,
        task.outputs.into_iter().map(|output| (output.value, output.repr)).collect(),
        task.message,
        task.imports,
        task.step,
        task.role.name().to_owned(),
        task.references,
        task.parents,
        task.behaviour,
    )
}

fn insertion_of(verdict: Verdict) -> Insertion {
    match verdict {
        Ok(id) => ("added", Some(id), None),
        Err(Rejected::Duplicate { level, of }) => (level.name(), Some(of), None),
        Err(other) => ("invalid", None, Some(other.to_string())),
    }
}

fn neighbours_of(found: Option<Neighbourhood>) -> PyResult<Neighbours> {
    let found = found.ok_or_else(|| PyValueError::new_err("this buffer was opened without its similarity index"))?;
    let (id, similarity) = found.nearest.map_or((None, 0.0), |(id, similarity)| (Some(id), similarity));
    Ok((id, similarity, found.share, found.exact))
}

fn strategy_of(name: &str, since: u32, low: f64, high: f64, unknown_rate: bool) -> PyResult<Strategy> {
    Ok(match name {
        "uniform" => Strategy::Uniform,
        "max_new" => Strategy::MaxNew { since },
        "half_new" => Strategy::HalfNew { since },
        "recency" => Strategy::Recency,
        "priority" => Strategy::Priority,
        "solve_rate" => Strategy::SolveRate { low, high, unknown: unknown_rate },
        other => {
            let known = ["uniform", "max_new", "half_new", "recency", "priority", "solve_rate"];
            return Err(unknown("strategy", other, &known));
        }
    })
}

fn bytes_of<'py>(py: Python<'py>, ids: &[u64]) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    PyBytes::new(py, &bytes)
}

/// Which ids `TaskBuffer.ids` lists.
#[derive(FromPyObject)]
struct Filter {
    kinds: Vec<String>,
    first_step: u32,
    last_step: u32,
    low: f64,
    high: f64,
    unknown: bool,
    servable: bool,
}

/// What was found on opening.
#[pyclass(frozen, get_all, module = "azr._azr")]
#[derive(Debug)]
pub(crate) struct BufferReport {
    records: u64,
    end: u128,
    acknowledged: Option<u128>,
    /// Path, offset, bytes and reason of what was cut off.
    cut: Option<(PathBuf, u64, u64, String)>,
    set_aside: Vec<PathBuf>,
}

impl From<Report> for BufferReport {
    fn from(report: Report) -> Self {
        Self {
            records: report.records,
            end: report.end.to_number(),
            acknowledged: report.acknowledged.map(Position::to_number),
            cut: report.cut.map(|cut| (cut.path, cut.offset, cut.bytes, cut.found.to_owned())),
            set_aside: report.set_aside,
        }
    }
}

/// A task buffer; see `azr.buffer.TaskBuffer` for the typed front.
#[pyclass(frozen, module = "azr._azr")]
pub(crate) struct TaskBuffer {
    /// None once closed. Held for the moment that it takes to copy the reference.
    inner: RwLock<Option<Arc<azr_buffer::TaskBuffer>>>,
}

impl TaskBuffer {
    fn new(buffer: Arc<azr_buffer::TaskBuffer>) -> Self {
        Self { inner: RwLock::new(Some(buffer)) }
    }

    fn buffer(&self) -> PyResult<Arc<azr_buffer::TaskBuffer>> {
        let inner = self.inner.read().expect("no holder of this lock panics");
        inner.clone().ok_or_else(|| PyValueError::new_err("the buffer is closed"))
    }
}

fn options_of(level: &str, cap: u64, policy: &str, similarity: bool, entry: Option<String>) -> PyResult<Options> {
    let level = match level {
        "exact" => Level::Exact,
        "canonical" => Level::Canonical,
        "behaviour" => Level::Behaviour,
        other => return Err(unknown("level", other, &["exact", "canonical", "behaviour"])),
    };
    let policy = match policy {
        "newest" => Policy::Newest,
        "reservoir" => Policy::Reservoir,
        "none" => Policy::None,
        other => return Err(unknown("policy", other, &["newest", "reservoir", "none"])),
    };
    let cap = if cap == 0 || policy == Policy::None { Cap::NONE } else { Cap { tasks: cap, policy } };
    let mut options = Options::default().with_level(level).with_cap(cap).with_similarity(similarity);
    options.entry = entry;
    Ok(options)
}

#[pymethods]
impl TaskBuffer {
    #[staticmethod]
    #[pyo3(signature = (*, level, cap, policy, similarity, entry))]
    fn in_memory(level: &str, cap: u64, policy: &str, similarity: bool, entry: Option<String>) -> PyResult<Self> {
        let options = options_of(level, cap, policy, similarity, entry)?;
        Ok(Self::new(Arc::new(azr_buffer::TaskBuffer::in_memory(options))))
    }

    #[staticmethod]
    #[pyo3(signature = (folder, *, level, cap, policy, similarity, entry, access, position, salvage, group))]
    #[expect(clippy::too_many_arguments, reason = "keywords of one call; the front groups them")]
    fn open(
        py: Python<'_>,
        folder: PathBuf,
        level: &str,
        cap: u64,
        policy: &str,
        similarity: bool,
        entry: Option<String>,
        access: &str,
        position: Option<u128>,
        salvage: bool,
        group: Option<(u64, f64)>,
    ) -> PyResult<(Self, BufferReport)> {
        let mut options = options_of(level, cap, policy, similarity, entry)?;
        options.group_commit = match group {
            None => None,
            Some((tasks, seconds)) => {
                let interval = Duration::try_from_secs_f64(seconds);
                let interval = interval.map_err(|error| PyValueError::new_err(format!("commit interval: {error}")))?;
                Some(GroupCommit { tasks, interval })
            }
        };
        let access = match access {
            "write" => Access::Write,
            "existing" => Access::Existing,
            "read" => Access::Read,
            other => return Err(unknown("access", other, &["write", "existing", "read"])),
        };
        let mut open = Open::WRITE.with_access(access);
        open.at = position.map(Position::from_number);
        open.salvage = salvage;
        let (buffer, report) = detached(py, || azr_buffer::TaskBuffer::open(&folder, options, open))?;
        Ok((Self::new(buffer), report.into()))
    }

    /// Let go of the buffer, and of its lock once no call is under way.
    fn close(&self, py: Python<'_>) {
        let buffer = self.inner.write().expect("no holder of this lock panics").take();
        py.detach(|| drop(buffer));
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.buffer()?.len())?)
    }

    fn insert_many(&self, py: Python<'_>, rows: Vec<Row>, threads: usize) -> PyResult<Vec<Insertion>> {
        let buffer = self.buffer()?;
        let tasks: Vec<Task> = rows.into_iter().map(task_of).collect::<PyResult<_>>()?;
        let verdicts = detached(py, || buffer.insert_many(&tasks, threads))?;
        Ok(verdicts.into_iter().map(insertion_of).collect())
    }

    fn get_many(&self, py: Python<'_>, ids: Vec<u64>) -> PyResult<Vec<Row>> {
        let buffer = self.buffer()?;
        let tasks: Vec<Task> = detached(py, || ids.iter().map(|id| buffer.get(*id)).collect())?;
        Ok(tasks.into_iter().map(row_of).collect())
    }

    /// History (step, successes, attempts), times served, quarantined, excluded, servable.
    #[expect(clippy::type_complexity, reason = "a row that the front gives its type")]
    fn state(&self, py: Python<'_>, id: u64) -> PyResult<(Vec<(u32, u16, u16)>, u64, bool, bool, bool)> {
        let buffer = self.buffer()?;
        let state = detached(py, || buffer.state(id))?;
        let history = state.history.iter().map(|solved| (solved.step, solved.successes, solved.attempts)).collect();
        Ok((history, state.served, state.quarantined, state.excluded, state.servable))
    }

    fn solve_rates(&self, py: Python<'_>, ids: Vec<u64>) -> PyResult<Vec<Option<f64>>> {
        let buffer = self.buffer()?;
        detached(py, || ids.iter().map(|id| buffer.solve_rate(*id)).collect())
    }

    fn record_solved(&self, py: Python<'_>, rows: Vec<(u64, u32, u16, u16)>) -> PyResult<()> {
        let buffer = self.buffer()?;
        let record = |(id, step, successes, attempts)| buffer.record_solved(id, Solved { step, successes, attempts });
        detached(py, || rows.into_iter().try_for_each(record))
    }

    fn mark_served(&self, py: Python<'_>, ids: Vec<u64>) -> PyResult<()> {
        let buffer = self.buffer()?;
        detached(py, || buffer.mark_served(&ids))
    }

    fn exclude(&self, py: Python<'_>, ids: Vec<u64>) -> PyResult<()> {
        let buffer = self.buffer()?;
        detached(py, || ids.iter().try_for_each(|id| buffer.exclude(*id)))
    }

    fn quarantine(&self, py: Python<'_>, ids: Vec<u64>, held: bool) -> PyResult<()> {
        let buffer = self.buffer()?;
        detached(py, || ids.iter().try_for_each(|id| buffer.quarantine(*id, held)))
    }

    #[pyo3(signature = (kinds, count, strategy, seed, exclude, *, since=0, low=0.0, high=1.0, unknown=true))]
    #[expect(clippy::too_many_arguments, reason = "keywords of one call; the front has a method for each strategy")]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        kinds: Vec<String>,
        count: usize,
        strategy: &str,
        seed: u64,
        exclude: Vec<u64>,
        since: u32,
        low: f64,
        high: f64,
        unknown: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let buffer = self.buffer()?;
        let kinds = parse_kinds(&kinds)?;
        let strategy = strategy_of(strategy, since, low, high, unknown)?;
        let request = Request { kinds: &kinds, count, strategy, seed, exclude: &exclude };
        let ids = py.detach(|| buffer.sample(&request));
        Ok(bytes_of(py, &ids))
    }

    fn ids<'py>(&self, py: Python<'py>, filter: Filter) -> PyResult<Bound<'py, PyBytes>> {
        let buffer = self.buffer()?;
        let kinds = parse_kinds(&filter.kinds)?;
        let ids = detached(py, || {
            let mut ids = Vec::new();
            for id in buffer.ids() {
                let (kind, step) = buffer.kind_and_step(id)?;
                let fits = (kinds.is_empty() || kinds.contains(kind))
                    && (filter.first_step..=filter.last_step).contains(&step)
                    && buffer.solve_rate(id)?.map_or(filter.unknown, |rate| (filter.low..=filter.high).contains(&rate))
                    && (!filter.servable || buffer.state(id)?.servable);
                if fits {
                    ids.push(id);
                }
            }
            Ok(ids)
        })?;
        Ok(bytes_of(py, &ids))
    }

    fn count(&self, kind: &str) -> PyResult<u64> {
        Ok(self.buffer()?.count(&parse_kind(kind)?))
    }

    /// The kinds that any task has or had.
    fn kinds(&self) -> PyResult<Vec<String>> {
        Ok(self.buffer()?.kinds().iter().map(Kind::to_string).collect())
    }

    fn drawable(&self, py: Python<'_>, kind: &str) -> PyResult<u64> {
        let buffer = self.buffer()?;
        let kind = parse_kind(kind)?;
        Ok(py.detach(|| buffer.drawable(&kind)))
    }

    fn neighbours(&self, py: Python<'_>, programs: Vec<String>, threshold: f64) -> PyResult<Vec<Option<Neighbours>>> {
        let buffer = self.buffer()?;
        let around = |program: &String| buffer.neighbours(program, threshold, None);
        let found: Vec<_> = py.detach(|| programs.iter().map(around).collect());
        // A program without a canonical form has no neighbours.
        found.into_iter().map(|found| found.ok().map(neighbours_of).transpose()).collect()
    }

    fn neighbours_of(&self, py: Python<'_>, ids: Vec<u64>, threshold: f64) -> PyResult<Vec<Neighbours>> {
        let buffer = self.buffer()?;
        let found: Vec<_> = detached(py, || ids.iter().map(|id| buffer.neighbours_of(*id, threshold)).collect())?;
        found.into_iter().map(neighbours_of).collect()
    }

    fn commit(&self, py: Python<'_>) -> PyResult<u128> {
        let buffer = self.buffer()?;
        detached(py, || buffer.commit()).map(Position::to_number)
    }

    fn durable(&self) -> PyResult<u64> {
        Ok(self.buffer()?.durable())
    }

    /// Rewrite the log; Ctrl-C interrupts it.
    fn compact(&self, py: Python<'_>) -> PyResult<u128> {
        let buffer = self.buffer()?;
        let stop = || Python::attach(|py| py.check_signals().is_err());
        detached(py, || buffer.compact(&stop)).map(Position::to_number)
    }
}

/// Canonical program, canonical inputs and mode (0 renamed, 1 names kept, 2 as written), or what is wrong.
#[pyfunction]
pub(crate) fn canonicalize(
    py: Python<'_>,
    program: &str,
    inputs: Vec<String>,
    entry: Option<&str>,
) -> PyResult<(String, Vec<String>, u8)> {
    let form = py.detach(|| azr_buffer::canonicalize(program, &inputs, entry));
    let form = form.map_err(|invalid| PyValueError::new_err(invalid.to_string()))?;
    Ok((form.program, form.inputs, form.mode as u8))
}

/// Of each program whether it defines `entry` at the top level, and how many functions it has; None where the guest's
/// grammar refuses it or it nests too deeply.
#[pyfunction]
pub(crate) fn shapes(py: Python<'_>, programs: Vec<String>, entry: &str) -> Vec<Option<(bool, usize)>> {
    let read = |program: &String| azr_buffer::shape(program, entry).ok().map(|shape| (shape.entry, shape.definitions));
    py.detach(|| programs.iter().map(read).collect())
}

/// Seconds that `threads` threads take to publish `tasks` tasks; `sharing` is "lock_free", "mutex" or "mutex_map".
#[pyfunction]
pub(crate) fn measure_publish(py: Python<'_>, sharing: &str, threads: usize, tasks: usize) -> PyResult<f64> {
    let sharing = match sharing {
        "lock_free" => Sharing::LockFree,
        "mutex" => Sharing::Mutex,
        "mutex_map" => Sharing::MutexMap,
        other => return Err(unknown("sharing", other, &["lock_free", "mutex", "mutex_map"])),
    };
    Ok(py.detach(|| measure::publish(sharing, threads, tasks)).as_secs_f64())
}

/// Seconds that one thread takes for the canonical forms of programs, each with its inputs.
#[pyfunction]
pub(crate) fn measure_canonical(py: Python<'_>, programs: Vec<(String, Vec<String>)>, rounds: usize) -> f64 {
    py.detach(|| measure::canonical(&programs, rounds)).as_secs_f64()
}
