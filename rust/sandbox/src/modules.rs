//! The request to import modules into a guest, and what came of it.

use azr_wire::{Abort, ModuleProblem, Request, Response};
use wasmtime::Trap;

use crate::answer::Answer;
use crate::entropy::entropy;
use crate::error::Error;
use crate::limits::Limits;
use crate::nesting::too_deep;
use crate::request::{Budget, RESPONSE_BYTES, RunRequest};
use crate::source::{NO_SOURCE, is_name};

/// A request to import modules, and what it may cost.
pub(crate) struct ModuleRequest {
    pub(crate) run: RunRequest,
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
    let run = RunRequest { request: request.encode(), budget, wall: limits.wall };
    Ok(ModuleRequest { run, names: names.join(", ") })
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
