//! A program to run, and what its run means.

use azr_wire::{Abort, Arguments, Call, Entropy, GuestLimits, ModuleProblem, Reads, Request, Response, Run, Value};
use wasmtime::Trap;

use crate::error::Error;
use crate::instance::{Answer, Budget};
use crate::limits::Limits;
use crate::nesting::too_deep;
use crate::outcome::{Ended, Outcome};
use crate::sandbox::{Job, Load};

/// Bytes of a response besides what the limits allow: messages, a traceback.
const RESPONSE_BYTES: usize = 64 << 10;

/// Settings of entropy besides the first.
pub(crate) const OTHER_SETTINGS: u32 = 8;

/// What is wrong with a text that holds a NUL. The Python package hands over a text with a lone surrogate, which has
/// no UTF-8, as one.
const NO_SOURCE: &str = "source code cannot contain null bytes or lone surrogates";

/// A program, what to do with it, and optionally limits of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    source: String,
    call: Option<Call>,
    limits: Option<Limits>,
}

impl Program {
    /// Run `source` as a script; it returns `None` if it reaches its end.
    pub fn script(source: impl Into<String>) -> Self {
        Self { source: source.into(), call: None, limits: None }
    }

    /// Run `source`, then evaluate `entry(arguments)` and return its value.
    ///
    /// `arguments` is source text. It is parsed as an argument list and nothing else: text that closes the
    /// parenthesis, assigns, or uses a name that neither Python nor the program defines is
    /// [`Ended::InvalidInput`].
    pub fn call(source: impl Into<String>, entry: impl Into<String>, arguments: impl Into<String>) -> Self {
        let call = Call { entry: entry.into(), arguments: Arguments::Text(arguments.into()) };
        Self { source: source.into(), call: Some(call), limits: None }
    }

    /// Run `source`, then call its function `entry` with data, one value a positional argument.
    ///
    /// The values become objects in the guest without any text being compiled: data from elsewhere cannot
    /// become code.
    pub fn call_with(source: impl Into<String>, entry: impl Into<String>, values: Vec<Value>) -> Self {
        let call = Call { entry: entry.into(), arguments: Arguments::Values(values) };
        Self { source: source.into(), call: Some(call), limits: None }
    }

    /// Limits for this program instead of the sandbox's.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    pub(crate) fn prepare(&self, defaults: &Limits) -> Result<Prepared, Error> {
        self.prepare_under(defaults, entropy(0))
    }

    /// The job of this program under an entropy; or its outcome, where no run is needed to know it.
    pub(crate) fn prepare_under(&self, defaults: &Limits, entropy: Entropy) -> Result<Prepared, Error> {
        let limits = self.limits.unwrap_or(*defaults);
        limits.check()?;
        if let Some(ended) = self.refused(&limits) {
            return Ok(Prepared::Known(Outcome {
                ended,
                stdout: String::new(),
                stderr: String::new(),
                fuel_used: 0,
                peak_memory: 0,
                reads: Reads::default(),
            }));
        }
        let request = Request::Run(Run {
            program: self.source.clone(),
            called: self.call.is_some(),
            limits: GuestLimits {
                memory_bytes: limits.memory_bytes,
                output_bytes: limits.output_bytes,
                value_bytes: limits.value_bytes,
            },
            entropy,
        });
        let budget = Budget {
            fuel: limits.fuel,
            memory_bytes: limits.memory_bytes,
            address_shift: entropy.address_shift,
            response_bytes: limits.output_bytes as usize + limits.value_bytes as usize + RESPONSE_BYTES,
        };
        let run = Load { request: request.encode(), budget, wall: limits.wall };
        let call = self.call.as_ref().map(|call| Request::Call(call.clone()).encode());
        Ok(Prepared::Run { run, call, limits })
    }

    /// The job of running this program once more, under another entropy. It may take more fuel than the first time:
    /// where a hash leads is no property of the program.
    pub(crate) fn prepare_again(&self, defaults: &Limits, entropy: Entropy) -> Result<Prepared, Error> {
        let limits = self.limits.unwrap_or(*defaults);
        let more = Limits { fuel: limits.fuel.saturating_mul(2).min(i64::MAX as u64 - 1), ..limits };
        self.clone().with_limits(more).prepare_under(defaults, entropy)
    }

    /// What is known before anything runs: the text is too long or too deeply nested, or names no entry.
    fn refused(&self, limits: &Limits) -> Option<Ended> {
        let long = |text: &str| {
            (text.len() > limits.source_bytes as usize)
                .then(|| format!("{} bytes, and the limit is {}", text.len(), limits.source_bytes))
        };
        if let Some(message) = long(&self.source) {
            return Some(Ended::SyntaxError { message, line: 0 });
        }
        if let Some((before, _)) = self.source.split_once('\0') {
            let line = before.matches('\n').count() as u32 + 1;
            return Some(Ended::SyntaxError { message: NO_SOURCE.to_owned(), line });
        }
        if let Some((line, message)) = too_deep(&self.source, limits.nesting) {
            return Some(Ended::SyntaxError { message: message.to_owned(), line });
        }
        let call = self.call.as_ref()?;
        if !is_name(&call.entry) {
            return Some(Ended::InvalidInput(format!("{:?} is not a function's name", call.entry)));
        }
        let Arguments::Text(arguments) = &call.arguments else {
            return None;
        };
        if let Some(message) = long(arguments) {
            return Some(Ended::InvalidInput(message));
        }
        if arguments.contains('\0') {
            return Some(Ended::InvalidInput(NO_SOURCE.to_owned()));
        }
        // One pair of parentheses is the call's own.
        too_deep(arguments, limits.nesting.saturating_sub(1))
            .map(|(_, message)| Ended::InvalidInput(message.to_owned()))
    }
}

