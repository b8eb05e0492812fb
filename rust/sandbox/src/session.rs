//! Sessions: programs that run one after the other, each in the state that the one before it left.
//!
//! Between two runs a session is data: the pages of its guest's memory that differ from the image. No thread and no instance
//! belongs to it. A run takes a fresh instance of the sandbox's, writes those pages to it, and reads off afterwards what
//! has been written. So a branch shares its pages with where it came from, going back is forgetting, and a run that is stopped
//! in the middle, by a limit or from outside, has never happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use azr_wire::{Arguments as CallArguments, Call, Exec, GuestLimits, Open, Request, Response};

pub use azr_wire::{ExecMode, FileQuota};

use crate::answer::{Answer, outcome};
use crate::cancel::Cancel;
use crate::entropy::entropy;
use crate::error::Error;
use crate::functions::{Functions, Known};
use crate::layout::PAGE;
use crate::limits::Limits;
use crate::memory::Pages;
use crate::nesting::too_deep;
use crate::outcome::{Outcome, Termination};
use crate::pool::Pool;
use crate::request::{Budget, OnOutput, RESPONSE_BYTES, RunRequest, SessionJob, Stream};
use crate::snapshot;
use crate::source::{NO_SOURCE, is_name};
use crate::value::Value;

/// Most bytes that files may take.
const MOST_FILE_BYTES: u32 = 256 << 20;
/// Most files and folders.
const MOST_ENTRIES: u32 = 100_000;
/// Bytes of a path, as on Linux.
const PATH_BYTES: usize = 4096;

/// What a session may do, for as long as it lives.
#[derive(Clone)]
#[non_exhaustive]
pub struct SessionOptions {
    limits: Option<Limits>,
    fuel: Option<u64>,
    functions: Option<Arc<dyn Functions>>,
    files: Option<FileQuota>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for SessionOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let functions = self.functions.as_ref().map(|functions| functions.names());
        f.debug_struct("SessionOptions")
            .field("limits", &self.limits)
            .field("fuel", &self.fuel)
            .field("functions", &functions)
            .field("files", &self.files)
            .finish()
    }
}

impl SessionOptions {
    /// The sandbox's limits for each run, no functions, no files.
    #[must_use]
    pub fn new() -> Self {
        Self { limits: None, fuel: None, functions: None, files: None }
    }

    /// Limits instead of the sandbox's. Fuel, output, values, sources and the wall clock are bounded for each run, memory for
    /// the session.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Fuel for all runs together.
    #[must_use]
    pub fn with_fuel(mut self, fuel: u64) -> Self {
        self.fuel = Some(fuel);
        self
    }

    /// Functions that programs find among their globals.
    #[must_use]
    pub fn with_functions(mut self, functions: impl Functions + 'static) -> Self {
        self.functions = Some(Arc::new(functions));
        self
    }

    /// Files, in memory, that `open`, `os` and what rests on them see. They take up the session's memory.
    #[must_use]
    pub fn with_files(mut self, quota: FileQuota) -> Self {
        self.files = Some(quota);
        self
    }
}

/// A run of a session: a source text, and what holds for this run alone.
#[derive(Clone)]
pub struct SessionRun {
    source: String,
    mode: ExecMode,
    stdin: Option<Vec<u8>>,
    files: Vec<(String, Vec<u8>)>,
    fuel: Option<u64>,
    wall: Option<Duration>,
    output: Option<OnOutput>,
    cancel: Cancel,
}

