//! The `__main__` module that every program fills: made before the snapshot, empty.

use core::cell::OnceCell;

use rustpython_vm::scope::Scope;
use rustpython_vm::{PyResult, VirtualMachine};

use crate::library;

struct Once(OnceCell<Scope>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Once {}

static MAIN: Once = Once(OnceCell::new());

/// Makes `__main__`.
pub(crate) fn prepare(vm: &VirtualMachine) -> PyResult<()> {
    let scope = vm.new_scope_with_main()?;
    let file = library::import(vm, "azr_prelude")?.get_attr("PROGRAM_FILE", vm)?;
    scope.globals.set_item("__file__", file, vm)?;
    assert!(MAIN.0.set(scope).is_ok(), "prepared once");
    Ok(())
}

/// The scope of the program.
pub(crate) fn main() -> Scope {
    MAIN.0.get().expect("prepared before the snapshot").clone()
}

/// A scope that nothing else sees.
pub(crate) fn fresh(vm: &VirtualMachine) -> PyResult<Scope> {
    let scope = vm.new_scope_with_builtins();
    scope.globals.set_item("__name__", vm.ctx.new_str("__main__").into(), vm)?;
    Ok(scope)
}
