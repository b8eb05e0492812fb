//! The module: what `_decimal.py` gives it, and the current context.

pub(crate) use decl::module_def;
pub(super) use decl::{current, shared};

#[rustpython_derive::pymodule(name = "_azr_decimal")]
mod decl {
    use std::cell::RefCell;
    use std::rc::Rc;

    use rustpython_vm::builtins::{PyModule, PyTypeRef};
    use rustpython_vm::class::PyClassImpl;
    use rustpython_vm::function::FuncArgs;
    use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, extend_module};

    use super::super::class::PyDecimal;
    use super::super::context::{PyBits, PyContext};
    use super::super::number::{MAX_EMAX, MAX_PREC, MIN_EMIN, condition::*};

    /// What `_decimal.py` makes and this module needs.
    #[derive(Debug)]
    pub(in super::super) struct Shared {
        /// `decimal.InvalidOperation` and the others that can be trapped, in CPython's order.
        pub(in super::super) signals: Vec<(u32, PyTypeRef)>,
        /// The kinds of invalid operations that only exceptions name.
        pub(in super::super) conditions: Vec<(u32, PyTypeRef)>,
        pub(in super::super) tuple: PyObjectRef,
        pub(in super::super) signal_dict: PyObjectRef,
        pub(in super::super) rational: PyObjectRef,
        pub(in super::super) default: PyRef<PyContext>,
        /// The context variable that holds the current context.
        variable: PyObjectRef,
    }

    thread_local! {
        static SHARED: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
        /// The current decimal context, and the `contextvars` context in which it is the current one.
        static CURRENT: RefCell<Option<(PyObjectRef, PyRef<PyContext>)>> = const { RefCell::new(None) };
    }

    pub(in super::super) fn shared() -> Rc<Shared> {
        SHARED.with(|shared| shared.borrow().clone()).expect("_decimal.py sets this module up")
    }

    const SIGNALS: [u32; 9] =
        [INVALID, FLOAT_OPERATION, DIVISION_BY_ZERO, OVERFLOW, UNDERFLOW, SUBNORMAL, INEXACT, ROUNDED, CLAMPED];
    const CONDITIONS: [u32; 5] =
        [INVALID_OPERATION, CONVERSION_SYNTAX, DIVISION_IMPOSSIBLE, DIVISION_UNDEFINED, INVALID_CONTEXT];

    #[pyattr(name = "MAX_PREC")]
    const MAX_PREC_OF_PYTHON: i64 = MAX_PREC;
    #[pyattr(name = "MAX_EMAX")]
    const MAX_EMAX_OF_PYTHON: i64 = MAX_EMAX;
    #[pyattr(name = "MIN_EMIN")]
    const MIN_EMIN_OF_PYTHON: i64 = MIN_EMIN;
    #[pyattr(name = "MIN_ETINY")]
    const MIN_ETINY_OF_PYTHON: i64 = super::super::number::MIN_ETINY;

    /// Called once, with the signals and conditions in order and the other objects of `Shared`.
    #[pyfunction]
    fn set_up(args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
        let args: Vec<PyObjectRef> = args.args;
        let [signals, conditions, tuple, signal_dict, rational, variable] = args.as_slice() else {
            return Err(vm.new_type_error("set_up() takes 6 arguments"));
        };
        let classes = |object: &PyObjectRef, bits: &[u32]| -> PyResult<Vec<(u32, PyTypeRef)>> {
            let classes: Vec<PyTypeRef> = object.clone().try_into_value(vm)?;
            Ok(bits.iter().copied().zip(classes).collect())
        };
        let shared = Shared {
            signals: classes(signals, &SIGNALS)?,
            conditions: classes(conditions, &CONDITIONS)?,
            tuple: tuple.clone(),
            signal_dict: signal_dict.clone(),
            rational: rational.clone(),
            default: PyContext::initial().into_ref(&vm.ctx),
            variable: variable.clone(),
        };
        SHARED.with(|place| *place.borrow_mut() = Some(Rc::new(shared)));
        Ok(())
    }

    /// `decimal.DefaultContext`, which contexts are copies of.
    #[pyfunction]
    fn default_context() -> PyRef<PyContext> {
        shared().default.clone()
    }

    #[pyfunction]
    fn getcontext(vm: &VirtualMachine) -> PyResult<PyRef<PyContext>> {
        current(vm)
    }

    /// Makes a context the current one, as it is.
    #[pyfunction]
    fn set_current(context: PyRef<PyContext>, vm: &VirtualMachine) -> PyResult<()> {
        CURRENT.with(|current| current.borrow_mut().take());
        vm.call_method(&shared().variable, "set", (context,))?;
        Ok(())
    }

    pub(in super::super) fn current(vm: &VirtualMachine) -> PyResult<PyRef<PyContext>> {
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

    pub(crate) fn module_exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
        __module_exec(vm, module);
        extend_module!(vm, module, {
            "Decimal" => PyDecimal::make_static_type(),
            "Context" => PyContext::make_static_type(),
            "Bits" => PyBits::make_static_type(),
        });
        Ok(())
    }
}
