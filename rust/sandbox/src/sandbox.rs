//! The sandbox: worker threads, each with an instance of the guest, and batches of requests for them.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::answer::{Answer, outcome};
use crate::cancel::Cancel;
use crate::engine::STACK_BYTES;
use crate::error::Error;
use crate::guest::Guest;
use crate::instance::Instance;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::program::{Prepared, Program};
use crate::request::{Job, RunRequest};

/// Runs untrusted Python, any number of programs at once.
///
/// A sandbox owns threads; make one and share it. Dropping it ends them.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    limits: Limits,
    process: u32,
}

/// Most calls of a program that one worker makes in a row.
const CALLS_TOGETHER: usize = 32;

/// How often a thread that waits for a batch asks [`Cancel::polling`]'s question.
const POLL: Duration = Duration::from_millis(50);

/// What came of a job: the guest's answer and the fuel it took.
pub(crate) type Ran = Result<(Answer, u64), Error>;

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    batches: VecDeque<Arc<Batch>>,
    closed: bool,
}

#[derive(Debug)]
struct Batch {
    jobs: Vec<Job>,
    cancel: Cancel,
    next: AtomicUsize,
    results: Vec<OnceLock<Vec<Ran>>>,
    left: Mutex<usize>,
    done: Condvar,
}

impl Sandbox {
    /// A sandbox on `guest` with a worker thread for every core.
    ///
    /// # Errors
    /// When the operating system refuses threads or memory, or `limits` cannot be kept.
    pub fn new(guest: &Guest, limits: Limits) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_threads(guest, limits, cores)
    }

    /// A sandbox with that many worker threads, at least one.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn with_threads(guest: &Guest, limits: Limits, threads: usize) -> Result<Self, Error> {
        limits.check()?;
        let shared = Arc::new(Shared { queue: Mutex::default(), work: Condvar::new() });
        let mut sandbox = Self { shared, workers: Vec::new(), limits, process: std::process::id() };
        for number in 0..threads.max(1) {
            let instance = Instance::new(guest.code())?;
            let (guest, shared) = (guest.clone(), Arc::clone(&sandbox.shared));
            let worker = std::thread::Builder::new()
                .name(format!("azr-sandbox-{number}"))
                .stack_size(STACK_BYTES + (2 << 20))
                .spawn(move || work(&guest, &shared, instance))?;
            sandbox.workers.push(worker);
        }
        Ok(sandbox)
    }

    /// The limits of programs that bring none of their own.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Worker threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.workers.len()
    }

    /// Runs one program in a fresh interpreter.
    ///
    /// # Errors
    /// Only for failures of the sandbox; however the program ends is an [`Outcome`].
    pub fn run(&self, program: &Program) -> Result<Outcome, Error> {
        let mut outcomes = self.run_batch(std::slice::from_ref(program), &Cancel::new());
        outcomes.pop().expect("one result a program")
    }

    /// Runs every program in a fresh interpreter of its own, on all worker threads; results in order.
    ///
    /// # Errors
    /// As [`Sandbox::run`], each in the place of its program.
    pub fn run_batch(&self, programs: &[Program], cancel: &Cancel) -> Vec<Result<Outcome, Error>> {
        let prepared: Vec<_> = programs.iter().map(|program| program.prepare(&self.limits)).collect();
        self.run_prepared(prepared, cancel)
    }

    /// Calls a program once for each argument text of its function `entry`, each from the state that a fresh load
    /// of the program gives; outcomes in order. [`Sandbox::run_batch`] does the same for programs that are equal.
    ///
    /// # Errors
    /// As [`Sandbox::run`], each in the place of its call.
    pub fn run_calls(
        &self,
        source: &str,
        entry: &str,
        calls: &[String],
        cancel: &Cancel,
    ) -> Vec<Result<Outcome, Error>> {
        let programs: Vec<Program> = calls.iter().map(|call| Program::call(source, entry, call)).collect();
        self.run_batch(&programs, cancel)
    }

    /// Runs what has a request, and passes on what needs none. Calls of one program share its load.
    pub(crate) fn run_prepared(
        &self,
        prepared: Vec<Result<Prepared, Error>>,
        cancel: &Cancel,
    ) -> Vec<Result<Outcome, Error>> {
        let mut jobs: Vec<Job> = Vec::new();
        let mut places = Vec::with_capacity(prepared.len());
        // The last job of a program that has room for another call.
        let mut open: HashMap<RunRequest, usize> = HashMap::new();
        // Enough for the load to be a small part; few enough that every worker has some.
        let most = (prepared.len() / (2 * self.threads())).clamp(1, CALLS_TOGETHER);
        for one in prepared {
            places.push(match one {
                Ok(Prepared::Known(outcome)) => Place::Known(Ok(outcome)),
                Err(error) => Place::Known(Err(error)),
                Ok(Prepared::Run { run, call: None, limits }) => {
                    jobs.push(Job { run, calls: Vec::new() });
                    Place::Ran { job: jobs.len() - 1, result: 0, limits }
                }
                Ok(Prepared::Run { run, call: Some(call), limits }) => {
                    let job = match open.get(&run) {
                        Some(&job) if jobs[job].calls.len() < most => job,
                        _ => {
                            jobs.push(Job { run: run.clone(), calls: Vec::new() });
                            open.insert(run, jobs.len() - 1);
                            jobs.len() - 1
                        }
                    };
                    jobs[job].calls.push(call);
                    Place::Ran { job, result: jobs[job].calls.len() - 1, limits }
                }
            });
        }
        let ran = self.run_jobs(jobs, cancel);
        let mut ran: Vec<Vec<Option<Ran>>> =
            ran.into_iter().map(|results| results.into_iter().map(Some).collect()).collect();
        places
            .into_iter()
            .map(|place| match place {
                Place::Known(result) => result,
                Place::Ran { job, result, limits } => {
                    let (answer, fuel) = ran[job][result].take().expect("each result has one place")?;
                    outcome(answer, fuel, &limits)
                }
            })
            .collect()
    }

    /// Runs jobs on the worker threads; results in order, as many of each job as [`Job`] says.
    pub(crate) fn run_jobs(&self, jobs: Vec<Job>, cancel: &Cancel) -> Vec<Vec<Ran>> {
        if jobs.is_empty() {
            return Vec::new();
        }
        if std::process::id() != self.process {
            let forked = || Err(Error::Forked { parent: self.process });
            return jobs.iter().map(|job| (0..job.results()).map(|_| forked()).collect()).collect();
        }
        let count = jobs.len();
        let batch = Arc::new(Batch {
            results: (0..count).map(|_| OnceLock::new()).collect(),
            left: Mutex::new(count),
            jobs,
            cancel: cancel.clone(),
            next: AtomicUsize::new(0),
            done: Condvar::new(),
        });
        lock(&self.shared.queue).batches.push_back(Arc::clone(&batch));
        if count == 1 {
            self.shared.work.notify_one();
        } else {
            self.shared.work.notify_all();
        }
        let mut left = lock(&batch.left);
        while *left > 0 {
            let (guard, waited) = batch.done.wait_timeout(left, POLL).unwrap_or_else(|poisoned| poisoned.into_inner());
            left = guard;
            if waited.timed_out() && cancel.has_poll() {
                // Not under the lock: the question may take its time, and workers need the lock.
                drop(left);
                cancel.poll();
                left = lock(&batch.left);
            }
        }
        drop(left);
        let mut results = Vec::with_capacity(count);
        // Workers may hold the batch a moment longer, but have set every result.
        let mut batch = batch;
        let batch = loop {
            match Arc::try_unwrap(batch) {
                Ok(batch) => break batch,
                Err(shared) => {
                    batch = shared;
                    std::thread::yield_now();
                }
            }
        };
        for result in batch.results {
            results.push(result.into_inner().expect("every result is set before `left` is 0"));
        }
        results
    }
}

