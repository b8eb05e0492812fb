//! The call of a program's function with objects that exist already.
//!
//! It is made from a frame of its own, as the text `f(...)` would be: the depth of recursion and what
//! `sys._getframe` sees are the same by either way.

use core::cell::OnceCell;

use rustpython_vm::builtins::PyCode;
use rustpython_vm::compiler::Mode;
use rustpython_vm::function::ArgMapping;
use rustpython_vm::scope::Scope;
use rustpython_vm::{PyObjectRef, PyRef, PyResult, VirtualMachine};

struct Once(OnceCell<PyRef<PyCode>>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Once {}

static CALL: Once = Once(OnceCell::new());

/// Compiles the call.
pub(crate) fn prepare(vm: &VirtualMachine) {
    let code = vm
        .compile("function(*arguments)", Mode::Eval, "<call>".to_owned())
        .unwrap_or_else(|_| panic!("a call compiles"));
    assert!(CALL.0.set(code).is_ok(), "prepared once");
}

/// Calls `function` from a frame whose globals are the program's.
pub(crate) fn call(vm: &VirtualMachine, scope: &Scope, function: PyObjectRef, arguments: Vec<PyObjectRef>) -> PyResult {
    let code = CALL.0.get().expect("prepared before the snapshot").clone();
    // The two names are the frame's alone: the program's globals do not have them.
    let locals = vm.ctx.new_dict();
    locals.set_item("function", function, vm)?;
    locals.set_item("arguments", vm.ctx.new_tuple(arguments).into(), vm)?;
    vm.run_code_obj(code, Scope::new(Some(ArgMapping::from_dict_exact(locals)), scope.globals.clone()))
}
