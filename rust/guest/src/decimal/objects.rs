//! What the module's classes are made of, and what all of them look at: decimals, contexts, the current context.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use rustpython_vm::builtins::{PyBaseExceptionRef, PyType, PyTypeRef};
use rustpython_vm::class::StaticType;
use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass};

use super::number::{Ctx, Dec, Rounding, condition::*};

pub(super) type Hash = i64;

#[pyclass(module = "decimal", name = "Decimal")]
#[derive(Debug, PyPayload)]
pub(super) struct PyDecimal {
    pub(super) dec: Dec,
    pub(super) hash: Cell<Hash>,
}

impl From<Dec> for PyDecimal {
    fn from(dec: Dec) -> Self {
        Self { dec, hash: Cell::new(-1) }
    }
}

pub(super) fn new_decimal(dec: Dec, vm: &VirtualMachine) -> PyObjectRef {
    PyDecimal::from(dec).into_ref(&vm.ctx).into()
}

pub(super) fn decimal_class() -> &'static Py<PyType> {
    PyDecimal::static_type()
}

/// Bits of conditions that a context and its signal dictionary share.
#[pyclass(module = "decimal", name = "Bits")]
#[derive(Debug, PyPayload)]
pub(super) struct PyBits {
    pub(super) bits: Rc<Cell<u32>>,
}

#[pyclass(module = "decimal", name = "Context")]
#[derive(Debug, PyPayload)]
pub(super) struct PyContext {
    pub(super) prec: Cell<i64>,
    pub(super) rounding: Cell<Rounding>,
    pub(super) emin: Cell<i64>,
    pub(super) emax: Cell<i64>,
    pub(super) capitals: Cell<bool>,
    pub(super) clamp: Cell<bool>,
    pub(super) flags: Rc<Cell<u32>>,
    pub(super) traps: Rc<Cell<u32>>,
    pub(super) flag_dict: OnceCell<PyObjectRef>,
    pub(super) trap_dict: OnceCell<PyObjectRef>,
}

impl PyContext {
    pub(super) fn initial() -> Self {
        Self {
            prec: Cell::new(28),
            rounding: Cell::new(Rounding::HalfEven),
            emin: Cell::new(-999_999),
            emax: Cell::new(999_999),
            capitals: Cell::new(true),
            clamp: Cell::new(false),
            flags: Rc::default(),
            traps: Rc::new(Cell::new(INVALID | DIVISION_BY_ZERO | OVERFLOW)),
            flag_dict: OnceCell::new(),
            trap_dict: OnceCell::new(),
        }
    }

    pub(super) fn duplicate(&self, with_flags: bool) -> Self {
        Self {
            prec: self.prec.clone(),
            rounding: self.rounding.clone(),
            emin: self.emin.clone(),
            emax: self.emax.clone(),
            capitals: self.capitals.clone(),
            clamp: self.clamp.clone(),
            flags: Rc::new(Cell::new(if with_flags { self.flags.get() } else { 0 })),
            traps: Rc::new(Cell::new(self.traps.get())),
            flag_dict: OnceCell::new(),
            trap_dict: OnceCell::new(),
        }
    }

    pub(super) fn ctx(&self) -> Ctx {
        Ctx {
            prec: self.prec.get(),
            rounding: self.rounding.get(),
            emin: self.emin.get(),
            emax: self.emax.get(),
            clamp: self.clamp.get(),
            status: 0,
        }
    }

    /// Sets flags, and raises what is trapped.
    pub(super) fn note(&self, status: u32, vm: &VirtualMachine) -> PyResult<()> {
        if status == 0 {
            return Ok(());
        }
        self.flags.set(self.flags.get() | status);
        if status & NO_MEMORY != 0 {
            return Err(vm.new_memory_error(""));
        }
        match status & self.traps.get() {
            0 => Ok(()),
            trapped => Err(raised(trapped, vm)),
        }
    }

    /// An operation in this context.
    pub(super) fn run(&self, vm: &VirtualMachine, work: impl FnOnce(&mut Ctx) -> Dec) -> PyResult {
        let mut ctx = self.ctx();
        let result = work(&mut ctx);
        self.note(ctx.status, vm)?;
        Ok(new_decimal(result, vm))
    }