/// What [`Program::prepare`] finds.
pub(crate) enum Prepared {
    Run { run: Load, call: Option<Vec<u8>>, limits: Limits },
    Known(Outcome),
}

/// A setting of entropy, from 0, that of verdicts, to [`OTHER_SETTINGS`]. Every source differs from one to the
/// other. Setting 1 has the random bits of setting 0, each turned over; the seeds after it are such that under the
/// first four settings no small draw (a die's, a coin's, of a short shuffle or sample) is always the same.
pub(crate) fn entropy(setting: u32) -> Entropy {
    // Seed, milliseconds since 1970, nanoseconds a look at the clock takes. The times differ in year, month,
    // weekday, hour and minute; among them are weekends, a leap day, both halves of a day, odd and even seconds.
    const SETTINGS: [(u64, u64, u32); OTHER_SETTINGS as usize + 1] = [
        (1, 1_767_225_600_000, 1_000),       // 2026-01-01 00:00:00, Thursday
        (1, 1_939_210_662_123, 1_137),       // 2031-06-14 13:37:42, Saturday
        (341, 1_835_481_539_987, 25_003),    // 2028-02-29 23:58:59, Tuesday
        (69, 943_257_911_500, 731),          // 1999-11-22 08:05:11, Monday
        (364, 2_356_622_493_250, 5_309_003), // 2044-09-04 17:21:33, Sunday
        (158, 1_830_282_245_750, 3),         // 2027-12-31 19:44:05, Friday
        (346, 1_436_929_946_001, 999_983),   // 2015-07-15 03:12:26, Wednesday
        (219, 2_119_860_548_600, 40_487),    // 2037-03-05 10:09:08, Thursday
        (181, 1_666_560_650_100, 12_347),    // 2022-10-23 21:30:50, Sunday
    ];
    let (random_seed, clock_ms, tick_ns) = SETTINGS[setting as usize];
    Entropy {
        random_seed,
        clock_ns: clock_ms * 1_000_000,
        tick_ns,
        // New objects lie elsewhere. By how much says nothing about small remainders (it divides by 2 to 8, sixteen
        // at a time): how addresses are shown sees to those.
        address_shift: if setting == 0 { 0 } else { 16 * 840 * 5 },
        variation: setting,
    }
}

/// The limits of requests that run nothing: parsing literals, listing imports.
pub(crate) fn parse_job(request: &Request, limits: &Limits, response_bytes: usize) -> Job {
    let memory_bytes = limits.memory_bytes.max(128 << 20);
    let budget = Budget { fuel: limits.fuel, memory_bytes, address_shift: 0, response_bytes };
    Job { run: Load { request: request.encode(), budget, wall: limits.wall }, calls: Vec::new() }
}

/// A request to import modules, and what it may cost.
pub(crate) struct ModuleRequest {
    pub(crate) load: Load,
    /// All names, for faults that lie in no one module.
    pub(crate) names: String,
}

/// Bytes of heap that modules may take while they are imported.
const MODULE_BYTES: u32 = 128 << 20;

