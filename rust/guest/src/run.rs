//! Runs one program.

use core::cell::UnsafeCell;

use azr_wire::{Arguments, Call, Ended, Entropy, Frame, GuestLimits, Response, Run, Value};
use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef};
use rustpython_vm::compiler::Mode;
use rustpython_vm::scope::Scope;
use rustpython_vm::{AsObject, Py, PyObjectRef, VirtualMachine};

use crate::compile::compile;
use crate::{arguments, call, decode, encode, entropy, heap, interpreter, output, scope};

/// Bytes of an exception's message that are kept.
const MESSAGE_BYTES: usize = 2_000;
/// Frames of a traceback that are kept, the innermost.
const FRAMES: usize = 20;

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
    let ended = match interpreter::enter(|vm| load(vm, run)) {
        Ok(()) if run.called => {
            // SAFETY: one thread, and no reference to it exists.
            unsafe { *WAITING.0.get() = (run.entropy, run.limits) };
            return Response::Loaded;
        }
        Ok(()) => Ended::Returned(Value::None),
        Err(ended) => ended,
    };
    response(ended, run.entropy.address_shift)
}

/// Evaluates a call of the program that has run.
pub(crate) fn call(call: &Call) -> Response {
    // SAFETY: as above.
    let (entropy, limits) = unsafe { *WAITING.0.get() };
    let ended = interpreter::enter(|vm| {
        evaluate(vm, call).map_or_else(
            |ended| ended,
            |object| returned(vm, &object, limits.value_bytes as usize),
        )
    });
    response(ended, entropy.address_shift)
}

fn response(ended: Ended, address_shift: u32) -> Response {
    let (stdout, stderr) = output::take();
    let peak_memory = heap::peak(address_shift);
    Response::Run { ended: bounded(ended), stdout, stderr, peak_memory, reads: entropy::reads() }
}

/// With every text cut that a program can make as long as it likes: names of classes, of functions, messages. The host
/// takes no response that is longer than it asked for.
fn bounded(ended: Ended) -> Ended {
    match ended {
        Ended::Returned(value) => Ended::Returned(value),
        Ended::Raised { class, message, traceback } => {
            let cut_frame = |frame: Frame| Frame { function: cut(frame.function), ..frame };
            let traceback = traceback.into_iter().map(cut_frame).collect();
            Ended::Raised { class: cut(class), message: cut(message), traceback }
        }
        Ended::SyntaxError { message, line } => Ended::SyntaxError { message: cut(message), line },
        Ended::InvalidInput(why) => Ended::InvalidInput(cut(why)),
        Ended::NotATaskValue(why) => Ended::NotATaskValue(cut(why)),
    }
}

fn load(vm: &VirtualMachine, run: &Run) -> Result<(), Ended> {
    let code = compile(vm, &run.program, Mode::Exec, "<program>")?;
    entropy::set(vm, &run.entropy);
    vm.run_code_obj(code, scope::main()).map_err(|error| raised(vm, &error))?;
    Ok(())
}

fn evaluate(vm: &VirtualMachine, call: &Call) -> Result<PyObjectRef, Ended> {
    let scope = scope::main();
    let text = match &call.arguments {
        Arguments::Values(values) => return call_with(vm, &scope, &call.entry, values),
        Arguments::Text(text) => text,
    };
    let arguments = arguments::check(text).map_err(Ended::InvalidInput)?;
    for name in arguments.names() {
        let known = scope.globals.contains_key(name, vm) || vm.builtins.dict().contains_key(name, vm);
        if !known {
            return Err(Ended::InvalidInput(format!("the arguments name `{name}`, which is not defined")));
        }
    }
    if let Some(plain) = arguments.plain(vm)
        && let Ok(Some(function)) = scope.globals.get_item_opt(&*call.entry, vm)
    {
        return call::call(vm, &scope, function, plain).map_err(|error| raised(vm, &error));
    }
    // The newline ends a comment that the arguments may close with.
    let source = format!("{}({text}\n)", call.entry);
    let code = compile(vm, &source, Mode::Eval, "<call>").map_err(|ended| match ended {
        Ended::SyntaxError { message, .. } => Ended::InvalidInput(message),
        ended => ended,
    })?;
    vm.run_code_obj(code, scope).map_err(|error| raised(vm, &error))
}

/// Calls a function of the program with data: no text of the arguments is ever compiled.
fn call_with(
    vm: &VirtualMachine,
    scope: &Scope,
    entry: &str,
    values: &[Value],
) -> Result<PyObjectRef, Ended> {
    let function = match scope.globals.get_item_opt(entry, vm) {
        Ok(Some(function)) => function,
        Ok(None) => {
            return Err(Ended::InvalidInput(format!("the program defines no `{entry}`")));
        }
        Err(error) => return Err(raised(vm, &error)),
    };
    let mut arguments = Vec::with_capacity(values.len());
    for value in values {
        arguments.push(decode::decode(vm, value).map_err(Ended::InvalidInput)?);
    }
    call::call(vm, scope, function, arguments).map_err(|error| raised(vm, &error))
}

fn returned(vm: &VirtualMachine, object: &PyObjectRef, bytes: usize) -> Ended {
    match encode::encode(vm, object, bytes) {
        Ok(value) => Ended::Returned(value),
        Err(why) => Ended::NotATaskValue(why),
    }
}

pub(crate) fn raised(vm: &VirtualMachine, error: &PyBaseExceptionRef) -> Ended {
    let class = error.class().name().to_string();
    // An exception's text is the program's to make: it may raise in turn, or be of any length.
    let message = match error.as_object().str(vm) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => "<the exception's text could not be made>".to_owned(),
    };
    Ended::Raised { class, message, traceback: traceback(error) }
}

fn traceback(error: &Py<PyBaseException>) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut next = error.__traceback__();
    while let Some(entry) = next {
        if frames.len() == FRAMES {
            frames.remove(0);
        }
        let code = entry.frame.f_code();
        if code.source_path().as_str() == "<program>" {
            frames.push(Frame {
                line: entry.lineno.get() as u32,
                function: code.obj_name.as_str().to_owned(),
            });
        }
        next = entry.next.lock().clone();
    }
    frames
}

/// At most `MESSAGE_BYTES` of the text.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES));
        text.push_str("...");
    }
    text
}
