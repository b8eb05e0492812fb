//! A program to run, and what its run means.

use azr_wire::{Abort, Call, Entropy, GuestLimits, Request, Response, Run};
use wasmtime::Trap;

use crate::error::Error;
use crate::instance::{Answer, Budget};
use crate::limits::Limits;
use crate::nesting::too_deep;
use crate::outcome::{Ended, Outcome};
use crate::sandbox::Job;

/// Bytes of a response besides what the limits allow: messages, a traceback.
const RESPONSE_BYTES: usize = 64 << 10;

/// Where the first setting of entropy starts its clock: 2026-01-01, in nanoseconds.
const CLOCK_NS: u64 = 1_767_225_600_000_000_000;

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
    pub fn call(
        source: impl Into<String>,
        entry: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        let call = Call { entry: entry.into(), arguments: arguments.into() };
        Self { source: source.into(), call: Some(call), limits: None }
    }

    /// Limits for this program instead of the sandbox's.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    pub(crate) fn prepare(&self, defaults: &Limits) -> Result<Prepared, Error> {
        self.prepare_under(defaults, first_entropy())
    }

    /// The job of this program under an entropy; or its outcome, where no run is needed to know it.
    pub(crate) fn prepare_under(
        &self,
        defaults: &Limits,
        entropy: Entropy,
    ) -> Result<Prepared, Error> {
        let limits = self.limits.unwrap_or(*defaults);
        limits.check()?;
        if let Some(ended) = self.refused(&limits) {
            return Ok(Prepared::Known(Outcome {
                ended,
                stdout: String::new(),
                stderr: String::new(),
                fuel_used: 0,
                peak_memory: 0,
            }));
        }
        let request = Request::Run(Run {
            program: self.source.clone(),
            call: self.call.clone(),
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
        Ok(Prepared::Job(Job { request: request.encode(), budget, wall: limits.wall }, limits))
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
        if let Some((line, message)) = too_deep(&self.source, limits.nesting) {
            return Some(Ended::SyntaxError { message: message.to_owned(), line });
        }
        let call = self.call.as_ref()?;
        if !is_name(&call.entry) {
            return Some(Ended::InvalidInput(format!("{:?} is not a function's name", call.entry)));
        }
        if let Some(message) = long(&call.arguments) {
            return Some(Ended::InvalidInput(message));
        }
        // One pair of parentheses is the call's own.
        too_deep(&call.arguments, limits.nesting.saturating_sub(1))
            .map(|(_, message)| Ended::InvalidInput(message.to_owned()))
    }
}

/// What [`Program::prepare`] finds.
pub(crate) enum Prepared {
    Job(Job, Limits),
    Known(Outcome),
}

/// The entropy of verdicts: always the same.
pub(crate) fn first_entropy() -> Entropy {
    Entropy { random_seed: 1, clock_ns: CLOCK_NS, address_shift: 0, unpromised_order: false }
}

/// Another: every source differs from the first.
pub(crate) fn second_entropy() -> Entropy {
    Entropy {
        random_seed: 0x5eed_0002,
        clock_ns: CLOCK_NS + 86_400_000_000_000 * 200 + 12_345_678_901,
        address_shift: 0x1_0430,
        unpromised_order: true,
    }
}

/// The limits of requests that run nothing: parsing literals, listing imports.
pub(crate) fn parse_job(request: &Request, limits: &Limits, response_bytes: usize) -> Job {
    let memory_bytes = limits.memory_bytes.max(128 << 20);
    Job {
        request: request.encode(),
        budget: Budget { fuel: limits.fuel, memory_bytes, address_shift: 0, response_bytes },
        wall: limits.wall,
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
        (Abort::Exit, _) => Ended::Raised {
            class: "SystemExit".to_owned(),
            message: "os._exit".to_owned(),
            traceback: Vec::new(),
        },
        (_, Trap::OutOfFuel) => Ended::OutOfFuel { limit: limits.fuel },
        (_, Trap::StackOverflow) => Ended::StackOverflow,
        (_, Trap::MemoryOutOfBounds) if stack => Ended::StackOverflow,
        (Abort::Panic, _) => Ended::Crashed(panic),
        (Abort::None, trap) => Ended::Crashed(trap.to_string()),
    };
    let (stdout, stderr) = (String::new(), String::new());
    Ok(Outcome { ended, stdout, stderr, fuel_used, peak_memory: 0 })
}

fn read(bytes: &[u8], fuel_used: u64) -> Result<Outcome, Error> {
    match Response::decode(bytes) {
        Ok(Response::Run { ended, stdout, stderr, peak_memory }) => {
            let ended = match ended {
                azr_wire::Ended::Returned(value) => Ended::Returned(value),
                azr_wire::Ended::Raised { class, message, traceback } => {
                    Ended::Raised { class, message, traceback }
                }
                azr_wire::Ended::SyntaxError { message, line } => Ended::SyntaxError { message, line },
                azr_wire::Ended::InvalidInput(why) => Ended::InvalidInput(why),
                azr_wire::Ended::NotATaskValue(why) => Ended::NotATaskValue(why),
            };
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let (stdout, stderr) = (text(stdout), text(stderr));
            Ok(Outcome { ended, stdout, stderr, fuel_used, peak_memory })
        }
        Ok(_) => Err(Error::GuestContract("it answered another question".to_owned())),
        Err(error) => Err(Error::GuestContract(format!("its response does not decode: {error}"))),
    }
}
