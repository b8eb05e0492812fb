//! The process's signal handlers, which turn a trap of a guest's code into an error.
//!
//! Wasmtime installs them once. Whoever had handlers before and puts things back as they were takes them away:
//! Python's `faulthandler.disable()` does. The next trap would end the process.

#![expect(unsafe_code, reason = "asks for and sets signal handlers; the blocks say why it is right")]

use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// The signals of traps: accesses outside the memory, trap instructions, divisions.
const TRAPS: [libc::c_int; 3] = [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE];

/// What was installed when the first guest was ready.
static INSTALLED: OnceLock<[Option<libc::sigaction>; TRAPS.len()]> = OnceLock::new();

/// Remembers the handlers that are installed now. The first time counts.
pub(crate) fn remember() {
    INSTALLED.get_or_init(|| TRAPS.map(handler));
}

/// Puts those back that were taken away. Where another handler is installed, it stays: it was written to be the
/// first of several, and passes on what is not its own.
pub(crate) fn keep() {
    for (signal, installed) in TRAPS.into_iter().zip(INSTALLED.get().into_iter().flatten()) {
        if let Some(action) = installed
            && handler(signal).is_none()
        {
            // SAFETY: the action is one that the system gave for this very signal, and its code is this process's.
            unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
        }
    }
}

/// What happens at a signal, if anything but the system's own.
fn handler(signal: libc::c_int) -> Option<libc::sigaction> {
    let mut action = MaybeUninit::uninit();
    // SAFETY: without a new action this only writes the present one, to a place that is large enough.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: it was written if the call says so.
    let action = (asked == 0).then(|| unsafe { action.assume_init() })?;
    (action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN).then_some(action)
}