enum Place {
    Known(Result<Outcome, Error>),
    Ran { job: usize, result: usize, limits: Limits },
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            // The threads are the parent's.
            return;
        }
        lock(&self.shared.queue).closed = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            let joined = worker.join();
            debug_assert!(joined.is_ok(), "workers do not panic");
        }
    }
}

/// A worker: takes jobs until the sandbox closes.
fn work(guest: &Guest, shared: &Shared, instance: Instance) {
    let mut instance = Some(instance);
    loop {
        let batch = {
            let mut queue = lock(&shared.queue);
            loop {
                if let Some(batch) = queue.batches.front() {
                    break Arc::clone(batch);
                }
                if queue.closed {
                    return;
                }
                queue = shared.work.wait(queue).unwrap_or_else(|poisoned| poisoned.into_inner());
            }
        };
        // Relaxed: the counter hands out each index once; results are published by `left`'s mutex.
        while let Some((at, job)) = {
            let at = batch.next.fetch_add(1, Ordering::Relaxed);
            batch.jobs.get(at).map(|job| (at, job))
        } {
            // Whoever waits for the batch would wait for ever if this thread ended.
            let ran = catch_unwind(AssertUnwindSafe(|| run(guest, &mut instance, job, &batch.cancel)));
            let panicked = || Err(Error::Runtime("a worker thread panicked: please report it".to_owned()));
            let ran = ran.unwrap_or_else(|_| (0..job.results()).map(|_| panicked()).collect());
            let set = batch.results[at].set(ran);
            debug_assert!(set.is_ok(), "each index is handed out once");
            let mut left = lock(&batch.left);
            *left -= 1;
            if *left == 0 {
                batch.done.notify_all();
            }
        }
        let mut queue = lock(&shared.queue);
        if queue.batches.front().is_some_and(|front| Arc::ptr_eq(front, &batch)) {
            queue.batches.pop_front();
        }
    }
}