impl std::fmt::Debug for SessionRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionRun").field("source", &self.source).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl SessionRun {
    /// A script. It returns the value of its last statement if that is an expression, or `None`.
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            mode: ExecMode::Last,
            stdin: None,
            files: Vec::new(),
            fuel: None,
            wall: None,
            output: None,
            cancel: Cancel::new(),
        }
    }

    /// What becomes of its expressions.
    #[must_use]
    pub fn with_mode(mut self, mode: ExecMode) -> Self {
        self.mode = mode;
        self
    }

    /// What it reads from standard input, in place of what earlier runs left of theirs.
    #[must_use]
    pub fn with_stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// A file that it finds: the session must have been opened with files.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), bytes.into()));
        self
    }

    /// Fuel, in place of the session's for each run.
    #[must_use]
    pub fn with_fuel(mut self, fuel: u64) -> Self {
        self.fuel = Some(fuel);
        self
    }

    /// A deadline from when it starts to run: past it the run fails with [`Error::WallClock`], and has never happened.
    #[must_use]
    pub fn with_deadline(mut self, wall: Duration) -> Self {
        self.wall = Some(wall);
        self
    }

    /// Called with what the run prints, as it prints it, on a thread of the sandbox's. The outcome holds all of it again.
    #[must_use]
    pub fn with_output(mut self, output: impl Fn(Stream, &[u8]) + Send + Sync + 'static) -> Self {
        self.output = Some(Arc::new(output));
        self
    }

    /// A switch that stops it: it fails with [`Error::Cancelled`], and has never happened.
    #[must_use]
    pub fn with_cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

/// What all branches of a session have in common.
struct Common {
    pool: Arc<Pool>,
    limits: Limits,
    fuel: Option<u64>,
    functions: Option<Known>,
    files: Option<FileQuota>,
}

/// A session: see [`Sandbox::session`](crate::Sandbox::session). [`Session::branch`] makes another that goes its own way.
pub struct Session {
    common: Arc<Common>,
    pages: Pages,
    fuel_used: u64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("pages", &self.pages.0.len()).field("fuel_used", &self.fuel_used).finish()
    }
}

impl Session {
    pub(crate) fn open(pool: Arc<Pool>, options: SessionOptions) -> Result<Self, Error> {
        let common = Common::new(pool, options)?;
        let mut session = Self { common: Arc::new(common), pages: Pages::default(), fuel_used: 0 };
        let opened = session.ask(None, Vec::new(), &Cancel::new(), Cost::of(&session.common.limits), None)?;
        match opened.first() {
            None => Ok(session),
            Some(answer) => Err(Error::GuestContract(format!("a session does not open: {answer:?}"))),
        }
    }

    pub(crate) fn restore(
        pool: Arc<Pool>,
        options: SessionOptions,
        snapshot: &[u8],
        key: Option<&[u8; 32]>,
    ) -> Result<Self, Error> {
        let common = Common::new(pool, options)?;
        let memory = common.pool.guest().code().image.size();
        let (fuel_used, pages) = snapshot::decode(snapshot, &common.binding(), memory / PAGE, key)?;
        Ok(Self { common: Arc::new(common), pages, fuel_used })
    }

    /// The session as bytes, for [`Sandbox::restore`](crate::Sandbox::restore): bound to the guest and to the options.
    ///
    /// The bytes are a program's memory. With a key, nobody without it can change them unseen, nor make others up. Without,
    /// they are held against damage only; whoever makes some up has a program in the sandbox, which is what it is for,
    /// except that this one need not keep the bounds that the interpreter keeps itself.
    #[must_use]
    pub fn snapshot(&self, key: Option<&[u8; 32]>) -> Vec<u8> {
        snapshot::encode(&self.common.binding(), self.fuel_used, &self.pages, key)
    }

    /// Another session in the same state. It shares what neither has written since.
    #[must_use]
    pub fn branch(&self) -> Self {
        Self { common: Arc::clone(&self.common), pages: self.pages.clone(), fuel_used: self.fuel_used }
    }

    /// Goes back, or over, to the state of another branch of this session.
    ///
    /// # Errors
    /// When `to` is no branch of this session.
    pub fn return_to(&mut self, to: &Self) -> Result<(), Error> {
        if !Arc::ptr_eq(&self.common, &to.common) {
            return Err(Error::BadSession("not a branch of this session".to_owned()));
        }
        self.pages = to.pages.clone();
        // What was spent is spent: going back would make a session's fuel endless.
        self.fuel_used = self.fuel_used.max(to.fuel_used);
        Ok(())
    }

