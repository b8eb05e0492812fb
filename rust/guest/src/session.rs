//! Sessions: requests that follow one another in one guest, each from the state that the one before it left.

use core::cell::UnsafeCell;

use azr_wire::{Exec, ExecMode, Open, Response, Termination, Value};
use ruff_python_ast::Stmt;
use ruff_python_parser::parse_module;
use rustpython_vm::compiler::Mode;
use rustpython_vm::{PyResult, VirtualMachine};

use crate::compile::compile;
use crate::exception::{ended, raised};
use crate::run::{response, returned, value_bytes, wait};
use crate::{decode, entropy, files, heap, host, interpreter, library, output, scope};

/// Blocks of the last request and response, to be freed when the next one comes.
struct Blocks(UnsafeCell<[(usize, usize); 2]>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Blocks {}

static BLOCKS: Blocks = Blocks(UnsafeCell::new([(0, 0); 2]));

/// Notes the block of a request (0) or response (1), `size` bytes long.
pub(crate) fn note(which: usize, at: usize, size: usize) {
    // SAFETY: one thread, and no reference outlives a function of this module.
    unsafe { (*BLOCKS.0.get())[which] = (at, size) };
}

/// Frees the blocks of the last request and response, and has room for `length` bytes of the next.
pub(crate) fn next(length: u32) {
    // SAFETY: as in `note`.
    let blocks = unsafe { core::mem::take(&mut *BLOCKS.0.get()) };
    for (at, size) in blocks {
        if size > 0 {
            // SAFETY: `note` was told of a block of the global allocator of this size and alignment 1, which nobody uses
            // any longer: the request was decoded, and the response was read by the host.
            unsafe { drop(Vec::from_raw_parts(core::ptr::with_exposed_provenance_mut::<u8>(at), 0, size)) };
        }
    }
    heap::allow(length.saturating_add(64 * 1024));
}

/// Opens the session.
pub(crate) fn open(open: &Open) -> Response {
    output::limit(open.limits.output_bytes);
    output::stream(open.stream);
    wait(open.entropy, open.limits);
    let opened = interpreter::enter(|vm| {
        entropy::set(vm, &open.entropy);
        host::define(vm, &open.functions, open.limits.value_bytes)?;
        open.files.map_or(Ok(()), |quota| files::mount(vm, quota))
    });
    // What runs here is the guest's own, on a heap of at least a mebibyte.
    assert!(opened.is_ok(), "a session opens");
    Response::Loaded
}

/// Runs source text.
pub(crate) fn exec(exec: &Exec) -> Response {
    output::limit(exec.output_bytes);
    let mode = match exec.mode {
        // Its value would be a function or a class, too, where one is defined last.
        ExecMode::Last if ends_in_expression(&exec.source) => Mode::BlockExpr,
        ExecMode::Script | ExecMode::Last => Mode::Exec,
        ExecMode::Prompt => Mode::Single,
    };
    answer(|vm| {
        let code = compile(vm, &exec.source, mode, "<program>")?;
        let value = vm.run_code_obj(code, scope::main()).map_err(|error| raised(vm, &error))?;
        Ok(match mode {
            Mode::BlockExpr => returned(vm, &value, exec.value_bytes as usize),
            _ => Termination::Returned(Value::None),
        })
    })
}

/// Whether the last statement is an expression.
fn ends_in_expression(source: &str) -> bool {
    parse_module(source).is_ok_and(|parsed| matches!(parsed.suite().last(), Some(Stmt::Expr(_))))
}

/// The value of a variable.
pub(crate) fn get(name: &str) -> Response {
    answer(|vm| {
        let found = scope::main().globals.get_item_opt(name, vm).map_err(|error| raised(vm, &error))?;
        Ok(match found {
            Some(object) => returned(vm, &object, value_bytes()),
            None => ended("NameError", &format!("name '{name}' is not defined")),
        })
    })
}

/// Sets variables.
pub(crate) fn set(variables: &[(String, Value)]) -> Response {
    answer(|vm| {
        let globals = scope::main().globals;
        for (name, value) in variables {
            let object = decode::decode(vm, value).map_err(Termination::InvalidInput)?;
            globals.set_item(name.as_str(), object, vm).map_err(|error| raised(vm, &error))?;
        }
        Ok(Termination::Returned(Value::None))
    })
}

/// Puts files, and standard input.
pub(crate) fn put(files: &[(String, Vec<u8>)], stdin: Option<&[u8]>) -> Response {
    answer(|vm| {
        let put = || -> PyResult<()> {
            let module = library::import(vm, "azr_files")?;
            for (path, bytes) in files {
                let arguments = (vm.ctx.new_str(path.as_str()), vm.ctx.new_bytes(bytes.clone()));
                vm.call_method(&module, "put", arguments)?;
            }
            if let Some(stdin) = stdin {
                vm.call_method(&module, "feed", (vm.ctx.new_bytes(stdin.to_vec()),))?;
            }
            Ok(())
        };
        put().map_err(|error| raised(vm, &error))?;
        Ok(Termination::Returned(Value::None))
    })
}

/// The session's files.
pub(crate) fn files() -> Response {
    let too_many = || response(ended("OSError", "[Errno 122] Disk quota exceeded"));
    files::collect().map_or_else(too_many, Response::Files)
}

fn answer(work: impl FnOnce(&VirtualMachine) -> Result<Termination, Termination>) -> Response {
    let termination = interpreter::enter(|vm| work(vm).unwrap_or_else(|termination| termination));
    response(termination)
}