/// Does a job: one result a call, or one in all.
fn run(guest: &Guest, instance: &mut Option<Instance>, job: &Job, cancel: &Cancel) -> Vec<Ran> {
    let mut results = Vec::with_capacity(job.results());
    while results.len() < job.results() {
        let from = results.len();
        // A failure of ours is that of one call; the next one starts from nothing, and may succeed.
        if let Err(error) = run_on(guest, instance, job, cancel, &mut results) {
            results.push(Err(error));
        }
        debug_assert!(results.len() > from, "every round gives a result");
    }
    results
}

/// RunRequests the program into a fresh instance and makes the calls that have no result yet, until one spends the
/// instance. After a trap its store is in no defined state (RUSTSEC-2026-0223): what follows gets a new one.
fn run_on(
    guest: &Guest,
    spare: &mut Option<Instance>,
    job: &Job,
    cancel: &Cancel,
    results: &mut Vec<Ran>,
) -> Result<(), Error> {
    if cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let mut instance = match spare.take() {
        Some(instance) => instance,
        None => Instance::new(guest.code())?,
    };
    let (answer, fuel) = instance.load(&job.run, cancel)?;
    if job.calls.is_empty() || !answer.is_loaded() {
        let spent = answer.is_trap();
        results.resize_with(job.results(), || Ok((answer.clone(), fuel)));
        if !spent {
            instance.reset()?;
            *spare = Some(instance);
        }
        return Ok(());
    }
    // The last call needs no way back. Nor does any, where the program wrote too much for one to pay.
    let again = job.calls.len() - results.len() > 1;
    let loaded = if again { instance.checkpoint() } else { None };
    loop {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let (answer, used) = instance.call(&job.run, &job.calls[results.len()], fuel, cancel)?;
        let spent = answer.is_trap();
        results.push(Ok((answer, used)));
        if spent {
            return Ok(());
        }
        let back = match &loaded {
            Some(loaded) if results.len() < job.calls.len() => instance.return_to(loaded)?,
            _ => false,
        };
        if !back {
            if let Some(loaded) = &loaded {
                instance.forget(loaded);
            }
            instance.reset()?;
            *spare = Some(instance);
            return Ok(());
        }
    }
}

/// Locks. A panic elsewhere cannot leave the data behind these locks half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