    /// Bytes that it holds, shared ones included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.pages.0.len() * (PAGE + size_of::<(u32, Arc<[u8]>)>() + 2 * size_of::<usize>()) + size_of::<Self>()
    }

    /// Fuel that all its runs have taken.
    #[must_use]
    pub fn fuel_used(&self) -> u64 {
        self.fuel_used
    }

    /// Runs source text: [`SessionRun::new`].
    ///
    /// # Errors
    /// As [`Session::run_with`].
    pub fn run(&mut self, source: impl Into<String>) -> Result<Outcome, Error> {
        self.run_with(&SessionRun::new(source))
    }

    /// Runs source text. An exception leaves the state as the program left it. Where a limit stopped the run, the state is
    /// what it was before.
    ///
    /// # Errors
    /// For failures of the sandbox, when the run was stopped from outside, or asks for what the session was not opened for.
    /// The state is what it was before.
    pub fn run_with(&mut self, run: &SessionRun) -> Result<Outcome, Error> {
        let limits = self.common.limits;
        if let Some(termination) = refused(&run.source, &limits) {
            return Ok(known(termination));
        }
        let mut requests = Vec::with_capacity(2);
        if !run.files.is_empty() || run.stdin.is_some() {
            self.common.check_files(&run.files)?;
            requests.push(Request::Put { files: run.files.clone(), stdin: run.stdin.clone() }.encode());
        }
        let Limits { output_bytes, value_bytes, .. } = limits;
        let exec = Exec { source: run.source.clone(), mode: run.mode, output_bytes, value_bytes };
        requests.push(Request::Exec(exec).encode());
        let mut cost = Cost::of(&limits);
        cost.fuel = run.fuel.unwrap_or(cost.fuel);
        cost.wall = run.wall.unwrap_or(cost.wall);
        self.answered(requests, &run.cancel, cost, run.output.clone())
    }

    /// Calls a function of the session's with data, and returns what it returns.
    ///
    /// # Errors
    /// As [`Session::run_with`].
    pub fn call(&mut self, entry: &str, arguments: Vec<Value>) -> Result<Outcome, Error> {
        if !is_name(entry) {
            return Ok(known(Termination::InvalidInput(format!("{entry:?} is not a function's name"))));
        }
        let call = Call { entry: entry.to_owned(), arguments: CallArguments::Values(arguments) };
        self.answered(vec![Request::Call(call).encode()], &Cancel::new(), Cost::of(&self.common.limits), None)
    }

    /// The value of a global variable, or a `NameError`, or that it is no plain data.
    ///
    /// # Errors
    /// As [`Session::run_with`].
    pub fn get(&mut self, name: &str) -> Result<Outcome, Error> {
        self.answered(vec![Request::Get(name.to_owned()).encode()], &Cancel::new(), Cost::of(&self.common.limits), None)
    }

    /// Sets global variables.
    ///
    /// # Errors
    /// When a value cannot be one of Python's (a list as a key), and as [`Session::run_with`].
    pub fn set(&mut self, variables: Vec<(String, Value)>) -> Result<(), Error> {
        if let Some((name, _)) = variables.iter().find(|(name, _)| !is_name(name)) {
            return Err(Error::BadSession(format!("{name:?} is not a variable's name")));
        }
        let cost = Cost::of(&self.common.limits);
        let outcome = self.answered(vec![Request::Set(variables).encode()], &Cancel::new(), cost, None)?;
        match outcome.termination {
            Termination::Returned(_) => Ok(()),
            other => Err(Error::BadSession(format!("the variables cannot be set: {other:?}"))),
        }
    }

    /// The session's files by their absolute paths, without those below `/tmp`.
    ///
    /// # Errors
    /// When it was opened without files, or a program made more of them than it may; and as [`Session::run_with`].
    pub fn files(&mut self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let quota = self.common.files.ok_or_else(|| Error::BadSession("the session has no files".to_owned()))?;
        let mut cost = Cost::of(&self.common.limits);
        cost.response_bytes += quota.bytes as usize + 8 * quota.entries as usize;
        let pages = self.pages.clone();
        let mut answers = self.ask(Some(&pages), vec![Request::Files.encode()], &Cancel::new(), cost, None)?;
        let answer = answers.pop().ok_or_else(|| Error::GuestContract("it answered nothing".to_owned()))?;
        let Answer::Response(bytes) = &answer else {
            return Err(Error::BadSession(format!("the files cannot be had: {:?}", self.read(answer, cost.fuel)?)));
        };
        match Response::decode(bytes) {
            Ok(Response::Files(files)) => checked(files, quota),
            _ => Err(Error::BadSession(format!("the files cannot be had: {:?}", self.read(answer, cost.fuel)?))),
        }
    }

    /// Has requests answered: the outcome of the last, or of one that did not end well.
    fn answered(
        &mut self,
        requests: Vec<Vec<u8>>,
        cancel: &Cancel,
        cost: Cost,
        output: Option<OnOutput>,
    ) -> Result<Outcome, Error> {
        let before = self.fuel_used;
        let pages = self.pages.clone();
        let answers = self.ask(Some(&pages), requests, cancel, cost, output)?;
        let used = self.fuel_used - before;
        let mut last = Err(Error::GuestContract("it answered nothing".to_owned()));
        for answer in answers {
            let outcome = self.read(answer, used)?;
            let well = matches!(outcome.termination, Termination::Returned(_));
            last = Ok(outcome);
            if !well {
                break;
            }
        }
        last
    }

    fn read(&self, answer: Answer, used: u64) -> Result<Outcome, Error> {
        outcome(answer, used, &self.common.limits)
    }

    /// Has requests answered in the state of `pages`, or in a session that is opened first. What they leave is the
    /// session's state, unless one was stopped in the middle.
    fn ask(
        &mut self,
        pages: Option<&Pages>,
        requests: Vec<Vec<u8>>,
        cancel: &Cancel,
        cost: Cost,
        output: Option<OnOutput>,
    ) -> Result<Vec<Answer>, Error> {
        let common = &self.common;
        let left = common.fuel.map_or(u64::MAX, |fuel| fuel.saturating_sub(self.fuel_used));
        let budget = Budget {
            fuel: cost.fuel.min(left),
            memory_bytes: common.limits.memory_bytes,
            address_shift: 0,
            response_bytes: cost.response_bytes,
        };
        let job = SessionJob {
            state: pages.cloned(),
            open: RunRequest { request: common.open(), budget, wall: cost.wall },
            requests,
            functions: common.functions.clone(),
            // A session's guest always sends what is printed (`Open::stream`), so somebody has to take it.
            output: Some(output.unwrap_or_else(|| Arc::new(|_, _| {}))),
            value_bytes: common.limits.value_bytes as usize,
            output_bytes: common.limits.output_bytes as usize,
        };
        let ran = common.pool.run_session(job, cancel)?;
        // Also of a run whose state is thrown away: it would cost nothing to be stopped again and again.
        self.fuel_used += ran.fuel_used;
        if let Some(pages) = ran.state {
            self.pages = pages;
        }
        Ok(ran.answers)
    }
}

