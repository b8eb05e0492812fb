//! Ends the guest in the middle of a request, with a reason for the host.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use azr_wire::Abort;

/// Why the guest trapped: an [`Abort`]. The host reads it after a trap.
// Relaxed everywhere: the guest has one thread; atomics only spare `static mut`.
#[unsafe(no_mangle)]
pub static AZR_ABORT: AtomicU32 = AtomicU32::new(Abort::None as u32);

/// Ends the guest here, with the reason where the host finds it.
pub(crate) fn abort(reason: Abort) -> ! {
    AZR_ABORT.store(reason as u32, Relaxed);
    core::arch::wasm32::unreachable()
}
