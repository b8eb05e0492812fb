//! The sandbox: worker threads, each with an instance of the guest, and batches of requests for them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::answer::outcome;
use crate::cancel::Cancel;
use crate::error::Error;
use crate::guest::Guest;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::pool::{Pool, Ran};
use crate::program::{Prepared, Program};
use crate::request::{Job, RunRequest};
use crate::session::{Session, SessionOptions};

/// Runs untrusted Python, any number of programs at once.
///
/// A sandbox owns threads; make one and share it. Clones share the threads, which end with the last clone and session.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pool: Arc<Pool>,
}

/// Most calls of a program that one worker makes in a row.
const CALLS_TOGETHER: usize = 32;

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
        Ok(Self { pool: Arc::new(Pool::start(guest, limits, threads)?) })
    }

    /// Opens a session: programs that run one after the other, each in the state that the one before it left.
    ///
    /// # Errors
    /// When the options cannot be kept, or the guest is of a time before there were sessions.
    pub fn session(&self, options: SessionOptions) -> Result<Session, Error> {
        Session::open(Arc::clone(&self.pool), options)
    }

    /// Opens a session from what [`Session::snapshot`] gave, here or in another process, for the same options, functions'
    /// names and limits included, and the same guest.
    ///
    /// # Errors
    /// [`Error::BadSnapshot`] when the bytes are damaged, or of another guest, of other options or under another key.
    pub fn restore(&self, options: SessionOptions, snapshot: &[u8], key: Option<&[u8; 32]>) -> Result<Session, Error> {
        Session::restore(Arc::clone(&self.pool), options, snapshot, key)
    }

    /// The limits of programs that bring none of their own.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.pool.limits()
    }

    /// Worker threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.threads()
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
        let prepared: Vec<_> = programs.iter().map(|program| program.prepare(self.pool.limits())).collect();
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
        self.pool.run_jobs(jobs, cancel)
    }
}

enum Place {
    Known(Result<Outcome, Error>),
    Ran { job: usize, result: usize, limits: Limits },
}