    pub(super) fn div_mod(&self, a: &Dec, b: &Dec, vm: &VirtualMachine) -> PyResult {
        let mut ctx = self.ctx();
        let (quotient, rest) = ctx.div_mod(a, b);
        self.note(ctx.status, vm)?;
        Ok(vm.ctx.new_tuple(vec![new_decimal(quotient, vm), new_decimal(rest, vm)]).into())
    }

    pub(super) fn dict(place: &OnceCell<PyObjectRef>, bits: &Rc<Cell<u32>>, vm: &VirtualMachine) -> PyResult {
        if let Some(dict) = place.get() {
            return Ok(dict.clone());
        }
        let bits = PyBits { bits: Rc::clone(bits) }.into_ref(&vm.ctx);
        let dict = shared().signal_dict.call((bits,), vm)?;
        Ok(place.get_or_init(|| dict).clone())
    }
}

#[cold]
fn raised(trapped: u32, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let shared = shared();
    let named = |list: &[(u32, PyTypeRef)]| -> Vec<PyTypeRef> {
        list.iter().filter(|(bit, _)| bit & trapped != 0).map(|(_, class)| class.clone()).collect()
    };
    let mut reasons: Vec<PyObjectRef> = named(&shared.conditions).into_iter().map(Into::into).collect();
    reasons.extend(named(&shared.signals[1..]).into_iter().map(PyObjectRef::from));
    let class = named(&shared.signals).swap_remove(0);
    let reasons: PyObjectRef = vm.ctx.new_list(reasons).into();
    vm.invoke_exception(&class, vec![reasons]).unwrap_or_else(|error| error)
}

/// What `_decimal.py` makes and this module needs.
#[derive(Debug)]
pub(super) struct Shared {
    /// `decimal.InvalidOperation` and the others that can be trapped, in CPython's order.
    pub(super) signals: Vec<(u32, PyTypeRef)>,
    /// The kinds of invalid operations that only exceptions name.
    pub(super) conditions: Vec<(u32, PyTypeRef)>,
    pub(super) tuple: PyObjectRef,
    pub(super) signal_dict: PyObjectRef,
    pub(super) rational: PyObjectRef,
    pub(super) default: PyRef<PyContext>,
    /// The context variable that holds the current context.
    pub(super) variable: PyObjectRef,
}

thread_local! {
    static SHARED: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
    /// The current decimal context, and the `contextvars` context in which it is the current one.
    static CURRENT: RefCell<Option<(PyObjectRef, PyRef<PyContext>)>> = const { RefCell::new(None) };
}

pub(super) fn shared() -> Rc<Shared> {
    SHARED.with(|shared| shared.borrow().clone()).expect("_decimal.py sets this module up")
}

/// Sets the module up, once.
pub(super) fn set_shared(shared: Shared) {
    SHARED.with(|place| *place.borrow_mut() = Some(Rc::new(shared)));
}

/// Has the current context looked up anew.
pub(super) fn forget_current() {
    CURRENT.with(|current| current.borrow_mut().take());
}

pub(super) fn current(vm: &VirtualMachine) -> PyResult<PyRef<PyContext>> {
    let known = CURRENT.with(|current| {
        let current = current.borrow();
        let (within, context) = current.as_ref()?;
        let stack = vm.context_stack.borrow();
        stack.last().is_some_and(|top| top.is(within)).then(|| context.clone())
    });
    match known {
        Some(context) => Ok(context),
        None => look_up_current(vm),
    }
}

#[cold]
fn look_up_current(vm: &VirtualMachine) -> PyResult<PyRef<PyContext>> {
    let shared = shared();
    let found = vm.call_method(&shared.variable, "get", (vm.ctx.none(),))?;
    let context = match found.downcast::<PyContext>() {
        Ok(context) => context,
        Err(_) => {
            let context = shared.default.duplicate(false).into_ref(&vm.ctx);
            vm.call_method(&shared.variable, "set", (context.clone(),))?;
            context
        }
    };
    let within = vm.context_stack.borrow().last().cloned();
    if let Some(within) = within {
        CURRENT.with(|current| *current.borrow_mut() = Some((within, context.clone())));
    }
    Ok(context)
}

pub(super) fn optional_context(object: Option<&PyObjectRef>, vm: &VirtualMachine) -> PyResult<PyRef<PyContext>> {
    match object {
        Some(object) if !vm.is_none(object) => {
            object.clone().downcast::<PyContext>().map_err(|_| vm.new_type_error("optional argument must be a context"))
        }
        _ => current(vm),
    }
}
