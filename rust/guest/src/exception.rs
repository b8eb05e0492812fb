//! An exception as the host is told of it: class, message and traceback, each bounded.

use azr_wire::{Frame, Termination};
use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef};
use rustpython_vm::{AsObject, Py, VirtualMachine};

/// Bytes of an exception's message that are kept.
const MESSAGE_BYTES: usize = 2_000;
/// Frames of a traceback that are kept, the innermost.
const FRAMES: usize = 20;

/// An exception of ours, without a traceback.
pub(crate) fn ended(class: &str, message: &str) -> Termination {
    Termination::Raised { class: class.to_owned(), message: message.to_owned(), traceback: Vec::new() }
}

pub(crate) fn raised(vm: &VirtualMachine, error: &PyBaseExceptionRef) -> Termination {
    let class = error.class().name().to_string();
    // An exception's text is the program's to make: it may raise in turn, or be of any length.
    let message = match error.as_object().str(vm) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => "<the exception's text could not be made>".to_owned(),
    };
    Termination::Raised { class, message, traceback: traceback(error) }
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
            frames.push(Frame { line: entry.lineno.get() as u32, function: code.obj_name.as_str().to_owned() });
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
