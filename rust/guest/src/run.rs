//! Runs one program.

use core::cell::UnsafeCell;

use azr_wire::{Arguments, Call, Entropy, Frame, GuestLimits, Response, Run, Termination, Value};
use rustpython_vm::compiler::Mode;
use rustpython_vm::scope::Scope;
use rustpython_vm::{PyObjectRef, VirtualMachine};

use crate::compile::compile;
use crate::exception::{cut, raised};
use crate::{arguments, call, decode, encode, entropy, heap, interpreter, output, scope};

/// What the call of a program that has run still needs to know of its request.
struct Waiting(UnsafeCell<(Entropy, GuestLimits)>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Waiting {}

static WAITING: Waiting = Waiting(UnsafeCell::new((
    Entropy { random_seed: 0, clock_ns: 0, tick_ns: 0, address_shift: 0, variation: 0 },
    GuestLimits { memory_bytes: 0, output_bytes: 0, value_bytes: 0 },
)));

/// Runs the program, up to its call if one follows.
pub(crate) fn run(run: &Run) -> Response {
    output::limit(run.limits.output_bytes);
    let termination = match interpreter::enter(|vm| load(vm, run)) {
        Ok(()) if run.called => {
            wait(run.entropy, run.limits);
            return Response::Loaded;
        }
        Ok(()) => Termination::Returned(Value::None),
        Err(termination) => termination,
    };
    responded(termination, run.entropy.address_shift)
}

/// Keeps what later requests need to know of this one.
pub(crate) fn wait(entropy: Entropy, limits: GuestLimits) {
    // SAFETY: one thread, and no reference to it exists.
    unsafe { *WAITING.0.get() = (entropy, limits) };
}

/// Bytes of encoding that a value may take, by the request that is waited with.
pub(crate) fn value_bytes() -> usize {
    // SAFETY: as above.
    let (_, limits) = unsafe { *WAITING.0.get() };
    limits.value_bytes as usize
}

/// Evaluates a call of the program that has run.
pub(crate) fn call(call: &Call) -> Response {
    // SAFETY: as above.
    let (_, limits) = unsafe { *WAITING.0.get() };
    let termination = interpreter::enter(|vm| {
        evaluate(vm, call)
            .map_or_else(|termination| termination, |object| returned(vm, &object, limits.value_bytes as usize))
    });
    response(termination)
}

/// The response of a guest that has waited.
pub(crate) fn response(termination: Termination) -> Response {
    // SAFETY: as above.
    let (entropy, _) = unsafe { *WAITING.0.get() };
    responded(termination, entropy.address_shift)
}

fn responded(termination: Termination, address_shift: u32) -> Response {
    let (stdout, stderr) = output::take();
    let peak_memory = heap::peak(address_shift);
    Response::Run { termination: bounded(termination), stdout, stderr, peak_memory, reads: entropy::reads() }
}

/// With every text cut that a program can make as long as it likes: names of classes, of functions, messages. The host
/// takes no response that is longer than it asked for.
fn bounded(termination: Termination) -> Termination {
    match termination {
        Termination::Returned(value) => Termination::Returned(value),
        Termination::Raised { class, message, traceback } => {
            let cut_frame = |frame: Frame| Frame { function: cut(frame.function), ..frame };
            let traceback = traceback.into_iter().map(cut_frame).collect();
            Termination::Raised { class: cut(class), message: cut(message), traceback }
        }
        Termination::SyntaxError { message, line } => Termination::SyntaxError { message: cut(message), line },
        Termination::InvalidInput(why) => Termination::InvalidInput(cut(why)),
        Termination::NotATaskValue(why) => Termination::NotATaskValue(cut(why)),
    }
}

fn load(vm: &VirtualMachine, run: &Run) -> Result<(), Termination> {
    let code = compile(vm, &run.program, Mode::Exec, "<program>")?;
    entropy::set(vm, &run.entropy);
    vm.run_code_obj(code, scope::main()).map_err(|error| raised(vm, &error))?;
    Ok(())
}

fn evaluate(vm: &VirtualMachine, call: &Call) -> Result<PyObjectRef, Termination> {
    let scope = scope::main();
    let text = match &call.arguments {
        Arguments::Values(values) => return call_with(vm, &scope, &call.entry, values),
        Arguments::Text(text) => text,
    };
    let arguments = arguments::check(text).map_err(Termination::InvalidInput)?;
    for name in arguments.names() {
        let known = scope.globals.contains_key(name, vm) || vm.builtins.dict().contains_key(name, vm);
        if !known {
            return Err(Termination::InvalidInput(format!("the arguments name `{name}`, which is not defined")));
        }
    }
    if let Some(plain) = arguments.plain(vm)
        && let Ok(Some(function)) = scope.globals.get_item_opt(&*call.entry, vm)
    {
        return call::call(vm, &scope, function, plain).map_err(|error| raised(vm, &error));
    }
    // The newline ends a comment that the arguments may close with.
    let source = format!("{}({text}\n)", call.entry);
    let code = compile(vm, &source, Mode::Eval, "<call>").map_err(|termination| match termination {
        Termination::SyntaxError { message, .. } => Termination::InvalidInput(message),
        termination => termination,
    })?;
    vm.run_code_obj(code, scope).map_err(|error| raised(vm, &error))
}

/// Calls a function of the program with data: no text of the arguments is ever compiled.
fn call_with(vm: &VirtualMachine, scope: &Scope, entry: &str, values: &[Value]) -> Result<PyObjectRef, Termination> {
    let function = match scope.globals.get_item_opt(entry, vm) {
        Ok(Some(function)) => function,
        Ok(None) => {
            return Err(Termination::InvalidInput(format!("the program defines no `{entry}`")));
        }
        Err(error) => return Err(raised(vm, &error)),
    };
    let mut arguments = Vec::with_capacity(values.len());
    for value in values {
        arguments.push(decode::decode(vm, value).map_err(Termination::InvalidInput)?);
    }
    call::call(vm, scope, function, arguments).map_err(|error| raised(vm, &error))
}

pub(crate) fn returned(vm: &VirtualMachine, object: &PyObjectRef, bytes: usize) -> Termination {
    match encode::encode(vm, object, bytes) {
        Ok(value) => Termination::Returned(value),
        Err(why) => Termination::NotATaskValue(why),
    }
}