/// What requests may cost.
#[derive(Clone, Copy)]
struct Cost {
    fuel: u64,
    wall: Duration,
    response_bytes: usize,
}

impl Cost {
    fn of(limits: &Limits) -> Self {
        let response_bytes = limits.output_bytes as usize + limits.value_bytes as usize + RESPONSE_BYTES;
        Self { fuel: limits.fuel, wall: limits.wall, response_bytes }
    }
}

impl Common {
    fn new(pool: Arc<Pool>, options: SessionOptions) -> Result<Self, Error> {
        let SessionOptions { limits, fuel, functions, files } = options;
        let limits = limits.unwrap_or(*pool.limits());
        limits.check()?;
        let functions = functions.map(Known::new);
        if let Some(name) = functions.iter().flat_map(Known::names).find(|name| !is_name(name)) {
            return Err(Error::BadSession(format!("{name:?} is not a function's name")));
        }
        if let Some(FileQuota { bytes, entries }) = files
            && (bytes > MOST_FILE_BYTES || entries > MOST_ENTRIES)
        {
            return Err(Error::BadSession(format!(
                "files may take at most {MOST_FILE_BYTES} bytes and {MOST_ENTRIES} entries"
            )));
        }
        Ok(Self { pool, limits, fuel, functions, files })
    }

