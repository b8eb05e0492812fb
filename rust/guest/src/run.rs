//! Runs one program.

use azr_wire::{Arguments, Call, Ended, Frame, Response, Run, Value};
use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef};
use rustpython_vm::compiler::Mode;
use rustpython_vm::scope::Scope;
use rustpython_vm::{AsObject, Py, PyObjectRef, VirtualMachine};

use crate::compile::compile;
use crate::{arguments, call, decode, encode, entropy, heap, interpreter, output, rewrite, scope};

/// Bytes of an exception's message that are kept.
const MESSAGE_BYTES: usize = 2_000;
/// Frames of a traceback that are kept, the innermost.
const FRAMES: usize = 20;

/// Runs the program and its call, and says how it ended.
pub(crate) fn run(run: &Run) -> Response {
    output::limit(run.limits.output_bytes);
    let ended = interpreter::enter(|vm| evaluate(vm, run));
    let (stdout, stderr) = output::take();
    let peak_memory = heap::peak(run.entropy.address_shift);
    Response::Run { ended, stdout, stderr, peak_memory }
}

fn evaluate(vm: &VirtualMachine, run: &Run) -> Ended {
    let rewritten = run.entropy.unpromised_order.then(|| rewrite::unpack_by_iterator(&run.program)).flatten();
    let code = match rewritten {
        // What does not compile rewritten runs, or fails, as it stands.
        Some(source) => compile(vm, &source, Mode::Exec, "<program>")
            .or_else(|_| compile(vm, &run.program, Mode::Exec, "<program>")),
        None => compile(vm, &run.program, Mode::Exec, "<program>"),
    };
    let code = match code {
        Ok(code) => code,
        Err(ended) => return ended,
    };
    // Argument text is checked before the program runs: it may be no input at all.
    let text = match &run.call {
        Some(Call { arguments: Arguments::Text(text), .. }) => text.as_str(),
        _ => "",
    };
    let arguments = match arguments::check(text) {
        Ok(arguments) => arguments,
        Err(why) => return Ended::InvalidInput(why),
    };
    if let Err(error) = entropy::set(vm, &run.entropy, &[&run.program, text]) {
        return raised(vm, &error);
    }
    let scope = scope::main();
    if let Err(error) = vm.run_code_obj(code, scope.clone()) {
        return raised(vm, &error);
    }
    let Some(call) = &run.call else {
        return Ended::Returned(Value::None);
    };
    let result = match &call.arguments {
        Arguments::Values(values) => call_with(vm, &scope, &call.entry, values),
        Arguments::Text(text) => {
            for name in arguments.names() {
                let known = scope.globals.contains_key(name, vm)
                    || vm.builtins.dict().contains_key(name, vm);
                if !known {
                    return Ended::InvalidInput(format!(
                        "the arguments name `{name}`, which is not defined"
                    ));
                }
            }
            if let Some(plain) = arguments.plain(vm)
                && let Ok(Some(function)) = scope.globals.get_item_opt(&*call.entry, vm)
            {
                match call::call(vm, &scope, function, plain) {
                    Ok(object) => return returned(vm, &object, run.limits.value_bytes as usize),
                    Err(error) => return raised(vm, &error),
                }
            }
            // The newline ends a comment that the arguments may close with.
            let source = format!("{}({text}\n)", call.entry);
            match compile(vm, &source, Mode::Eval, "<call>") {
                Ok(code) => vm.run_code_obj(code, scope).map_err(|error| raised(vm, &error)),
                Err(Ended::SyntaxError { message, .. }) => Err(Ended::InvalidInput(message)),
                Err(ended) => Err(ended),
            }
        }
    };
    match result {
        Ok(object) => returned(vm, &object, run.limits.value_bytes as usize),
        Err(ended) => ended,
    }
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
    function.call(arguments, vm).map_err(|error| raised(vm, &error))
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
        Ok(text) => cut(text.to_string_lossy().into_owned()),
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
                function: cut(code.obj_name.as_str().to_owned()),
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
