//! The process's signal handlers, which turn a trap of a guest's code into an error.
//!
//! Wasmtime installs them once. Others install theirs later, or put back what there was before: Python's
//! `faulthandler.enable()` and `disable()` do. Then the next trap would end the process. So before a program runs the
//! handlers are looked at. Wasmtime's are put back where none are left. Where there is another, a handler of ours goes in
//! front of it: a trap in a guest's code goes to Wasmtime, everything else to the other.
//!
//! On Windows Wasmtime's handler is one in a list to which others add theirs: none takes another's away.

#![expect(unsafe_code, reason = "signal handlers; the blocks say why they are right")]

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use libc::{c_int, c_void, sigaction, siginfo_t};

/// The signals of traps, those that Wasmtime handles: accesses outside the memory, which Apple's systems report by
/// another signal, trap instructions, and divisions, which trap by themselves on x86-64 alone.
#[cfg(all(target_vendor = "apple", target_arch = "x86_64"))]
const TRAPS: [c_int; 4] = [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE, libc::SIGBUS];
#[cfg(all(target_vendor = "apple", not(target_arch = "x86_64")))]
const TRAPS: [c_int; 3] = [libc::SIGSEGV, libc::SIGILL, libc::SIGBUS];
#[cfg(all(not(target_vendor = "apple"), target_arch = "x86_64"))]
const TRAPS: [c_int; 3] = [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE];
#[cfg(all(not(target_vendor = "apple"), not(target_arch = "x86_64")))]
const TRAPS: [c_int; 2] = [libc::SIGSEGV, libc::SIGILL];

/// What Wasmtime installed, seen when the first guest was ready.
static WASMTIME: OnceLock<[sigaction; TRAPS.len()]> = OnceLock::new();

/// What was found in the place of that, and does what is not a guest's. Never freed: a handler may be looking.
static OTHERS: [AtomicPtr<sigaction>; TRAPS.len()] = [const { AtomicPtr::new(ptr::null_mut()) }; TRAPS.len()];

thread_local! {
    /// Whether this thread is in a guest.
    static IN_GUEST: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is in another's handler.
    static IN_OTHER: Cell<bool> = const { Cell::new(false) };
}

/// Remembers the handlers that are installed now. The first time counts.
pub(crate) fn remember() {
    WASMTIME.get_or_init(|| TRAPS.map(action));
}

/// Sees to it that traps reach Wasmtime: a system call for each, a few hundred nanoseconds.
fn keep() {
    static CHANGING: Mutex<()> = Mutex::new(());
    let Some(wasmtimes) = WASMTIME.get() else { return };
    let ours = (first as *const ()).addr();
    for ((signal, wasmtime), other) in TRAPS.into_iter().zip(wasmtimes).zip(&OTHERS) {
        let settled = |found: &sigaction| [wasmtime.sa_sigaction, ours].contains(&found.sa_sigaction);
        if settled(&action(signal)) {
            continue;
        }
        let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let found = action(signal);
        if settled(&found) {
            continue;
        }
        let mut next = *wasmtime;
        if ![libc::SIG_DFL, libc::SIG_IGN].contains(&found.sa_sigaction) {
            // Release: whoever reads the pointer reads what it points to. Leaked: see `OTHERS`; a few bytes for each
            // time that someone else installs a handler.
            other.store(Box::leak(Box::new(found)), Ordering::Release);
            next.sa_sigaction = ours;
        }
        // SAFETY: the action is Wasmtime's for this very signal, or has a handler of the same kind.
        unsafe { sigaction(signal, &next, ptr::null_mut()) };
    }
}

/// Runs a guest's code on this thread.
pub(crate) fn in_guest<T>(run: impl FnOnce() -> T) -> T {
    keep();
    let before = IN_GUEST.replace(true);
    let result = run();
    IN_GUEST.set(before);
    result
}

/// Runs code of the host's while a guest waits for it: a fault in it is not the guest's.
pub(crate) fn outside<T>(run: impl FnOnce() -> T) -> T {
    let before = IN_GUEST.replace(false);
    let result = run();
    IN_GUEST.set(before);
    result
}

/// Installed before another's handler: only calls on, and takes no lock.
extern "C" fn first(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let at = TRAPS.iter().position(|&trap| trap == signal);
    let (Some(at), Some(wasmtimes)) = (at, WASMTIME.get()) else { return };
    // Acquire: pairs with the store in `keep`.
    let other = OTHERS[at].load(Ordering::Acquire);
    if IN_GUEST.get() || other.is_null() {
        pass_on(&wasmtimes[at], signal, info, context);
    } else if IN_OTHER.replace(true) {
        // It passed on what came from here: nobody wants it.
        // SAFETY: the system's own action is always right; it ends the process when the fault comes again.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    } else {
        // SAFETY: not null, so `keep` stored it, and it is never freed.
        pass_on(unsafe { &*other }, signal, info, context);
        IN_OTHER.set(false);
    }
}

fn pass_on(to: &sigaction, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if to.sa_flags & libc::SA_SIGINFO == 0 {
        // SAFETY: an action without the flag, that is none of the system's own, has a function of this type.
        let handler = unsafe { std::mem::transmute::<usize, extern "C" fn(c_int)>(to.sa_sigaction) };
        handler(signal);
    } else {
        type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
        // SAFETY: an action with the flag has a function of this type.
        let handler = unsafe { std::mem::transmute::<usize, Handler>(to.sa_sigaction) };
        handler(signal, info, context);
    }
}

/// What happens at a signal now.
fn action(signal: c_int) -> sigaction {
    let mut action = MaybeUninit::zeroed();
    // SAFETY: without a new action this only writes the present one, to a place that is large enough.
    unsafe { sigaction(signal, ptr::null(), action.as_mut_ptr()) };
    // SAFETY: written by the call, which cannot fail for these signals; zeros would be the system's own action.
    unsafe { action.assume_init() }
}
