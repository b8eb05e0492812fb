//! Source to code.

use core::cell::Cell;

use azr_wire::Termination;
use ruff_python_parser::{ParseOptions, parse};
use rustpython_vm::builtins::PyCode;
use rustpython_vm::compiler::{self, Mode};
use rustpython_vm::{AsObject, PyRef, VirtualMachine};

use crate::exception::{cut, raised};

/// The code, or how the program ended: with a syntax error, mostly.
pub(crate) fn compile(vm: &VirtualMachine, source: &str, mode: Mode, name: &str) -> Result<PyRef<PyCode>, Termination> {
    // A carriage return ends a line, inside of a string too.
    let normalized;
    let source = if source.contains('\r') {
        normalized = source.replace("\r\n", "\n").replace('\r', "\n");
        &normalized
    } else {
        source
    };
    if !source.is_ascii()
        && let Some(termination) = unparseable(source, mode)
    {
        return Err(termination);
    }
    if !may_warn(source)
        && let Some(code) = silently(vm, source, mode, name)
    {
        return Ok(code);
    }
    vm.compile(source, mode, name.to_owned()).map_err(|error| {
        let error = error.into_pyexception(vm, Some(source));
        if !error.fast_isinstance(vm.ctx.exceptions.syntax_error) {
            return raised(vm, &error);
        }
        let text = |name: &'static str| {
            let value = error.as_object().get_attr(name, vm).ok()?;
            Some(value.str(vm).ok()?.to_string_lossy().into_owned())
        };
        Termination::SyntaxError {
            message: cut(text("msg").unwrap_or_default()),
            line: text("lineno").and_then(|line| line.parse().ok()).unwrap_or(0),
        }
    })
}

/// The code, if it compiles without a word: `vm.compile` parses once more, in search of words to say.
fn silently(vm: &VirtualMachine, source: &str, mode: Mode, name: &str) -> Option<PyRef<PyCode>> {
    let silent = Cell::new(true);
    let mut warned = |_, _| {
        silent.set(false);
        Ok(())
    };
    let code = compiler::compile_with_syntax_warning_handler(source, mode, name, vm.compile_opts(), &mut warned);
    Some(PyCode::new_ref_from_bytecode(vm, code.ok().filter(|_| silent.get())?))
}

/// Whether the text may hold what that second parse warns of: an escape in a string, or `1if x`, a number
/// that runs into a keyword.
fn may_warn(source: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    source.contains('\\')
        || source.as_bytes().split(|&byte| !part(byte)).any(|word| {
            word.iter().find(|&&byte| byte != b'.').is_some_and(u8::is_ascii_digit)
                && word
                    .windows(2)
                    .any(|pair| matches!(pair, b"if" | b"in" | b"is" | b"or" | b"an" | b"el" | b"fo" | b"no"))
        })
}

/// How a text ends that does not parse. The interpreter's own search for the best message takes offsets into
/// text outside ASCII that lie inside a character, and panics: there it is the parser's message.
fn unparseable(source: &str, mode: Mode) -> Option<Termination> {
    let mode = if matches!(mode, Mode::Eval) {
        ruff_python_parser::Mode::Expression
    } else {
        ruff_python_parser::Mode::Module
    };
    let error = parse(source, ParseOptions::from(mode)).err()?;
    let before = &source.as_bytes()[..error.location.start().to_usize().min(source.len())];
    Some(Termination::SyntaxError {
        message: cut(error.error.to_string()),
        line: before.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1,
    })
}
