//! A program to run, and the request that runs it.

use azr_wire::{Arguments, Call, Entropy, GuestLimits, Reads, Request, Run, Value};

use crate::entropy::entropy;
use crate::error::Error;
use crate::limits::Limits;
use crate::nesting::too_deep;
use crate::outcome::{Outcome, Termination};
use crate::request::{Budget, RESPONSE_BYTES, RunRequest};
use crate::source::{NO_SOURCE, is_name};

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
    /// [`Termination::InvalidInput`].
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
        if let Some(termination) = self.refused(&limits) {
            return Ok(Prepared::Known(Outcome {
                termination,
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
        let run = RunRequest { request: request.encode(), budget, wall: limits.wall };
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
    fn refused(&self, limits: &Limits) -> Option<Termination> {
        let long = |text: &str| {
            (text.len() > limits.source_bytes as usize)
                .then(|| format!("{} bytes, and the limit is {}", text.len(), limits.source_bytes))
        };
        if let Some(message) = long(&self.source) {
            return Some(Termination::SyntaxError { message, line: 0 });
        }
        if let Some((before, _)) = self.source.split_once('\0') {
            let line = u32::try_from(before.matches('\n').count()).expect("source is at most 16 MiB") + 1;
            return Some(Termination::SyntaxError { message: NO_SOURCE.to_owned(), line });
        }
        if let Some((line, message)) = too_deep(&self.source, limits.nesting) {
            return Some(Termination::SyntaxError { message: message.to_owned(), line });
        }
        let call = self.call.as_ref()?;
        if !is_name(&call.entry) {
            return Some(Termination::InvalidInput(format!("{:?} is not a function's name", call.entry)));
        }
        let Arguments::Text(arguments) = &call.arguments else {
            return None;
        };
        if let Some(message) = long(arguments) {
            return Some(Termination::InvalidInput(message));
        }
        if arguments.contains('\0') {
            return Some(Termination::InvalidInput(NO_SOURCE.to_owned()));
        }
        // One pair of parentheses is the call's own.
        too_deep(arguments, limits.nesting.saturating_sub(1))
            .map(|(_, message)| Termination::InvalidInput(message.to_owned()))
    }
}

/// What [`Program::prepare`] finds.
pub(crate) enum Prepared {
    Run { run: RunRequest, call: Option<Vec<u8>>, limits: Limits },
    Known(Outcome),
}