/// The request to import modules, if their names are names.
pub(crate) fn module_request(modules: &[(&str, &str)]) -> Result<ModuleRequest, Error> {
    let limits = Limits::default();
    let mut named = Vec::with_capacity(modules.len());
    for (name, source) in modules {
        let bad =
            |line, message: &str| Err(Error::BadModule { name: (*name).to_owned(), line, message: message.to_owned() });
        if !name.split('.').all(is_name) {
            return bad(0, "not a module's name: dotted identifiers are");
        }
        if named.iter().any(|(known, _)| known == name) {
            return bad(0, "given twice");
        }
        if source.contains('\0') {
            return bad(0, NO_SOURCE);
        }
        if let Some((line, message)) = too_deep(source, limits.nesting) {
            return bad(line, message);
        }
        named.push(((*name).to_owned(), (*source).to_owned()));
    }
    let names: Vec<&str> = modules.iter().map(|(name, _)| *name).collect();
    let request = Request::Modules { modules: named, entropy: entropy(0) };
    let budget =
        Budget { fuel: limits.fuel, memory_bytes: MODULE_BYTES, address_shift: 0, response_bytes: RESPONSE_BYTES };
    let load = Load { request: request.encode(), budget, wall: limits.wall };
    Ok(ModuleRequest { load, names: names.join(", ") })
}

/// Whether the modules are imported, by the guest's answer.
pub(crate) fn modules_imported(answer: Answer, names: &str) -> Result<(), Error> {
    let bytes = match answer {
        Answer::Response(bytes) => bytes,
        Answer::Trapped { trap, abort, stack, panic } => {
            let message = match (abort, trap) {
                (Abort::Memory, _) => format!("importing takes more than {MODULE_BYTES} bytes of memory"),
                (Abort::Output, _) => "importing prints more than 1 MiB".to_owned(),
                (Abort::Exit, _) => "importing calls os._exit".to_owned(),
                (_, Trap::OutOfFuel) => "importing runs out of fuel".to_owned(),
                (_, Trap::StackOverflow) => "importing overflows the stack".to_owned(),
                _ if stack => "importing overflows the stack".to_owned(),
                (_, trap) => format!("importing crashes the interpreter: {trap} {panic}"),
            };
            return Err(Error::BadModule { name: names.to_owned(), line: 0, message });
        }
    };
    match Response::decode(&bytes) {
        Ok(Response::Modules(Ok(()))) => Ok(()),
        Ok(Response::Modules(Err(ModuleProblem { module, line, message }))) => {
            let name = if module.is_empty() { names.to_owned() } else { module };
            Err(Error::BadModule { name, line, message })
        }
        Ok(_) => Err(Error::GuestContract("it answered another question".to_owned())),
        Err(error) => Err(Error::GuestContract(format!("its response does not decode: {error}"))),
    }
}

fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|other| other == '_' || other.is_alphanumeric())
}

/// What an answer says about the program.
pub(crate) fn outcome(answer: Answer, fuel_used: u64, limits: &Limits) -> Result<Outcome, Error> {
    let (trap, abort, stack, panic) = match answer {
        Answer::Response(bytes) => return read(&bytes, fuel_used),
        Answer::Trapped { trap, abort, stack, panic } => (trap, abort, stack, panic),
    };
    let ended = match (abort, trap) {
        (Abort::Memory, _) => Ended::OutOfMemory { limit: limits.memory_bytes },
        (Abort::Output, _) => Ended::OutputTooLong { limit: limits.output_bytes },
        (Abort::Exit, _) => {
            Ended::Raised { class: "SystemExit".to_owned(), message: "os._exit".to_owned(), traceback: Vec::new() }
        }
        (_, Trap::OutOfFuel) => Ended::OutOfFuel { limit: limits.fuel },
        (_, Trap::StackOverflow) => Ended::StackOverflow,
        (_, Trap::MemoryOutOfBounds) if stack => Ended::StackOverflow,
        (Abort::Panic, _) => Ended::Crashed(panic),
        (Abort::None, trap) => Ended::Crashed(trap.to_string()),
    };
    let (stdout, stderr) = (String::new(), String::new());
    Ok(Outcome { ended, stdout, stderr, fuel_used, peak_memory: 0, reads: Reads::default() })
}

fn read(bytes: &[u8], fuel_used: u64) -> Result<Outcome, Error> {
    match Response::decode(bytes) {
        Ok(Response::Run { ended, stdout, stderr, peak_memory, reads }) => {
            let ended = match ended {
                azr_wire::Ended::Returned(value) => Ended::Returned(value),
                azr_wire::Ended::Raised { class, message, traceback } => Ended::Raised { class, message, traceback },
                azr_wire::Ended::SyntaxError { message, line } => Ended::SyntaxError { message, line },
                azr_wire::Ended::InvalidInput(why) => Ended::InvalidInput(why),
                azr_wire::Ended::NotATaskValue(why) => Ended::NotATaskValue(why),
            };
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let (stdout, stderr) = (text(stdout), text(stderr));
            Ok(Outcome { ended, stdout, stderr, fuel_used, peak_memory, reads })
        }
        Ok(_) => Err(Error::GuestContract("it answered another question".to_owned())),
        Err(error) => Err(Error::GuestContract(format!("its response does not decode: {error}"))),
    }
}
