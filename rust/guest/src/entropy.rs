//! Every source of entropy that a program can reach: the clock, random numbers, and the orders and
//! numbers that CPython does not promise.
//!
//! The interpreter counts what a run reads of them (its module `unpromised`). A run that reads nothing is the
//! same under every setting; one that reads something is run again under others, where all of them differ.

use core::cell::UnsafeCell;

use azr_wire::{Entropy, Reads};
use rustpython_vm::builtins::{PyDict, PyFrozenSet, PyList, PySet};
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine, unpromised};

use crate::library;

struct Cell(UnsafeCell<State>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Cell {}

struct State {
    clock_ns: u64,
    tick_ns: u64,
    random: u64,
    /// Dicts and sets of the snapshot that hold a key whose `__hash__`, written in Python, gives another number
    /// under another setting.
    moving: Vec<PyObjectRef>,
}

static STATE: Cell = Cell(UnsafeCell::new(State { clock_ns: 0, tick_ns: 1_000, random: 0, moving: Vec::new() }));

fn state() -> &'static mut State {
    // SAFETY: one thread, and no caller keeps the reference across a call into the interpreter.
    unsafe { &mut *STATE.0.get() }
}

/// Nanoseconds since 1970; every look takes a while, so that a program that waits for the clock gets somewhere.
pub(crate) fn clock() -> u64 {
    unpromised::read(unpromised::CLOCK);
    let state = state();
    state.clock_ns = state.clock_ns.saturating_add(state.tick_ns);
    state.clock_ns
}

/// Lets time pass.
pub(crate) fn sleep(nanoseconds: u64) {
    let state = state();
    state.clock_ns = state.clock_ns.saturating_add(nanoseconds);
}

/// Random bytes that a program sees.
pub(crate) fn random_bytes(bytes: &mut [u8]) {
    unpromised::read(unpromised::RANDOM);
    fill(bytes);
    // As the generators of `random` do: under this variation no bit is what it is under none.
    if unpromised::variation() == 1 {
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// A number that tells processes apart.
pub(crate) fn process() -> u32 {
    unpromised::read(unpromised::RANDOM);
    4_217 + unpromised::variation() * 1_003
}

/// SplitMix64 from the request's seed. Nothing here is a secret.
fn fill(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        let next = next_random().to_le_bytes();
        chunk.copy_from_slice(&next[..chunk.len()]);
    }
}

fn next_random() -> u64 {
    let state = state();
    state.random = state.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix(state.random)
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What `getrandom` calls on a target without an operating system.
///
/// # Safety
/// `length` bytes at `to` must be writable.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(to: *mut u8, length: usize) -> Result<(), getrandom::Error> {
    // SAFETY: the caller's promise; the bytes are written before they are read.
    fill(unsafe {
        core::ptr::write_bytes(to, 0, length);
        core::slice::from_raw_parts_mut(to, length)
    });
    Ok(())
}

/// Sets every source for one program, which has read none of them so far.
pub(crate) fn set(vm: &VirtualMachine, entropy: &Entropy) {
    let state = state();
    state.clock_ns = entropy.clock_ns;
    state.tick_ns = u64::from(entropy.tick_ns);
    state.random = entropy.random_seed;
    unpromised::set_variation(entropy.variation);
    if entropy.variation != 0 {
        for container in state.moving.clone() {
            rehash(vm, &container);
        }
    }
    unpromised::forget_reads();
}

/// What was read since [`set`].
pub(crate) fn reads() -> Reads {
    Reads(unpromised::reads())
}

/// Finds the containers that another setting has to rehash, before what exists now is kept for ever.
pub(crate) fn find_moving(vm: &VirtualMachine) -> PyResult<()> {
    let gc = library::import(vm, "gc")?;
    let objects = vm.call_method(&gc, "get_objects", ())?;
    let objects = objects.downcast_ref::<PyList>().expect("gc gives a list").borrow_vec().to_vec();
    unpromised::set_variation(1);
    let moving = objects.into_iter().filter(|object| is_stale(vm, object)).collect::<Vec<_>>();
    unpromised::set_variation(0);
    unpromised::forget_reads();
    state().moving.extend(moving);
    Ok(())
}

fn is_stale(vm: &VirtualMachine, object: &PyObjectRef) -> bool {
    if let Some(dict) = object.downcast_ref::<PyDict>() {
        dict.is_stale(vm)
    } else if let Some(set) = object.downcast_ref::<PySet>() {
        set.is_stale(vm)
    } else if let Some(set) = object.downcast_ref::<PyFrozenSet>() {
        set.is_stale(vm)
    } else {
        false
    }
}

fn rehash(vm: &VirtualMachine, object: &PyObjectRef) {
    if let Some(dict) = object.downcast_ref::<PyDict>() {
        dict.rehash(vm);
    } else if let Some(set) = object.downcast_ref::<PySet>() {
        set.rehash(vm);
    } else if let Some(set) = object.downcast_ref::<PyFrozenSet>() {
        set.rehash(vm);
    }
}
