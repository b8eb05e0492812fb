//! `_azr`: what the guest's own Python modules need from Rust.

pub(crate) use decl::module_def;

#[rustpython_derive::pymodule(name = "_azr")]
mod decl {
    use rustpython_vm::builtins::PyStrRef;
    use rustpython_vm::{PyResult, VirtualMachine};

    use crate::{entropy, output};

    /// Appends text to a captured stream: 1 is stdout, 2 is stderr.
    #[pyfunction]
    fn write(stream: u32, text: PyStrRef) -> usize {
        output::write(stream, text.as_bytes());
        text.char_len()
    }

    /// Nanoseconds since 1970. Every look at the clock takes a microsecond.
    #[pyfunction]
    fn clock() -> u64 {
        entropy::clock()
    }

    /// Lets time pass.
    #[pyfunction]
    fn sleep(nanoseconds: u64) {
        entropy::sleep(nanoseconds);
    }

    /// A program's text for the second setting of entropy: see `rewrite.rs`.
    #[pyfunction]
    fn unpack_by_iterator(source: PyStrRef) -> String {
        let source = source.to_string_lossy();
        crate::rewrite::unpack_by_iterator(&source).unwrap_or_else(|| source.into_owned())
    }

    /// Random bytes, from the request's seed.
    #[pyfunction]
    fn random_bytes(count: usize, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        if count > 1 << 26 {
            return Err(vm.new_memory_error("too many random bytes"));
        }
        let mut bytes = vec![0; count];
        entropy::fill(&mut bytes);
        Ok(bytes)
    }

    /// Ends the program at once.
    #[pyfunction]
    fn exit() {
        crate::abort(azr_wire::Abort::Exit);
    }
}
