//! The module: what `_decimal.py` gives it, and the current context.

pub(crate) use decl::module_def;

#[rustpython_derive::pymodule(name = "_azr_decimal")]
mod decl {
    use rustpython_vm::builtins::{PyModule, PyTypeRef};
    use rustpython_vm::class::PyClassImpl;
    use rustpython_vm::function::FuncArgs;
    use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, extend_module};

    use super::super::number::{MAX_EMAX, MAX_PREC, MIN_EMIN, condition::*};
    use super::super::objects::{PyBits, PyContext, PyDecimal, Shared, current, forget_current, set_shared, shared};

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
        set_shared(shared);
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
        forget_current();
        vm.call_method(&shared().variable, "set", (context,))?;
        Ok(())
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
