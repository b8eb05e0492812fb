//! Worker threads, each with an instance of the guest; batches of jobs for them, and what sessions ask.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::answer::Answer;
use crate::cancel::Cancel;
use crate::engine::STACK_BYTES;
use crate::error::Error;
use crate::guest::Guest;
use crate::instance::Instance;
use crate::limits::Limits;
use crate::request::{Job, SessionJob, SessionRan};

/// The threads of a sandbox: its sessions hold them, too.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    limits: Limits,
    guest: Guest,
    process: u32,
}

/// How often a thread that waits for a batch asks [`Cancel::polling`]'s question.
const POLL: Duration = Duration::from_millis(50);

/// Jobs of a thread after which many more are expected: large pages pay for themselves after some 10,000.
const MANY: u64 = 1_000;

/// What came of a job: the guest's answer and the fuel it took.
pub(crate) type Ran = Result<(Answer, u64), Error>;

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    /// How many tasks wait, about.
    tasks: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    batches: VecDeque<Arc<Batch>>,
    /// What sessions want: before any batch, since each waits for one answer.
    tasks: VecDeque<Task>,
    closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("batches", &self.batches.len()).field("tasks", &self.tasks.len()).finish()
    }
}

/// Work on an instance, which it takes if it is there and puts back if it is fresh.
type Task = Box<dyn FnOnce(&Guest, &mut Option<Instance>) + Send>;

thread_local! {
    /// The sandbox whose thread this is: the address of what its threads share.
    static WORKS_FOR: Cell<usize> = const { Cell::new(0) };
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

impl Pool {
    /// A pool on `guest` with that many threads, at least one.
    pub(crate) fn start(guest: &Guest, limits: Limits, threads: usize) -> Result<Self, Error> {
        limits.check()?;
        let shared = Arc::new(Shared { queue: Mutex::default(), work: Condvar::new(), tasks: AtomicUsize::new(0) });
        let (guest, process) = (guest.clone(), std::process::id());
        let mut pool = Pool { shared, workers: Vec::new(), limits, guest, process };
        for number in 0..threads.max(1) {
            let instance = Instance::new(pool.guest.code())?;
            let (guest, shared) = (pool.guest.clone(), Arc::clone(&pool.shared));
            let worker = std::thread::Builder::new()
                .name(format!("azr-sandbox-{number}"))
                .stack_size(STACK_BYTES + (2 << 20))
                .spawn(move || work(&guest, &shared, instance))?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    pub(crate) fn threads(&self) -> usize {
        self.workers.len()
    }

    /// Runs jobs on the worker threads; results in order, as many of each job as [`Job`] says.
    pub(crate) fn run_jobs(&self, jobs: Vec<Job>, cancel: &Cancel) -> Vec<Vec<Ran>> {
        if jobs.is_empty() {
            return Vec::new();
        }
        if let Some(error) = self.unusable() {
            let refused = || Err(error.again());
            return jobs.iter().map(|job| (0..job.results()).map(|_| refused()).collect()).collect();
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

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Why this thread cannot wait for the pool's.
    fn unusable(&self) -> Option<Error> {
        if std::process::id() != self.process {
            return Some(Error::Forked { parent: self.process });
        }
        // A function that a program called would wait for the thread that it runs on.
        (WORKS_FOR.get() == Arc::as_ptr(&self.shared).addr()).then_some(Error::CalledBack)
    }

    /// Has a thread do what a session asks, and waits for it.
    pub(crate) fn run_session(&self, job: SessionJob, cancel: &Cancel) -> Result<SessionRan, Error> {
        if let Some(error) = self.unusable() {
            return Err(error);
        }
        let place = Arc::new((Mutex::new(None), Condvar::new()));
        let (there, mine) = (Arc::clone(&place), cancel.clone());
        let task: Task = Box::new(move |guest, spare| {
            let ran = catch_unwind(AssertUnwindSafe(|| continue_session(guest, spare, &job, &mine)));
            let panicked = |_| Err(Error::Runtime("a worker thread panicked: please report it".to_owned()));
            *lock(&there.0) = Some(ran.unwrap_or_else(panicked));
            there.1.notify_all();
        });
        // Relaxed: says that it is worth taking the lock, which orders everything else.
        self.shared.tasks.fetch_add(1, Ordering::Relaxed);
        lock(&self.shared.queue).tasks.push_back(task);
        self.shared.work.notify_one();
        let (result, done) = &*place;
        let mut ran = lock(result);
        loop {
            if let Some(ran) = ran.take() {
                return ran;
            }
            let (guard, waited) = done.wait_timeout(ran, POLL).unwrap_or_else(|poisoned| poisoned.into_inner());
            ran = guard;
            if waited.timed_out() && cancel.has_poll() {
                // Not under the lock: the question may take its time.
                drop(ran);
                cancel.poll();
                ran = lock(result);
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            // The threads are the parent's.
            return;
        }
        lock(&self.shared.queue).closed = true;
        self.shared.work.notify_all();
        let this = std::thread::current().id();
        for worker in self.workers.drain(..) {
            // A function of a session may hold the last of it: its thread ends by itself.
            if worker.thread().id() != this {
                let joined = worker.join();
                debug_assert!(joined.is_ok(), "workers do not panic");
            }
        }
    }
}

/// Continues a session in a fresh instance, which is put back fresh unless a trap has spent it.
fn continue_session(
    guest: &Guest,
    spare: &mut Option<Instance>,
    job: &SessionJob,
    cancel: &Cancel,
) -> Result<SessionRan, Error> {
    if cancel.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let mut instance = match spare.take() {
        Some(instance) => instance,
        None => Instance::new(guest.code())?,
    };
    let ran = instance.session(job, cancel)?;
    if ran.state.is_some() {
        instance.reset()?;
        *spare = Some(instance);
    }
    Ok(ran)
}

/// A worker: takes jobs until the sandbox closes.
fn work(guest: &Guest, shared: &Arc<Shared>, instance: Instance) {
    WORKS_FOR.set(Arc::as_ptr(shared).addr());
    let mut instance = Some(instance);
    let mut served = 0_u64;
    loop {
        do_tasks(guest, shared, &mut instance);
        let batch = {
            let mut queue = lock(&shared.queue);
            loop {
                if !queue.tasks.is_empty() {
                    break None;
                }
                if let Some(batch) = queue.batches.front() {
                    break Some(Arc::clone(batch));
                }
                if queue.closed {
                    return;
                }
                queue = shared.work.wait(queue).unwrap_or_else(|poisoned| poisoned.into_inner());
            }
        };
        let Some(batch) = batch else { continue };
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
            drop(left);
            served += 1;
            if served == MANY {
                guest.code().move_into_large_pages();
            }
            do_tasks(guest, shared, &mut instance);
        }
        let mut queue = lock(&shared.queue);
        if queue.batches.front().is_some_and(|front| Arc::ptr_eq(front, &batch)) {
            queue.batches.pop_front();
        }
    }
}

/// Does what sessions ask for.
fn do_tasks(guest: &Guest, shared: &Shared, instance: &mut Option<Instance>) {
    // Relaxed: as in `run_session`; who sees it late looks again after the next job.
    while shared.tasks.load(Ordering::Relaxed) > 0 {
        let Some(task) = lock(&shared.queue).tasks.pop_front() else { return };
        shared.tasks.fetch_sub(1, Ordering::Relaxed);
        task(guest, instance);
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
