//! What guests are compiled for and run in: one configuration, since code says which it was made for.
//!
//! `azr-sandbox-build` has this file, too.

use wasmtime::{Config, Engine};

use crate::error::Error;

/// Most bytes of native stack that the guest's code may take. RustPython's own recursion checks look at
/// the shadow stack (8 MiB in the guest); this must not be what ends a recursion first.
pub(crate) const STACK_BYTES: usize = 64 << 20;

/// Address space of one memory: all that 32 bits reach, so that no access needs a bounds check.
const RESERVATION: u64 = 4 << 30;

/// First bytes of a file that `compile::precompile` makes.
pub(crate) const PRECOMPILED: &[u8; 16] = b"azr-guest-code 5";

/// The engine that guests are compiled for and run in, on Windows or elsewhere. All that is not needed is off.
pub(crate) fn engine(config: &Config, windows: bool) -> Result<Engine, Error> {
    let mut config = config.clone();
    config
        // Those of `crate::instrument::fuel`, and no others: they say which calls are rare, and change nothing that code does.
        .wasm_branch_hinting(true)
        // Indirect calls need not look whether their entry is there yet. Instances live long, so filling tables costs little.
        .table_lazy_init(false)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES)
        .memory_reservation(RESERVATION)
        .memory_may_move(false)
        .wasm_backtrace_max_frames(None)
        // Windows unwinds by it whatever happens.
        .native_unwind_info(windows)
        // Signals, as on other systems: see crate::signals.
        .macos_use_mach_ports(false)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(true)
        .wasm_memory64(false)
        .wasm_extended_const(false);
    Engine::new(&config).map_err(|error| Error::Runtime(format!("{error:#}")))
}
