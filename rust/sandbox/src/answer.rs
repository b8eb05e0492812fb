//! What a guest answers, and what that says about its program.

use azr_wire::{Abort, Reads, Response};
use wasmtime::Trap;

use crate::error::Error;
use crate::limits::Limits;
use crate::outcome::{Outcome, Termination};

/// How a request ended, before anyone looks at what it means.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// The guest wrote a response.
    Response(Vec<u8>),
    /// The guest stopped in the middle.
    Trapped {
        /// Which trap.
        trap: Trap,
        /// What the guest noted before it.
        abort: Abort,
        /// Whether its shadow stack had run out.
        stack: bool,
        /// What a panic said.
        panic: String,
    },
}

impl Answer {
    /// Whether the guest has loaded a program and waits for its call.
    pub(crate) fn is_loaded(&self) -> bool {
        matches!(self, Self::Response(bytes) if Response::decode(bytes) == Ok(Response::Loaded))
    }

    pub(crate) fn is_trap(&self) -> bool {
        matches!(self, Self::Trapped { .. })
    }
}

/// What an answer says about the program.
pub(crate) fn outcome(answer: Answer, fuel_used: u64, limits: &Limits) -> Result<Outcome, Error> {
    let (trap, abort, stack, panic) = match answer {
        Answer::Response(bytes) => return read(&bytes, fuel_used),
        Answer::Trapped { trap, abort, stack, panic } => (trap, abort, stack, panic),
    };
    let termination = match (abort, trap) {
        (Abort::Memory, _) => Termination::OutOfMemory { limit: limits.memory_bytes },
        (Abort::Output, _) => Termination::OutputTooLong { limit: limits.output_bytes },
        (Abort::Exit, _) => Termination::Raised {
            class: "SystemExit".to_owned(),
            message: "os._exit".to_owned(),
            traceback: Vec::new(),
        },
        (_, Trap::OutOfFuel) => Termination::OutOfFuel { limit: limits.fuel },
        (_, Trap::StackOverflow) => Termination::StackOverflow,
        (_, Trap::MemoryOutOfBounds) if stack => Termination::StackOverflow,
        (Abort::Panic, _) => Termination::Crashed(panic),
        (Abort::None, trap) => Termination::Crashed(trap.to_string()),
    };
    let (stdout, stderr) = (String::new(), String::new());
    Ok(Outcome { termination, stdout, stderr, fuel_used, peak_memory: 0, reads: Reads::default() })
}

fn read(bytes: &[u8], fuel_used: u64) -> Result<Outcome, Error> {
    match Response::decode(bytes) {
        Ok(Response::Run { termination, stdout, stderr, peak_memory, reads }) => {
            let termination = match termination {
                azr_wire::Termination::Returned(value) => Termination::Returned(value),
                azr_wire::Termination::Raised { class, message, traceback } => {
                    Termination::Raised { class, message, traceback }
                }
                azr_wire::Termination::SyntaxError { message, line } => Termination::SyntaxError { message, line },
                azr_wire::Termination::InvalidInput(why) => Termination::InvalidInput(why),
                azr_wire::Termination::NotATaskValue(why) => Termination::NotATaskValue(why),
            };
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let (stdout, stderr) = (text(stdout), text(stderr));
            Ok(Outcome { termination, stdout, stderr, fuel_used, peak_memory, reads })
        }
        Ok(_) => Err(Error::GuestContract("it answered another question".to_owned())),
        Err(error) => Err(Error::GuestContract(format!("its response does not decode: {error}"))),
    }
}