    /// What opens a session.
    fn open(&self) -> Vec<u8> {
        let Limits { memory_bytes, output_bytes, value_bytes, .. } = self.limits;
        Request::Open(Open {
            limits: GuestLimits { memory_bytes, output_bytes, value_bytes },
            entropy: entropy(0),
            functions: self.functions.iter().flat_map(Known::names).cloned().collect(),
            files: self.files,
            stream: true,
        })
        .encode()
    }

    /// What a snapshot is bound to: the guest, and all that the session was opened with.
    fn binding(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let limits = format!("{:?} {:?}", self.limits, self.fuel);
        let open = self.open();
        for part in [self.pool.guest().hash().as_bytes(), limits.as_bytes(), &open] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    /// Fails where a run brings files that the session cannot have.
    fn check_files(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        if files.is_empty() {
            return Ok(());
        }
        let bad = |why: String| Err(Error::BadSession(why));
        let Some(quota) = self.files else {
            return bad("the session was opened without files".to_owned());
        };
        let bytes: usize = files.iter().map(|(path, bytes)| path.len() + bytes.len()).sum();
        if bytes > quota.bytes as usize || files.len() > quota.entries as usize {
            return bad(format!("{} files of {bytes} bytes are more than the session may have", files.len()));
        }
        match files.iter().find(|(path, _)| !is_path(path.strip_prefix('/').unwrap_or(path))) {
            Some((path, _)) => bad(format!("{path:?} is no path of a file below the session's root")),
            None => Ok(()),
        }
    }
}

/// Files as a guest gives them, who is not trusted: by paths that lead straight to them, no more than they may be.
fn checked(files: Vec<(String, Vec<u8>)>, quota: FileQuota) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let bytes: usize = files.iter().map(|(path, bytes)| path.len() + bytes.len()).sum();
    let straight = |path: &str| path.strip_prefix('/').is_some_and(is_path);
    if bytes > quota.bytes as usize || files.len() > quota.entries as usize {
        return Err(Error::GuestContract("its files are more than they may be".to_owned()));
    }
    if !files.iter().all(|(path, _)| straight(path)) {
        return Err(Error::GuestContract("a file has a name that leads elsewhere".to_owned()));
    }
    Ok(files.into_iter().collect())
}

/// Whether a path, without the slash before it, leads straight down.
fn is_path(path: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 255 && !part.contains('\0');
    path.len() < PATH_BYTES && path.split('/').all(part)
}

/// What is known of a source text before it runs.
fn refused(source: &str, limits: &Limits) -> Option<Termination> {
    if source.len() > limits.source_bytes as usize {
        let message = format!("{} bytes, and the limit is {}", source.len(), limits.source_bytes);
        return Some(Termination::SyntaxError { message, line: 0 });
    }
    if let Some((before, _)) = source.split_once('\0') {
        let line = u32::try_from(before.matches('\n').count()).expect("source is at most 16 MiB") + 1;
        return Some(Termination::SyntaxError { message: NO_SOURCE.to_owned(), line });
    }
    let (line, message) = too_deep(source, limits.nesting)?;
    Some(Termination::SyntaxError { message: message.to_owned(), line })
}

fn known(termination: Termination) -> Outcome {
    let (stdout, stderr) = (String::new(), String::new());
    Outcome { termination, stdout, stderr, fuel_used: 0, peak_memory: 0, reads: azr_wire::Reads::default() }
}
