//! Captured standard output and error, bounded.

use core::cell::UnsafeCell;

use azr_wire::Abort;
use rustpython_vm::{AsObject, PyResult, VirtualMachine};

use crate::abort::abort;
use crate::library;

struct Streams(UnsafeCell<State>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Streams {}

struct State {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    limit: usize,
    /// Whether the host wants output as it is written.
    streamed: bool,
}

static STREAMS: Streams =
    Streams(UnsafeCell::new(State { stdout: Vec::new(), stderr: Vec::new(), limit: usize::MAX, streamed: false }));

/// Puts the captured streams into `sys`.
pub(crate) fn install(vm: &VirtualMachine) -> PyResult<()> {
    let prelude = library::import(vm, "azr_prelude")?;
    let streams = [("stdin", "__stdin__"), ("stdout", "__stdout__"), ("stderr", "__stderr__")];
    for (name, original) in streams {
        let stream = prelude.get_attr(name, vm)?;
        vm.sys_module.as_object().set_attr(name, stream.clone(), vm)?;
        vm.sys_module.as_object().set_attr(original, stream, vm)?;
    }
    Ok(())
}

/// Bounds what the program may write.
pub(crate) fn limit(bytes: u32) {
    // SAFETY: one thread; no reference outlives a function of this module.
    unsafe { (*STREAMS.0.get()).limit = bytes as usize };
}

/// Says whether the host wants output as it is written.
pub(crate) fn stream(on: bool) {
    // SAFETY: as in `limit`.
    unsafe { (*STREAMS.0.get()).streamed = on };
}

/// Appends to a stream; a program that writes more than its limit ends here.
pub(crate) fn write(stream: u32, text: &[u8]) {
    // SAFETY: as in `limit`.
    let state = unsafe { &mut *STREAMS.0.get() };
    if state.stdout.len() + state.stderr.len() + text.len() > state.limit {
        abort(Abort::Output);
    }
    let bytes = if stream == 1 { &mut state.stdout } else { &mut state.stderr };
    bytes.extend_from_slice(text);
    if state.streamed {
        crate::host::output(stream, text);
    }
}

/// Takes what was written.
pub(crate) fn take() -> (Vec<u8>, Vec<u8>) {
    // SAFETY: as in `limit`.
    let state = unsafe { &mut *STREAMS.0.get() };
    (core::mem::take(&mut state.stdout), core::mem::take(&mut state.stderr))
}

/// Forgets what the warm-up wrote.
pub(crate) fn clear() {
    drop(take());
}
