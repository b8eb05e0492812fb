//! The standard library from Rust: a module by its name, and a call of one of its functions.

use rustpython_vm::{AsObject, PyObjectRef, PyResult, VirtualMachine};

/// Imports a module: the one with the whole dotted name, not its root.
pub(crate) fn import(vm: &VirtualMachine, name: &str) -> PyResult<PyObjectRef> {
    vm.import(&vm.ctx.new_utf8_str(name), 0)?;
    vm.sys_module.as_object().get_attr("modules", vm)?.get_item(name, vm)
}

/// Calls a module's function without arguments.
pub(crate) fn call(vm: &VirtualMachine, module: &str, function: &str) -> PyResult<PyObjectRef> {
    let module = import(vm, module)?;
    vm.call_method(&module, function, ())
}
