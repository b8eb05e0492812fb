//! Every source of entropy that a program can reach: the clock, random numbers, and the orders and
//! numbers that CPython does not promise.
//!
//! Validation runs a program under two settings of all of them. Under the second, sets are walked
//! in another order, `hash` of text and `id` give other numbers: what CPython would do under
//! another hash seed and another address layout. The interpreter's own hash tables keep their one
//! secret, since the snapshot holds tables built with it.

use core::cell::UnsafeCell;

use azr_wire::Entropy;
use rustpython_vm::builtins::{PyFrozenSet, PyList, PySet, PyStrRef, PyTypeRef};
use rustpython_vm::function::FuncArgs;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::interpreter;

struct Cell(UnsafeCell<State>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Cell {}

struct State {
    clock_ns: u64,
    random: u64,
    /// Whether modules are loaded that may use `random` for a program that does not name it.
    random_expected: bool,
    reseeded: bool,
    list_init: Option<InitFunc>,
    tuple_new: Option<NewFunc>,
}

type InitFunc = fn(&PyObject, FuncArgs, &VirtualMachine) -> PyResult<()>;
type NewFunc = fn(PyTypeRef, FuncArgs, &VirtualMachine) -> PyResult;

static STATE: Cell = Cell(UnsafeCell::new(State {
    clock_ns: 0,
    random: 0,
    random_expected: false,
    reseeded: false,
    list_init: None,
    tuple_new: None,
}));

fn state() -> &'static mut State {
    // SAFETY: one thread, and no caller keeps the reference across a call into the interpreter.
    unsafe { &mut *STATE.0.get() }
}

/// Nanoseconds since 1970; every look takes a microsecond, so that a program that waits for the
/// clock gets somewhere.
pub(crate) fn clock() -> u64 {
    let state = state();
    state.clock_ns += 1_000;
    state.clock_ns
}

/// Lets time pass.
pub(crate) fn sleep(nanoseconds: u64) {
    let state = state();
    state.clock_ns = state.clock_ns.saturating_add(nanoseconds);
}

/// Random bytes: SplitMix64 from the request's seed. Nothing here is a secret.
pub(crate) fn fill(bytes: &mut [u8]) {
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
unsafe extern "Rust" fn __getrandom_v03_custom(
    to: *mut u8,
    length: usize,
) -> Result<(), getrandom::Error> {
    // SAFETY: the caller's promise; the bytes are written before they are read.
    fill(unsafe {
        core::ptr::write_bytes(to, 0, length);
        core::slice::from_raw_parts_mut(to, length)
    });
    Ok(())
}

/// Keeps the functions that the second setting replaces.
pub(crate) fn remember_originals(vm: &VirtualMachine) {
    let state = state();
    state.list_init = vm.ctx.types.list_type.slots.init.load();
    state.tuple_new = vm.ctx.types.tuple_type.slots.new.load();
}

/// Sets every source for one program.
pub(crate) fn set(vm: &VirtualMachine, entropy: &Entropy, sources: &[&str]) -> PyResult<()> {
    let state = state();
    state.clock_ns = entropy.clock_ns;
    state.random = entropy.random_seed;
    state.reseeded = false;
    for source in sources {
        seed_if_named(vm, source)?;
    }
    if entropy.unpromised_order {
        turn_over(vm)?;
    }
    Ok(())
}

/// Seeds the generator behind the functions of `random`, which exists already, before text that names the
/// module runs. A program whose text does not can still reach it, and then sees the same numbers under
/// every seed.
pub(crate) fn seed_if_named(vm: &VirtualMachine, text: &str) -> PyResult<()> {
    let state = state();
    if !state.reseeded && (state.random_expected || text.contains("random")) {
        state.reseeded = true;
        interpreter::call(vm, "azr_prelude", "reseed")?;
    }
    Ok(())
}

/// Seeds the generator of `random` for every program from now on, if one of these modules names it.
pub(crate) fn expect_random(sources: &[&str]) {
    state().random_expected |= sources.iter().any(|text| text.contains("random"));
}

/// Turns over every order and number that CPython does not promise.
fn turn_over(vm: &VirtualMachine) -> PyResult<()> {
    let types = &vm.ctx.types;
    types.set_type.slots.iter.store(Some(walk_backwards));
    types.frozenset_type.slots.iter.store(Some(walk_backwards));
    types.set_type.slots.repr.store(Some(repr_backwards));
    types.frozenset_type.slots.repr.store(Some(repr_backwards));
    // These read a set's elements without asking for its iterator.
    types.list_type.slots.init.store(Some(init_list));
    types.tuple_type.slots.new.store(Some(new_tuple));
    // Their short cut past the two slots above.
    types.list_type.slots.vectorcall.store(None);
    types.tuple_type.slots.vectorcall.store(None);
    interpreter::call(vm, "azr_prelude", "turn_over")?;
    let prelude = interpreter::import(vm, "azr_prelude")?;
    for (class, name, replacement) in [
        (types.set_type, "pop", "set_pop"),
        (types.list_type, "extend", "list_extend"),
        (types.list_type, "__iadd__", "list_iadd"),
        (types.dict_type, "fromkeys", "dict_fromkeys"),
    ] {
        class.set_attr(vm.ctx.intern_str(name), prelude.get_attr(replacement, vm)?);
    }
    Ok(())
}

/// The elements of an exact set or frozenset, last first.
fn backwards(object: &PyObject, vm: &VirtualMachine) -> Option<PyObjectRef> {
    let mut elements = if let Some(set) = object.downcast_ref::<PySet>() {
        set.elements()
    } else {
        object.downcast_ref::<PyFrozenSet>()?.elements()
    };
    elements.reverse();
    Some(vm.ctx.new_list(elements).into())
}

fn walk_backwards(set: PyObjectRef, vm: &VirtualMachine) -> PyResult {
    let elements = backwards(&set, vm).expect("the slot of sets");
    Ok(elements.get_iter(vm)?.into())
}

fn repr_backwards(
    set: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<PyStrRef> {
    let elements = backwards(set, vm).expect("the slot of sets");
    let frozen = set.downcast_ref::<PyFrozenSet>().is_some();
    let name = if frozen { "frozenset" } else { "set" };
    if elements.downcast_ref::<PyList>().is_some_and(|list| list.borrow_vec().is_empty()) {
        return Ok(vm.ctx.new_str(format!("{name}()")));
    }
    let list = elements.repr(vm)?.to_string_lossy().into_owned();
    let inner = list.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&list);
    Ok(vm.ctx.new_str(if frozen { format!("frozenset({{{inner}}})") } else { format!("{{{inner}}}") }))
}

fn init_list(list: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
    let init = state().list_init.expect("remembered before the snapshot");
    init(list, turn_first(args, vm), vm)
}

fn new_tuple(class: PyTypeRef, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let new = state().tuple_new.expect("remembered before the snapshot");
    new(class, turn_first(args, vm), vm)
}

/// The arguments, with a set in the first place replaced by its elements, last first.
fn turn_first(mut args: FuncArgs, vm: &VirtualMachine) -> FuncArgs {
    if let Some(first) = args.args.first_mut() {
        let types = &vm.ctx.types;
        let class = first.class();
        if (class.is(types.set_type) || class.is(types.frozenset_type))
            && let Some(elements) = backwards(first, vm)
        {
            *first = elements;
        }
    }
    args
}
