//! The classes `Decimal` and `Context`, and the functions that get and set the current context.

pub(crate) use decl::module_def;

use rustpython_vm::builtins::{PyStr, PyType};
use rustpython_vm::function::{FuncArgs, PyMethodDef, PyMethodFlags};
use rustpython_vm::{AsObject, Context, Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

/// Arguments by the order of a function's parameters.
type Arguments = Vec<Option<PyObjectRef>>;

/// Puts arguments in the order of parameters, of which the first `required` ones must be there.
fn bind(name: &str, parameters: &[&str], required: usize, args: FuncArgs, vm: &VirtualMachine) -> PyResult<Arguments> {
    let FuncArgs { args, mut kwargs } = args;
    if args.len() > parameters.len() {
        return Err(vm.new_type_error(format!(
            "{name}() takes at most {} argument{} ({} given)",
            parameters.len(),
            if parameters.len() == 1 { "" } else { "s" },
            args.len()
        )));
    }
    let mut bound: Arguments = args.into_iter().map(Some).collect();
    if kwargs.is_empty() && bound.len() >= required {
        bound.resize(parameters.len(), None);
        return Ok(bound);
    }
    let given = bound.len();
    bound.resize(parameters.len(), None);
    for (place, parameter) in parameters.iter().enumerate() {
        if let Some(value) = kwargs.shift_remove(*parameter) {
            if place < given {
                return Err(vm.new_type_error(format!(
                    "argument for {name}() given by name ('{parameter}') and position ({})",
                    place + 1
                )));
            }
            bound[place] = Some(value);
        } else if place < required && bound[place].is_none() {
            return Err(
                vm.new_type_error(format!("{name}() missing required argument '{parameter}' (pos {})", place + 1))
            );
        }
    }
    if let Some(unknown) = kwargs.keys().next() {
        return Err(
            vm.new_type_error(format!("{name}() got an unexpected keyword argument '{}'", unknown.to_string_lossy()))
        );
    }
    Ok(bound)
}

/// Adds a method to a class: its parameters as in Python, those with `=None` may be left out.
fn add_method(
    ctx: &Context,
    class: &'static Py<PyType>,
    name: &'static str,
    parameters: &'static [&'static str],
    flags: PyMethodFlags,
    work: impl Fn(&PyObject, &Arguments, &VirtualMachine) -> PyResult + 'static,
) {
    let names: Vec<&'static str> =
        parameters.iter().map(|text| text.split('=').next().expect("one part at least")).collect();
    let required = parameters.iter().filter(|text| !text.contains('=')).count();
    let func = move |vm: &VirtualMachine, mut args: FuncArgs, _callee| {
        if args.args.is_empty() {
            return Err(vm.new_type_error(format!("{name}() needs an argument")));
        }
        let zelf = args.shift();
        if !flags.contains(PyMethodFlags::CLASS) && !zelf.fast_isinstance(class) {
            return Err(vm.new_type_error(format!(
                "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
                class.name(),
                zelf.class().name()
            )));
        }
        let args = bind(name, &names, required, args, vm)?;
        work(&zelf, &args, vm)
    };
    let zelf = if flags.contains(PyMethodFlags::CLASS) { "$type" } else { "$self" };
    let mut doc = format!("{name}({zelf}, /");
    for parameter in parameters {
        doc += ", ";
        doc += parameter;
    }
    doc += ")\n--\n\n";
    // A class lives for ever, and its methods with it.
    let def: &'static PyMethodDef = Box::leak(Box::new(PyMethodDef {
        name,
        func: Box::leak(Box::new(func)),
        flags,
        doc: Some(Box::leak(doc.into_boxed_str())),
        doc_off: 0,
        doc_len: 0,
        doc_body_pending: false,
    }));
    class.set_attr(ctx.intern_str(name), def.to_proper_method(class, ctx));
}

fn class_name(object: &PyObject) -> String {
    object.class().name().to_string()
}

fn text_of<'a>(object: &'a PyObject) -> Option<&'a Py<PyStr>> {
    object.downcast_ref::<PyStr>()
}

#[rustpython_derive::pymodule(name = "_azr_decimal")]
mod decl {
    use std::cell::{Cell, OnceCell, RefCell};
    use std::rc::Rc;

    use malachite_bigint::{BigInt, Sign};
    use num_traits::{Signed, ToPrimitive};
    use rustpython_vm::builtins::{
        PyComplex, PyDict, PyFloat, PyInt, PyList, PyStrRef, PyTuple, PyTupleRef, PyType, PyTypeRef,
    };
    use rustpython_vm::class::StaticType;
    use rustpython_vm::function::{FuncArgs, PyComparisonValue, PyMethodFlags, PySetterValue};
    use rustpython_vm::protocol::{PyNumber, PyNumberMethods};
    use rustpython_vm::pyclass;
    use rustpython_vm::types::{AsNumber, Comparable, Constructor, Hashable, PyComparisonOp, Representable};
    use rustpython_vm::{AsObject, Context, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine};

    use super::super::int::{Int, has_room};
    use super::super::number::{Ctx, Dec, Kind, MAX_EMAX, MAX_PREC, MIN_EMIN, Rounding, condition::*};
    use super::super::text::Spec;
    use super::{Arguments, add_method, bind, class_name, text_of};

    type Hash = i64;

    /// What `_decimal.py` makes and this module needs.
    #[derive(Debug)]
    struct Shared {
        /// `decimal.InvalidOperation` and the others that can be trapped, in CPython's order.
        signals: Vec<(u32, PyTypeRef)>,
        /// The kinds of invalid operations that only exceptions name.
        conditions: Vec<(u32, PyTypeRef)>,
        tuple: PyObjectRef,
        signal_dict: PyObjectRef,
        rational: PyObjectRef,
        default: PyRef<PyContext>,
        /// The context variable that holds the current context.
        variable: PyObjectRef,
    }

    thread_local! {
        static SHARED: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
        /// The current decimal context, and the `contextvars` context in which it is the current one.
        static CURRENT: RefCell<Option<(PyObjectRef, PyRef<PyContext>)>> = const { RefCell::new(None) };
    }

    fn shared() -> Rc<Shared> {
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

    fn current(vm: &VirtualMachine) -> PyResult<PyRef<PyContext>> {
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

    #[pyattr]
    #[pyclass(module = "decimal", name = "Decimal")]
    #[derive(Debug, PyPayload)]
    pub(super) struct PyDecimal {
        dec: Dec,
        hash: Cell<Hash>,
    }

    impl From<Dec> for PyDecimal {
        fn from(dec: Dec) -> Self {
            Self { dec, hash: Cell::new(-1) }
        }
    }

    fn new_decimal(dec: Dec, vm: &VirtualMachine) -> PyObjectRef {
        PyDecimal::from(dec).into_ref(&vm.ctx).into()
    }

    fn decimal_class() -> &'static Py<PyType> {
        PyDecimal::static_type()
    }

    /// The number of a `Decimal`, or of a method's own object.
    fn dec_of(object: &PyObject) -> &Dec {
        &object.downcast_ref::<PyDecimal>().expect("methods look at the class first").dec
    }

    fn big_to_dec(value: &BigInt) -> Dec {
        match value.to_i64() {
            Some(small) => Dec::integer(small),
            None => Dec::finite(value.is_negative(), value.magnitude().clone().into(), 0),
        }
    }

    /// A number that an operation takes without being asked to convert: a decimal or an integer.
    enum Operand<'a> {
        Given(&'a Dec),
        Made(Dec),
    }

    impl std::ops::Deref for Operand<'_> {
        type Target = Dec;

        fn deref(&self) -> &Dec {
            match self {
                Self::Given(dec) => dec,
                Self::Made(dec) => dec,
            }
        }
    }

    fn operand(object: &PyObject) -> Option<Operand<'_>> {
        if let Some(decimal) = object.downcast_ref::<PyDecimal>() {
            return Some(Operand::Given(&decimal.dec));
        }
        object.downcast_ref::<PyInt>().map(|int| Operand::Made(big_to_dec(int.as_bigint())))
    }

    fn needed_operand<'a>(object: &'a PyObject, vm: &VirtualMachine) -> PyResult<Operand<'a>> {
        operand(object).ok_or_else(|| not_supported(object, vm))
    }

    fn not_supported(object: &PyObject, vm: &VirtualMachine) -> rustpython_vm::builtins::PyBaseExceptionRef {
        let class = class_name(object);
        vm.new_type_error(format!("conversion from {class} to Decimal is not supported"))
    }

    fn float_to_dec(value: f64) -> Dec {
        if value.is_nan() {
            // Whatever the sign of its bits, as in CPython.
            return Dec::nan();
        }
        let negative = value.is_sign_negative();
        if value.is_infinite() {
            return Dec::infinity(negative);
        }
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exp) = match (bits >> 52 & 0x7ff) as i64 {
            0 => (fraction, -1074),
            biased => (fraction | 1 << 52, biased - 1075),
        };
        if mantissa == 0 {
            return Dec::finite(negative, Int::ZERO, 0);
        }
        let zeros = mantissa.trailing_zeros();
        let (mantissa, exp) = (mantissa >> zeros, exp + i64::from(zeros));
        let big = |value: u64| malachite_bigint::BigUint::from(value);
        if exp >= 0 {
            return Dec::finite(negative, (big(mantissa) << exp as u64).into(), 0);
        }
        let fives = big(5).pow(exp.unsigned_abs() as u32);
        Dec::finite(negative, (big(mantissa) * fives).into(), exp)
    }

    /// A text's characters as Python reads numbers: digits of other scripts as ASCII ones; `None` where others are.
    fn ascii_text(text: &str, lenient: bool) -> Option<String> {
        let text = if lenient { text.trim_matches(is_space) } else { text };
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if lenient && c == '_' {
                continue;
            }
            if c.is_ascii() {
                out.push(c);
            } else {
                let digit = super::digit_value(c)?;
                out.push(char::from(b'0' + digit));
            }
        }
        Some(out)
    }

    fn is_space(c: char) -> bool {
        c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
    }

    /// The exact value of an object, as `Decimal(object)` has it.
    fn exact(object: &PyObject, context: &PyContext, vm: &VirtualMachine) -> PyResult<Dec> {
        let mut ctx = Ctx::max();
        let dec = if let Some(given) = operand(object) {
            let dec = Dec::clone(&given);
            match given {
                Operand::Given(_) => return Ok(dec),
                Operand::Made(_) => dec,
            }
        } else if let Some(text) = text_of(object) {
            match text.to_str().and_then(|text| ascii_text(text, true)) {
                Some(text) => ctx.exact(&text),
                None => ctx.signal(CONVERSION_SYNTAX),
            }
        } else if let Some(float) = object.downcast_ref::<PyFloat>() {
            context.note(FLOAT_OPERATION, vm)?;
            float_to_dec(float.to_f64())
        } else if let Some(tuple) = object.downcast_ref::<PyTuple>() {
            let dec = from_sequence(tuple.as_slice(), vm)?;
            ctx.in_bounds(dec)
        } else if let Some(list) = object.downcast_ref::<PyList>() {
            let items = list.borrow_vec().to_vec();
            let dec = from_sequence(&items, vm)?;
            ctx.in_bounds(dec)
        } else {
            return Err(not_supported(object, vm));
        };
        context.note(ctx.status & ERRORS, vm)?;
        Ok(dec)
    }

    fn from_sequence(items: &[PyObjectRef], vm: &VirtualMachine) -> PyResult<Dec> {
        let [sign, coefficient, exponent] = items else {
            return Err(vm.new_value_error("argument must be a sequence of length 3"));
        };
        let small = |object: &PyObjectRef| object.downcast_ref::<PyInt>().and_then(|int| int.as_bigint().to_u8());
        let negative = match small(sign) {
            Some(0) => false,
            Some(1) => true,
            _ => {
                let message = "sign must be an integer with the value 0 or 1";
                return Err(vm.new_value_error(message));
            }
        };
        let (kind, exp) = if let Some(text) = text_of(exponent) {
            match text.to_str() {
                Some("F") => (Kind::Infinite, 0),
                Some("n") => (Kind::Quiet, 0),
                Some("N") => (Kind::Signaling, 0),
                _ => {
                    return Err(vm.new_value_error("string argument in the third position must be 'F', 'n' or 'N'"));
                }
            }
        } else if let Some(int) = exponent.downcast_ref::<PyInt>() {
            let exp = int
                .as_bigint()
                .to_i64()
                .ok_or_else(|| vm.new_overflow_error("Python int too large to convert to C ssize_t"))?;
            // Beyond all bounds: whatever the digits are, there is no such number.
            (Kind::Finite, exp.clamp(-4 * MAX_EMAX, 4 * MAX_EMAX))
        } else {
            return Err(vm.new_value_error("exponent must be an integer"));
        };
        let no_digits = || vm.new_value_error("coefficient must be a tuple of digits");
        let owned;
        let digits = if let Some(tuple) = coefficient.downcast_ref::<PyTuple>() {
            tuple.as_slice()
        } else if let Some(list) = coefficient.downcast_ref::<PyList>() {
            owned = list.borrow_vec().to_vec();
            &owned
        } else {
            return Err(no_digits());
        };
        let mut text = Vec::with_capacity(digits.len().max(1));
        for digit in digits {
            match small(digit) {
                Some(digit @ 0..=9) => text.push(b'0' + digit),
                _ => return Err(no_digits()),
            }
        }
        if text.is_empty() {
            text.push(b'0');
        }
        let coeff = match kind {
            Kind::Infinite => Int::ZERO,
            _ => Int::from_digits(&text),
        };
        Ok(Dec { negative, kind, coeff, exp })
    }

    /// An instance of `Decimal` itself, or of a subclass through its constructor.
    fn of_class(class: &PyObject, dec: Dec, vm: &VirtualMachine) -> PyResult {
        let decimal = new_decimal(dec, vm);
        if class.is(decimal_class()) { Ok(decimal) } else { class.call((decimal,), vm) }
    }

    fn optional_context(object: Option<&PyObjectRef>, vm: &VirtualMachine) -> PyResult<PyRef<PyContext>> {
        match object {
            Some(object) if !vm.is_none(object) => object
                .clone()
                .downcast::<PyContext>()
                .map_err(|_| vm.new_type_error("optional argument must be a context")),
            _ => current(vm),
        }
    }

    fn rounding_of(object: &PyObject, vm: &VirtualMachine) -> PyResult<Rounding> {
        text_of(object).and_then(|text| Rounding::named(text.to_str()?)).ok_or_else(|| {
            vm.new_type_error(
                "valid values for rounding are:\n  \
                 [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   \
                 ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   \
                 ROUND_05UP]",
            )
        })
    }

    /// What conversions to integers say of numbers that are none.
    fn check_finite(dec: &Dec, what: &str, vm: &VirtualMachine) -> PyResult<()> {
        match dec.kind {
            Kind::Finite => Ok(()),
            Kind::Infinite => Err(vm.new_overflow_error(format!("cannot convert Infinity to {what}"))),
            _ => Err(vm.new_value_error(format!("cannot convert NaN to {what}"))),
        }
    }

    fn to_int(dec: &Dec, rounding: Rounding, vm: &VirtualMachine) -> PyResult {
        check_finite(dec, "integer", vm)?;
        let Some((whole, _)) = dec.rescaled(dec.exp.max(0), rounding) else {
            return Err(vm.new_memory_error(""));
        };
        let Some((whole, _)) = whole.rescaled(0, rounding) else {
            return Err(vm.new_memory_error(""));
        };
        let sign = if whole.coeff.is_zero() {
            Sign::NoSign
        } else if whole.negative {
            Sign::Minus
        } else {
            Sign::Plus
        };
        let value = BigInt::from_biguint(sign, whole.coeff.big());
        Ok(vm.ctx.new_bigint(&value).into())
    }

    fn to_float(dec: &Dec, vm: &VirtualMachine) -> PyResult<f64> {
        if dec.is_signaling() {
            return Err(vm.new_value_error("cannot convert signaling NaN to float"));
        }
        let value = match dec.kind {
            Kind::Finite => dec.abs().to_sci(true).parse().expect("a decimal's text is a float's"),
            Kind::Infinite => f64::INFINITY,
            _ => f64::NAN,
        };
        Ok(if dec.negative { -value } else { value })
    }

    fn ratio(dec: &Dec, vm: &VirtualMachine) -> PyResult<(BigInt, BigInt)> {
        use num_integer::Integer;
        check_finite(dec, "integer ratio", vm)?;
        let size = dec.exp.unsigned_abs();
        if !has_room(size.saturating_add(dec.coeff.digits())) && !dec.coeff.is_zero() {
            return Err(vm.new_memory_error(""));
        }
        let coeff: BigInt = dec.coeff.big().into();
        let one = BigInt::from(1);
        let (numerator, denominator) = if dec.coeff.is_zero() {
            (coeff, one)
        } else if dec.exp >= 0 {
            (coeff * BigInt::from(Int::pow10(size).big()), one)
        } else {
            let power = BigInt::from(Int::pow10(size).big());
            let common = coeff.gcd(&power);
            (coeff / &common, power / common)
        };
        Ok((if dec.negative { -numerator } else { numerator }, denominator))
    }

    impl Constructor for PyDecimal {
        type Args = FuncArgs;

        fn slot_new(cls: PyTypeRef, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
            let args = bind("Decimal", &["value", "context"], 0, args, vm)?;
            let value = args[0].as_ref();
            let context = match (&args[1], value) {
                (None, None) => return Ok(Self::from(Dec::integer(0)).into_ref_with_type(vm, cls)?.into()),
                // Nothing can go wrong with these.
                (None, Some(value)) if value.class().is(decimal_class()) && cls.is(decimal_class()) => {
                    return Ok(value.clone());
                }
                (context, _) => optional_context(context.as_ref(), vm)?,
            };
            let dec = match value {
                Some(value) => exact(value, &context, vm)?,
                None => Dec::integer(0),
            };
            Self::from(dec).into_ref_with_type(vm, cls).map(Into::into)
        }

        fn py_new(_cls: &Py<PyType>, _args: FuncArgs, _vm: &VirtualMachine) -> PyResult<Self> {
            unreachable!("slot_new does not call it")
        }
    }

    /// A binary operator in the current context.
    fn operate(a: &PyObject, b: &PyObject, vm: &VirtualMachine, work: fn(&mut Ctx, &Dec, &Dec) -> Dec) -> PyResult {
        let (Some(a), Some(b)) = (operand(a), operand(b)) else {
            return Ok(vm.ctx.not_implemented());
        };
        let context = current(vm)?;
        context.run(vm, |ctx| work(ctx, &a, &b))
    }

    fn operate_one(number: PyNumber<'_>, vm: &VirtualMachine, work: fn(&mut Ctx, &Dec) -> Dec) -> PyResult {
        let context = current(vm)?;
        context.run(vm, |ctx| work(ctx, dec_of(number.obj)))
    }

    impl AsNumber for PyDecimal {
        fn as_number() -> &'static PyNumberMethods {
            static AS_NUMBER: PyNumberMethods = PyNumberMethods {
                add: Some(|a, b, vm| operate(a, b, vm, Ctx::add)),
                subtract: Some(|a, b, vm| operate(a, b, vm, Ctx::sub)),
                multiply: Some(|a, b, vm| operate(a, b, vm, Ctx::mul)),
                true_divide: Some(|a, b, vm| operate(a, b, vm, Ctx::div)),
                floor_divide: Some(|a, b, vm| operate(a, b, vm, Ctx::div_int)),
                remainder: Some(|a, b, vm| operate(a, b, vm, Ctx::rem)),
                divmod: Some(|a, b, vm| {
                    let (Some(a), Some(b)) = (operand(a), operand(b)) else {
                        return Ok(vm.ctx.not_implemented());
                    };
                    current(vm)?.div_mod(&a, &b, vm)
                }),
                power: Some(|a, b, modulus, vm| {
                    let (Some(a), Some(b)) = (operand(a), operand(b)) else {
                        return Ok(vm.ctx.not_implemented());
                    };
                    if vm.is_none(modulus) {
                        return current(vm)?.run(vm, |ctx| ctx.pow(&a, &b));
                    }
                    let Some(modulus) = operand(modulus) else {
                        return Ok(vm.ctx.not_implemented());
                    };
                    current(vm)?.run(vm, |ctx| ctx.pow_mod(&a, &b, &modulus))
                }),
                negative: Some(|number, vm| operate_one(number, vm, Ctx::minus)),
                positive: Some(|number, vm| operate_one(number, vm, Ctx::plus)),
                absolute: Some(|number, vm| operate_one(number, vm, Ctx::abs)),
                boolean: Some(|number, _vm| Ok(!dec_of(number.obj).is_zero())),
                int: Some(|number, vm| to_int(dec_of(number.obj), Rounding::Down, vm)),
                float: Some(|number, vm| Ok(vm.ctx.new_float(to_float(dec_of(number.obj), vm)?).into())),
                ..PyNumberMethods::NOT_IMPLEMENTED
            };
            &AS_NUMBER
        }
    }

    /// Numbers in the order of two objects, one of which is a decimal; `None` where they have no order.
    fn comparable<'a>(
        a: &'a Dec,
        other: &'a PyObject,
        equality: bool,
        context: &PyContext,
        vm: &VirtualMachine,
    ) -> PyResult<Option<(Operand<'a>, Operand<'a>)>> {
        let left = Operand::Given(a);
        if let Some(right) = operand(other) {
            return Ok(Some((left, right)));
        }
        let float = if let Some(float) = other.downcast_ref::<PyFloat>() {
            Some(float.to_f64())
        } else if equality && let Some(complex) = other.downcast_ref::<PyComplex>() {
            let value = complex.to_complex();
            if value.im != 0.0 {
                return Ok(None);
            }
            Some(value.re)
        } else {
            None
        };
        if let Some(float) = float {
            if equality {
                // Noted, but never raised.
                context.flags.set(context.flags.get() | FLOAT_OPERATION);
            } else {
                context.note(FLOAT_OPERATION, vm)?;
            }
            return Ok(Some((left, Operand::Made(float_to_dec(float)))));
        }
        if !other.is_instance(&shared().rational, vm)? {
            return Ok(None);
        }
        // a op n / d exactly if a * d op n.
        let part = |name: &'static str| -> PyResult<Dec> {
            let part = other.get_attr(name, vm)?;
            let int = part.downcast_ref::<PyInt>().ok_or_else(|| vm.new_type_error(format!("{name} is no integer")))?;
            Ok(big_to_dec(int.as_bigint()))
        };
        let (numerator, denominator) = (part("numerator")?, part("denominator")?);
        let scaled =
            if a.is_finite() { Dec { coeff: a.coeff.mul(&denominator.coeff), ..a.clone() } } else { a.clone() };
        Ok(Some((Operand::Made(scaled), Operand::Made(numerator))))
    }

    impl Comparable for PyDecimal {
        fn cmp(
            zelf: &Py<Self>,
            other: &PyObject,
            op: PyComparisonOp,
            vm: &VirtualMachine,
        ) -> PyResult<PyComparisonValue> {
            let equality = matches!(op, PyComparisonOp::Eq | PyComparisonOp::Ne);
            if let Some(other) = other.downcast_ref::<Self>()
                && !zelf.dec.is_nan()
                && !other.dec.is_nan()
            {
                return Ok(op.eval_ord(zelf.dec.value_cmp(&other.dec)).into());
            }
            let context = current(vm)?;
            let Some((a, b)) = comparable(&zelf.dec, other, equality, &context, vm)? else {
                return Ok(PyComparisonValue::NotImplemented);
            };
            if a.is_nan() || b.is_nan() {
                if !equality || a.is_signaling() || b.is_signaling() {
                    context.note(INVALID_OPERATION, vm)?;
                }
                return Ok((op == PyComparisonOp::Ne).into());
            }
            Ok(op.eval_ord(a.value_cmp(&b)).into())
        }
    }

    /// Numbers that are equal have the hash that `int`, `float` and `Fraction` give them.
    fn hash_of(dec: &Dec) -> Hash {
        const MODULUS: u64 = (1 << 61) - 1;
        const INFINITY: Hash = 314_159;
        let power = |mut base: u64, mut exponent: u64| {
            let mut result = 1u64;
            while exponent > 0 {
                if exponent & 1 == 1 {
                    result = (u128::from(result) * u128::from(base) % u128::from(MODULUS)) as u64;
                }
                base = (u128::from(base) * u128::from(base) % u128::from(MODULUS)) as u64;
                exponent >>= 1;
            }
            result
        };
        let hash = if dec.is_infinite() {
            INFINITY
        } else {
            // The inverse of 10.
            let base = if dec.exp >= 0 { 10 } else { power(10, MODULUS - 2) };
            let scale = power(base, dec.exp.unsigned_abs());
            let coeff = dec.coeff.modulo(MODULUS);
            (u128::from(coeff) * u128::from(scale) % u128::from(MODULUS)) as Hash
        };
        match if dec.negative { -hash } else { hash } {
            -1 => -2,
            hash => hash,
        }
    }

    impl Hashable for PyDecimal {
        fn hash(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<Hash> {
            match zelf.hash.get() {
                -1 => {}
                known => return Ok(known),
            }
            let hash = match zelf.dec.kind {
                Kind::Signaling => {
                    return Err(vm.new_type_error("Cannot hash a signaling NaN value"));
                }
                Kind::Quiet => {
                    // By identity, as any object.
                    let plain: PyObjectRef = vm.ctx.types.object_type.to_owned().into();
                    let hash = plain.get_attr("__hash__", vm)?.call((zelf.to_owned(),), vm)?;
                    hash.try_into_value(vm)?
                }
                _ => hash_of(&zelf.dec),
            };
            zelf.hash.set(hash);
            Ok(hash)
        }
    }

    fn capitals(vm: &VirtualMachine) -> PyResult<bool> {
        Ok(current(vm)?.capitals.get())
    }

    impl Representable for PyDecimal {
        fn repr_str(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
            Ok(format!("Decimal('{}')", zelf.dec.to_sci(capitals(vm)?)))
        }
    }

    #[pyclass(with(Constructor, AsNumber, Comparable, Hashable, Representable), flags(BASETYPE, IMMUTABLETYPE))]
    impl PyDecimal {
        #[pygetset]
        fn real(zelf: PyRef<Self>) -> PyRef<Self> {
            zelf
        }

        #[pygetset]
        fn imag(_zelf: PyRef<Self>, vm: &VirtualMachine) -> PyObjectRef {
            new_decimal(Dec::integer(0), vm)
        }

        #[pyslot]
        fn slot_str(zelf: &PyObject, vm: &VirtualMachine) -> PyResult<PyStrRef> {
            Ok(vm.ctx.new_str(dec_of(zelf).to_sci(capitals(vm)?)))
        }

        #[extend_class]
        fn extend_class(ctx: &Context, class: &'static Py<PyType>) {
            add_decimal_methods(ctx, class);
        }
    }

    type Unary = fn(&mut Ctx, &Dec) -> Dec;
    type Binary = fn(&mut Ctx, &Dec, &Dec) -> Dec;

    /// Functions of one number that are methods of numbers and of contexts.
    const UNARY: [(&str, Unary); 9] = [
        ("exp", Ctx::exp),
        ("ln", Ctx::ln),
        ("log10", Ctx::log10),
        ("logb", Ctx::logb),
        ("logical_invert", Ctx::logical_invert),
        ("next_minus", Ctx::next_minus),
        ("next_plus", Ctx::next_plus),
        ("normalize", Ctx::normalize),
        ("sqrt", Ctx::sqrt),
    ];

    /// Functions of two numbers that are methods of numbers and of contexts.
    const BINARY: [(&str, Binary); 14] = [
        ("compare", Ctx::compare),
        ("compare_signal", Ctx::compare_signal),
        ("logical_and", Ctx::logical_and),
        ("logical_or", Ctx::logical_or),
        ("logical_xor", Ctx::logical_xor),
        ("max", Ctx::max_of),
        ("max_mag", Ctx::max_mag),
        ("min", Ctx::min_of),
        ("min_mag", Ctx::min_mag),
        ("next_toward", Ctx::next_toward),
        ("remainder_near", Ctx::rem_near),
        ("rotate", Ctx::rotate),
        ("scaleb", Ctx::scaleb),
        ("shift", Ctx::shift),
    ];

    /// Operators, which contexts have by name.
    const CONTEXT_UNARY: [(&str, Unary); 6] = [
        ("abs", Ctx::abs),
        ("minus", Ctx::minus),
        ("plus", Ctx::plus),
        ("to_integral", Ctx::to_integral_value),
        ("to_integral_exact", Ctx::to_integral_exact),
        ("to_integral_value", Ctx::to_integral_value),
    ];
    const CONTEXT_BINARY: [(&str, Binary); 7] = [
        ("add", Ctx::add),
        ("subtract", Ctx::sub),
        ("multiply", Ctx::mul),
        ("divide", Ctx::div),
        ("divide_int", Ctx::div_int),
        ("remainder", Ctx::rem),
        ("quantize", Ctx::quantize),
    ];

    /// Questions that a number answers by itself.
    const QUESTIONS: [(&str, fn(&Dec) -> bool); 8] = [
        ("is_canonical", |_| true),
        ("is_finite", Dec::is_finite),
        ("is_infinite", Dec::is_infinite),
        ("is_nan", Dec::is_nan),
        ("is_qnan", |dec| dec.kind == Kind::Quiet),
        ("is_signed", |dec| dec.negative),
        ("is_snan", Dec::is_signaling),
        ("is_zero", Dec::is_zero),
    ];

    /// Questions whose answer depends on the context.
    const CONTEXT_QUESTIONS: [(&str, fn(&Dec, &Ctx) -> bool); 2] =
        [("is_normal", Dec::is_normal), ("is_subnormal", Dec::is_subnormal)];

    /// Functions without context that give a number.
    const COPIES: [(&str, fn(&Dec) -> Dec); 2] = [("copy_abs", Dec::abs), ("copy_negate", Dec::negated)];
    const PAIRS: [(&str, fn(&Dec, &Dec) -> Dec); 3] = [
        ("compare_total", |a, b| Dec::integer(a.total_cmp(b) as i64)),
        ("compare_total_mag", |a, b| Dec::integer(a.total_magnitude_cmp(b) as i64)),
        ("copy_sign", |a, b| a.with_sign(b.negative)),
    ];

    const PLAIN: PyMethodFlags = PyMethodFlags::METHOD;

    fn given(args: &Arguments, place: usize) -> &PyObjectRef {
        args[place].as_ref().expect("required")
    }

    fn add_decimal_methods(ctx: &Context, class: &'static Py<PyType>) {
        for (name, work) in UNARY {
            add_method(ctx, class, name, &["context=None"], PLAIN, move |zelf, args, vm| {
                let context = optional_context(args[0].as_ref(), vm)?;
                context.run(vm, |ctx| work(ctx, dec_of(zelf)))
            });
        }
        for (name, work) in BINARY {
            let parameters = &["other", "context=None"];
            add_method(ctx, class, name, parameters, PLAIN, move |zelf, args, vm| {
                let context = optional_context(args[1].as_ref(), vm)?;
                let other = needed_operand(given(args, 0), vm)?;
                context.run(vm, |ctx| work(ctx, dec_of(zelf), &other))
            });
        }
        for (name, work) in QUESTIONS {
            add_method(ctx, class, name, &[], PLAIN, move |zelf, _args, vm| {
                Ok(vm.ctx.new_bool(work(dec_of(zelf))).into())
            });
        }
        for (name, work) in CONTEXT_QUESTIONS {
            add_method(ctx, class, name, &["context=None"], PLAIN, move |zelf, args, vm| {
                let context = optional_context(args[0].as_ref(), vm)?;
                Ok(vm.ctx.new_bool(work(dec_of(zelf), &context.ctx())).into())
            });
        }
        for (name, work) in COPIES {
            add_method(ctx, class, name, &[], PLAIN, move |zelf, _args, vm| Ok(new_decimal(work(dec_of(zelf)), vm)));
        }
        for (name, work) in PAIRS {
            let parameters = &["other", "context=None"];
            add_method(ctx, class, name, parameters, PLAIN, move |zelf, args, vm| {
                optional_context(args[1].as_ref(), vm)?;
                let other = needed_operand(given(args, 0), vm)?;
                Ok(new_decimal(work(dec_of(zelf), &other), vm))
            });
        }
        add_conversions(ctx, class);
        add_roundings(ctx, class);
    }

    fn add_conversions(ctx: &Context, class: &'static Py<PyType>) {
        let itself = |zelf: &PyObject, _args: &Arguments, _vm: &VirtualMachine| Ok(zelf.to_owned());
        add_method(ctx, class, "canonical", &[], PLAIN, itself);
        add_method(ctx, class, "conjugate", &[], PLAIN, itself);
        add_method(ctx, class, "__copy__", &[], PLAIN, itself);
        add_method(ctx, class, "__deepcopy__", &["memo"], PLAIN, itself);
        add_method(ctx, class, "adjusted", &[], PLAIN, |zelf, _args, vm| {
            let dec = dec_of(zelf);
            let adjusted = if dec.is_finite() { dec.adjusted() } else { 0 };
            Ok(vm.ctx.new_int(adjusted).into())
        });
        add_method(ctx, class, "radix", &[], PLAIN, |_zelf, _args, vm| Ok(new_decimal(Dec::integer(10), vm)));
        add_method(ctx, class, "as_tuple", &[], PLAIN, |zelf, _args, vm| as_tuple(dec_of(zelf), vm));
        add_method(ctx, class, "as_integer_ratio", &[], PLAIN, |zelf, _args, vm| {
            let (numerator, denominator) = ratio(dec_of(zelf), vm)?;
            let int = |value| PyObjectRef::from(vm.ctx.new_bigint(value));
            Ok(vm.ctx.new_tuple(vec![int(&numerator), int(&denominator)]).into())
        });
        add_method(ctx, class, "number_class", &["context=None"], PLAIN, |zelf, args, vm| {
            let context = optional_context(args[0].as_ref(), vm)?;
            Ok(vm.ctx.new_str(dec_of(zelf).class(&context.ctx())).into())
        });
        add_method(ctx, class, "to_eng_string", &["context=None"], PLAIN, |zelf, args, vm| {
            let context = optional_context(args[0].as_ref(), vm)?;
            Ok(vm.ctx.new_str(dec_of(zelf).to_eng(context.capitals.get())).into())
        });
        let parameters = &["other", "context=None"];
        add_method(ctx, class, "same_quantum", parameters, PLAIN, |zelf, args, vm| {
            optional_context(args[1].as_ref(), vm)?;
            let other = needed_operand(given(args, 0), vm)?;
            Ok(vm.ctx.new_bool(dec_of(zelf).same_quantum(&other)).into())
        });
        add_method(ctx, class, "__reduce__", &[], PLAIN, |zelf, _args, vm| {
            let text = vm.ctx.new_tuple(vec![zelf.str(vm)?.into()]);
            Ok(vm.ctx.new_tuple(vec![zelf.class().to_owned().into(), text.into()]).into())
        });
        add_method(ctx, class, "__complex__", &[], PLAIN, |zelf, _args, vm| {
            let value = to_float(dec_of(zelf), vm)?;
            let complex: PyObjectRef = vm.ctx.types.complex_type.to_owned().into();
            complex.call((value,), vm)
        });
        let of_class_flag = PyMethodFlags::CLASS;
        add_method(ctx, class, "from_float", &["f"], of_class_flag, |class, args, vm| {
            let number = given(args, 0);
            if let Some(float) = number.downcast_ref::<PyFloat>() {
                return of_class(class, float_to_dec(float.to_f64()), vm);
            }
            match number.downcast_ref::<PyInt>() {
                Some(int) => of_class(class, big_to_dec(int.as_bigint()), vm),
                None => Err(vm.new_type_error("argument must be int or float")),
            }
        });
        add_method(ctx, class, "from_number", &["number"], of_class_flag, |class, args, vm| {
            from_number(class, given(args, 0), vm)
        });
    }

    /// A number of any class that can say its ratio.
    fn from_number(class: &PyObject, number: &PyObjectRef, vm: &VirtualMachine) -> PyResult {
        if let Some(dec) = operand(number) {
            return of_class(class, Dec::clone(&dec), vm);
        }
        if let Some(float) = number.downcast_ref::<PyFloat>() {
            return of_class(class, float_to_dec(float.to_f64()), vm);
        }
        Err(vm.new_type_error("Cannot convert ".to_owned() + &number.repr(vm)?.to_string_lossy() + " to Decimal"))
    }

    fn as_tuple(dec: &Dec, vm: &VirtualMachine) -> PyResult {
        let int = |value: i64| PyObjectRef::from(vm.ctx.new_int(value));
        let digits = if dec.is_nan() && dec.coeff.is_zero() {
            Vec::new()
        } else {
            dec.coeff.to_digits().bytes().map(|digit| int((digit - b'0').into())).collect()
        };
        let exponent = match dec.kind {
            Kind::Finite => int(dec.exp),
            Kind::Infinite => vm.ctx.new_str("F").into(),
            Kind::Quiet => vm.ctx.new_str("n").into(),
            Kind::Signaling => vm.ctx.new_str("N").into(),
        };
        let digits: PyObjectRef = vm.ctx.new_tuple(digits).into();
        shared().tuple.call((int(dec.negative.into()), digits, exponent), vm)
    }

    fn add_roundings(ctx: &Context, class: &'static Py<PyType>) {
        let parameters = &["exp", "rounding=None", "context=None"];
        add_method(ctx, class, "quantize", parameters, PLAIN, |zelf, args, vm| {
            let context = optional_context(args[2].as_ref(), vm)?;
            let rounding = optional_rounding(args[1].as_ref(), &context, vm)?;
            let other = needed_operand(given(args, 0), vm)?;
            context.run(vm, |ctx| {
                ctx.rounding = rounding;
                ctx.quantize(dec_of(zelf), &other)
            })
        });
        let integrals: [(&'static str, Unary); 3] = [
            ("to_integral", Ctx::to_integral_value),
            ("to_integral_exact", Ctx::to_integral_exact),
            ("to_integral_value", Ctx::to_integral_value),
        ];
        for (name, work) in integrals {
            let parameters = &["rounding=None", "context=None"];
            add_method(ctx, class, name, parameters, PLAIN, move |zelf, args, vm| {
                let context = optional_context(args[1].as_ref(), vm)?;
                let rounding = optional_rounding(args[0].as_ref(), &context, vm)?;
                context.run(vm, |ctx| {
                    ctx.rounding = rounding;
                    work(ctx, dec_of(zelf))
                })
            });
        }
        let parameters = &["other", "third", "context=None"];
        add_method(ctx, class, "fma", parameters, PLAIN, |zelf, args, vm| {
            let context = optional_context(args[2].as_ref(), vm)?;
            let other = needed_operand(given(args, 0), vm)?;
            let third = needed_operand(given(args, 1), vm)?;
            context.run(vm, |ctx| ctx.fma(dec_of(zelf), &other, &third))
        });
        let whole = [("__ceil__", Rounding::Ceiling), ("__floor__", Rounding::Floor), ("__trunc__", Rounding::Down)];
        for (name, rounding) in whole {
            add_method(ctx, class, name, &[], PLAIN, move |zelf, _args, vm| to_int(dec_of(zelf), rounding, vm));
        }
        add_method(ctx, class, "__round__", &["ndigits=None"], PLAIN, |zelf, args, vm| match args[0].as_ref() {
            Some(places) if !vm.is_none(places) => round_to(dec_of(zelf), places, vm),
            _ => to_int(dec_of(zelf), Rounding::HalfEven, vm),
        });
        add_method(ctx, class, "__format__", &["spec"], PLAIN, |zelf, args, vm| {
            let Some(spec) = text_of(given(args, 0)) else {
                return Err(vm.new_type_error("format argument must be str"));
            };
            let context = current(vm)?;
            let invalid = || vm.new_value_error("invalid format string");
            let text = spec.to_str().ok_or_else(invalid)?;
            let spec = Spec::parse(text, context.capitals.get()).ok_or_else(invalid)?;
            match spec.format(dec_of(zelf), &context.ctx()) {
                Some(text) => Ok(vm.ctx.new_str(text).into()),
                None => Err(vm.new_memory_error("")),
            }
        });
    }

    fn optional_rounding(object: Option<&PyObjectRef>, context: &PyContext, vm: &VirtualMachine) -> PyResult<Rounding> {
        match object {
            Some(object) if !vm.is_none(object) => rounding_of(object, vm),
            _ => Ok(context.rounding.get()),
        }
    }

    fn round_to(dec: &Dec, places: &PyObjectRef, vm: &VirtualMachine) -> PyResult {
        let Some(places) = places.downcast_ref::<PyInt>() else {
            return Err(vm.new_type_error("optional arg must be an integer"));
        };
        let places = places
            .as_bigint()
            .to_i64()
            .ok_or_else(|| vm.new_overflow_error("Python int too large to convert to C ssize_t"))?;
        let unit = Dec::finite(false, Int::ONE, places.saturating_neg());
        current(vm)?.run(vm, |ctx| ctx.quantize(dec, &unit))
    }

    /// Bits of conditions that a context and its signal dictionary share.
    #[pyattr]
    #[pyclass(module = "decimal", name = "Bits")]
    #[derive(Debug, PyPayload)]
    pub(super) struct PyBits {
        bits: Rc<Cell<u32>>,
    }

    fn signal_bit(signal: &PyObject, vm: &VirtualMachine) -> PyResult<u32> {
        let shared = shared();
        let found = shared.signals.iter().find(|(_, class)| class.is(signal));
        match found {
            Some((bit, _)) => Ok(*bit),
            None => Err(vm.new_key_error(vm.ctx.new_str("invalid error flag").into())),
        }
    }

    #[pyclass]
    impl PyBits {
        #[pymethod]
        fn get(zelf: &Py<Self>, signal: PyObjectRef, vm: &VirtualMachine) -> PyResult<bool> {
            Ok(zelf.bits.get() & signal_bit(&signal, vm)? != 0)
        }

        #[pymethod]
        fn set(zelf: &Py<Self>, signal: PyObjectRef, on: bool, vm: &VirtualMachine) -> PyResult<()> {
            let bit = signal_bit(&signal, vm)?;
            let bits = zelf.bits.get();
            zelf.bits.set(if on { bits | bit } else { bits & !bit });
            Ok(())
        }
    }

    #[pyattr]
    #[pyclass(module = "decimal", name = "Context")]
    #[derive(Debug, PyPayload)]
    pub(super) struct PyContext {
        prec: Cell<i64>,
        rounding: Cell<Rounding>,
        emin: Cell<i64>,
        emax: Cell<i64>,
        pub(super) capitals: Cell<bool>,
        clamp: Cell<bool>,
        flags: Rc<Cell<u32>>,
        traps: Rc<Cell<u32>>,
        flag_dict: OnceCell<PyObjectRef>,
        trap_dict: OnceCell<PyObjectRef>,
    }

    impl PyContext {
        fn initial() -> Self {
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

        fn duplicate(&self, with_flags: bool) -> Self {
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

        fn div_mod(&self, a: &Dec, b: &Dec, vm: &VirtualMachine) -> PyResult {
            let mut ctx = self.ctx();
            let (quotient, rest) = ctx.div_mod(a, b);
            self.note(ctx.status, vm)?;
            Ok(vm.ctx.new_tuple(vec![new_decimal(quotient, vm), new_decimal(rest, vm)]).into())
        }

        fn dict(place: &OnceCell<PyObjectRef>, bits: &Rc<Cell<u32>>, vm: &VirtualMachine) -> PyResult {
            if let Some(dict) = place.get() {
                return Ok(dict.clone());
            }
            let bits = PyBits { bits: Rc::clone(bits) }.into_ref(&vm.ctx);
            let dict = shared().signal_dict.call((bits,), vm)?;
            Ok(place.get_or_init(|| dict).clone())
        }
    }

    #[cold]
    fn raised(trapped: u32, vm: &VirtualMachine) -> rustpython_vm::builtins::PyBaseExceptionRef {
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

    /// The signals of a list or of a signal dictionary as bits.
    fn bits_of(object: &PyObject, vm: &VirtualMachine) -> PyResult<u32> {
        if let Some(list) = object.downcast_ref::<PyList>() {
            let items = list.borrow_vec().to_vec();
            return items.iter().try_fold(0, |bits, signal| {
                let bit =
                    signal_bit(signal, vm).map_err(|_| vm.new_type_error("values for flags or traps must be signals"));
                Ok(bits | bit?)
            });
        }
        let shared = shared();
        let is_dict = object.downcast_ref::<PyDict>().is_some() || object.class().is(&shared.signal_dict);
        if !is_dict {
            return Err(vm.new_type_error("argument must be a signal dict"));
        }
        let invalid = || vm.new_key_error(vm.ctx.new_str("invalid signal dict").into());
        if object.length(vm)? != shared.signals.len() {
            return Err(invalid());
        }
        let mut bits = 0;
        for (bit, signal) in &shared.signals {
            let value = object.get_item(signal.as_object(), vm).map_err(|_| invalid())?;
            if value.try_to_bool(vm)? {
                bits |= bit;
            }
        }
        Ok(bits)
    }

    fn int_in(object: &PyObject, low: i64, high: i64, message: &str, vm: &VirtualMachine) -> PyResult<i64> {
        let Some(int) = object.downcast_ref::<PyInt>() else {
            let class = class_name(object);
            return Err(vm.new_type_error(format!("integer argument expected, got {class}")));
        };
        match int.as_bigint().to_i64() {
            Some(value) if (low..=high).contains(&value) => Ok(value),
            Some(_) => Err(vm.new_value_error(message.to_owned())),
            None => Err(vm.new_overflow_error("Python int too large to convert to C ssize_t")),
        }
    }

    impl Constructor for PyContext {
        type Args = FuncArgs;

        fn py_new(_cls: &Py<PyType>, args: FuncArgs, vm: &VirtualMachine) -> PyResult<Self> {
            let names = ["prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps"];
            let args = bind("Context", &names, 0, args, vm)?;
            let context = shared().default.duplicate(false);
            for (name, value) in names.iter().zip(args) {
                if let Some(value) = value
                    && !vm.is_none(&value)
                {
                    context.set(name, &value, vm)?;
                }
            }
            Ok(context)
        }
    }

    impl PyContext {
        fn set(&self, name: &str, value: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
            match name {
                "prec" => {
                    let message = "valid range for prec is [1, MAX_PREC]";
                    self.prec.set(int_in(value, 1, MAX_PREC, message, vm)?);
                }
                "rounding" => self.rounding.set(rounding_of(value, vm)?),
                "Emin" => {
                    let message = "valid range for Emin is [MIN_EMIN, 0]";
                    self.emin.set(int_in(value, MIN_EMIN, 0, message, vm)?);
                }
                "Emax" => {
                    let message = "valid range for Emax is [0, MAX_EMAX]";
                    self.emax.set(int_in(value, 0, MAX_EMAX, message, vm)?);
                }
                "capitals" => {
                    let message = "valid values for capitals are [0, 1]";
                    self.capitals.set(int_in(value, 0, 1, message, vm)? == 1);
                }
                "clamp" => {
                    let message = "valid values for clamp are [0, 1]";
                    self.clamp.set(int_in(value, 0, 1, message, vm)? == 1);
                }
                "flags" => self.flags.set(bits_of(value, vm)?),
                _ => self.traps.set(bits_of(value, vm)?),
            }
            Ok(())
        }

        fn set_or_delete(&self, name: &str, value: PySetterValue<PyObjectRef>, vm: &VirtualMachine) -> PyResult<()> {
            match value {
                PySetterValue::Assign(value) => self.set(name, &value, vm),
                PySetterValue::Delete => Err(vm.new_attribute_error("context attributes cannot be deleted")),
            }
        }
    }

    impl Representable for PyContext {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            let shared = shared();
            let list = |bits: u32| {
                let named: Vec<String> = shared
                    .signals
                    .iter()
                    .filter(|(bit, _)| bit & bits != 0)
                    .map(|(_, class)| class.name().to_string())
                    .collect();
                format!("[{}]", named.join(", "))
            };
            Ok(format!(
                "Context(prec={}, rounding={}, Emin={}, Emax={}, capitals={}, clamp={}, flags={}, traps={})",
                zelf.prec.get(),
                zelf.rounding.get().name(),
                zelf.emin.get(),
                zelf.emax.get(),
                i32::from(zelf.capitals.get()),
                i32::from(zelf.clamp.get()),
                list(zelf.flags.get()),
                list(zelf.traps.get()),
            ))
        }
    }

    type Setter = PySetterValue<PyObjectRef>;

    #[pyclass(with(Constructor, Representable), flags(BASETYPE))]
    impl PyContext {
        #[pygetset]
        fn prec(zelf: &Py<Self>) -> i64 {
            zelf.prec.get()
        }
        #[pygetset(setter)]
        fn set_prec(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("prec", value, vm)
        }
        #[pygetset]
        fn rounding(zelf: &Py<Self>) -> &'static str {
            zelf.rounding.get().name()
        }
        #[pygetset(setter)]
        fn set_rounding(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("rounding", value, vm)
        }
        #[pygetset(name = "Emin")]
        fn emin(zelf: &Py<Self>) -> i64 {
            zelf.emin.get()
        }
        #[pygetset(name = "Emin", setter)]
        fn set_emin(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("Emin", value, vm)
        }
        #[pygetset(name = "Emax")]
        fn emax(zelf: &Py<Self>) -> i64 {
            zelf.emax.get()
        }
        #[pygetset(name = "Emax", setter)]
        fn set_emax(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("Emax", value, vm)
        }
        #[pygetset]
        fn capitals(zelf: &Py<Self>) -> i32 {
            zelf.capitals.get().into()
        }
        #[pygetset(setter)]
        fn set_capitals(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("capitals", value, vm)
        }
        #[pygetset]
        fn clamp(zelf: &Py<Self>) -> i32 {
            zelf.clamp.get().into()
        }
        #[pygetset(setter)]
        fn set_clamp(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("clamp", value, vm)
        }
        #[pygetset]
        fn flags(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            Self::dict(&zelf.flag_dict, &zelf.flags, vm)
        }
        #[pygetset(setter)]
        fn set_flags(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("flags", value, vm)
        }
        #[pygetset]
        fn traps(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            Self::dict(&zelf.trap_dict, &zelf.traps, vm)
        }
        #[pygetset(setter)]
        fn set_traps(zelf: &Py<Self>, value: Setter, vm: &VirtualMachine) -> PyResult<()> {
            zelf.set_or_delete("traps", value, vm)
        }

        #[extend_class]
        fn extend_class(ctx: &Context, class: &'static Py<PyType>) {
            add_context_methods(ctx, class);
        }
    }

    fn context_of(zelf: &PyObject) -> &Py<PyContext> {
        zelf.downcast_ref().expect("methods look at the class first")
    }

    fn add_context_methods(ctx: &Context, class: &'static Py<PyType>) {
        for (name, work) in UNARY.into_iter().chain(CONTEXT_UNARY) {
            add_method(ctx, class, name, &["x"], PLAIN, move |zelf, args, vm| {
                let x = needed_operand(given(args, 0), vm)?;
                context_of(zelf).run(vm, |ctx| work(ctx, &x))
            });
        }
        for (name, work) in BINARY.into_iter().chain(CONTEXT_BINARY) {
            add_method(ctx, class, name, &["x", "y"], PLAIN, move |zelf, args, vm| {
                let x = needed_operand(given(args, 0), vm)?;
                let y = needed_operand(given(args, 1), vm)?;
                context_of(zelf).run(vm, |ctx| work(ctx, &x, &y))
            });
        }
        for (name, work) in QUESTIONS {
            add_method(ctx, class, name, &["x"], PLAIN, move |_zelf, args, vm| {
                let x = given(args, 0);
                if name == "is_canonical" && !x.fast_isinstance(decimal_class()) {
                    return Err(vm.new_type_error("argument must be a Decimal"));
                }
                Ok(vm.ctx.new_bool(work(&*needed_operand(x, vm)?)).into())
            });
        }
        for (name, work) in CONTEXT_QUESTIONS {
            add_method(ctx, class, name, &["x"], PLAIN, move |zelf, args, vm| {
                let x = needed_operand(given(args, 0), vm)?;
                Ok(vm.ctx.new_bool(work(&x, &context_of(zelf).ctx())).into())
            });
        }
        for (name, work) in COPIES {
            add_method(ctx, class, name, &["x"], PLAIN, move |_zelf, args, vm| {
                let x = needed_operand(given(args, 0), vm)?;
                Ok(new_decimal(work(&x), vm))
            });
        }
        for (name, work) in PAIRS {
            add_method(ctx, class, name, &["x", "y"], PLAIN, move |_zelf, args, vm| {
                let x = needed_operand(given(args, 0), vm)?;
                let y = needed_operand(given(args, 1), vm)?;
                Ok(new_decimal(work(&x, &y), vm))
            });
        }
        add_context_arithmetic(ctx, class);
        add_context_texts(ctx, class);
        add_context_state(ctx, class);
    }

    fn add_context_arithmetic(ctx: &Context, class: &'static Py<PyType>) {
        add_method(ctx, class, "divmod", &["x", "y"], PLAIN, |zelf, args, vm| {
            let x = needed_operand(given(args, 0), vm)?;
            let y = needed_operand(given(args, 1), vm)?;
            context_of(zelf).div_mod(&x, &y, vm)
        });
        add_method(ctx, class, "fma", &["x", "y", "z"], PLAIN, |zelf, args, vm| {
            let x = needed_operand(given(args, 0), vm)?;
            let y = needed_operand(given(args, 1), vm)?;
            let z = needed_operand(given(args, 2), vm)?;
            context_of(zelf).run(vm, |ctx| ctx.fma(&x, &y, &z))
        });
        add_method(ctx, class, "power", &["a", "b", "modulo=None"], PLAIN, |zelf, args, vm| {
            let a = needed_operand(given(args, 0), vm)?;
            let b = needed_operand(given(args, 1), vm)?;
            match args[2].as_ref() {
                Some(modulus) if !vm.is_none(modulus) => {
                    let modulus = needed_operand(modulus, vm)?;
                    context_of(zelf).run(vm, |ctx| ctx.pow_mod(&a, &b, &modulus))
                }
                _ => context_of(zelf).run(vm, |ctx| ctx.pow(&a, &b)),
            }
        });
        add_method(ctx, class, "same_quantum", &["x", "y"], PLAIN, |_zelf, args, vm| {
            let x = needed_operand(given(args, 0), vm)?;
            let y = needed_operand(given(args, 1), vm)?;
            Ok(vm.ctx.new_bool(x.same_quantum(&y)).into())
        });
        add_method(ctx, class, "copy_decimal", &["x"], PLAIN, |_zelf, args, vm| {
            let x = given(args, 0);
            if x.fast_isinstance(decimal_class()) {
                return Ok(x.clone());
            }
            Ok(new_decimal(Dec::clone(&*needed_operand(x, vm)?), vm))
        });
        add_method(ctx, class, "canonical", &["x"], PLAIN, |_zelf, args, vm| {
            let x = given(args, 0);
            if !x.fast_isinstance(decimal_class()) {
                return Err(vm.new_type_error("argument must be a Decimal"));
            }
            Ok(x.clone())
        });
        add_method(ctx, class, "radix", &[], PLAIN, |_zelf, _args, vm| Ok(new_decimal(Dec::integer(10), vm)));
    }

    fn add_context_texts(ctx: &Context, class: &'static Py<PyType>) {
        add_method(ctx, class, "number_class", &["x"], PLAIN, |zelf, args, vm| {
            let x = needed_operand(given(args, 0), vm)?;
            Ok(vm.ctx.new_str(x.class(&context_of(zelf).ctx())).into())
        });
        let texts: [(&'static str, fn(&Dec, bool) -> String); 2] =
            [("to_sci_string", Dec::to_sci), ("to_eng_string", Dec::to_eng)];
        for (name, work) in texts {
            add_method(ctx, class, name, &["x"], PLAIN, move |zelf, args, vm| {
                let x = needed_operand(given(args, 0), vm)?;
                Ok(vm.ctx.new_str(work(&x, context_of(zelf).capitals.get())).into())
            });
        }
        let parameters = &["num=\"0\""];
        add_method(ctx, class, "create_decimal", parameters, PLAIN, |zelf, args, vm| {
            let context = context_of(zelf);
            match args[0].as_ref() {
                Some(number) => create_decimal(context, number, vm),
                None => Ok(new_decimal(Dec::integer(0), vm)),
            }
        });
        add_method(ctx, class, "create_decimal_from_float", &["f"], PLAIN, |zelf, args, vm| {
            let number = given(args, 0);
            let dec = if let Some(float) = number.downcast_ref::<PyFloat>() {
                float_to_dec(float.to_f64())
            } else if let Some(int) = number.downcast_ref::<PyInt>() {
                big_to_dec(int.as_bigint())
            } else {
                return Err(vm.new_type_error("argument must be int or float"));
            };
            context_of(zelf).run(vm, |ctx| ctx.finish(dec))
        });
    }

    /// A number rounded to a context.
    fn create_decimal(context: &PyContext, number: &PyObject, vm: &VirtualMachine) -> PyResult {
        let dec = match text_of(number) {
            Some(text) => {
                let text = text.to_str().and_then(|text| ascii_text(text, false));
                return context.run(vm, |ctx| match text.and_then(|text| super::super::text::parse(&text)) {
                    Some(dec) => create(ctx, dec),
                    None => ctx.signal(CONVERSION_SYNTAX),
                });
            }
            None => exact(number, context, vm)?,
        };
        context.run(vm, |ctx| create(ctx, dec))
    }

    fn create(ctx: &mut Ctx, dec: Dec) -> Dec {
        if dec.is_nan() {
            // A payload that is too long is an error, not cut.
            let room = ctx.prec - i64::from(ctx.clamp);
            let fits = dec.coeff.is_zero() || dec.digits() <= room;
            return if fits { dec } else { ctx.signal(CONVERSION_SYNTAX) };
        }
        ctx.finish(dec)
    }

    fn add_context_state(ctx: &Context, class: &'static Py<PyType>) {
        let numbers: [(&'static str, fn(&Ctx) -> i64); 2] = [("Etiny", Ctx::etiny), ("Etop", Ctx::etop)];
        for (name, work) in numbers {
            add_method(ctx, class, name, &[], PLAIN, move |zelf, _args, vm| {
                Ok(vm.ctx.new_int(work(&context_of(zelf).ctx())).into())
            });
        }
        for name in ["copy", "__copy__"] {
            add_method(ctx, class, name, &[], PLAIN, |zelf, _args, vm| {
                Ok(context_of(zelf).duplicate(true).into_ref(&vm.ctx).into())
            });
        }
        add_method(ctx, class, "clear_flags", &[], PLAIN, |zelf, _args, vm| {
            context_of(zelf).flags.set(0);
            Ok(vm.ctx.none())
        });
        add_method(ctx, class, "clear_traps", &[], PLAIN, |zelf, _args, vm| {
            context_of(zelf).traps.set(0);
            Ok(vm.ctx.none())
        });
        add_method(ctx, class, "__reduce__", &[], PLAIN, |zelf, _args, vm| {
            let context = context_of(zelf);
            let list = |bits: u32| -> PyObjectRef {
                let named = shared()
                    .signals
                    .iter()
                    .filter(|(bit, _)| bit & bits != 0)
                    .map(|(_, class)| class.clone().into())
                    .collect();
                vm.ctx.new_list(named).into()
            };
            let int = |value: i64| PyObjectRef::from(vm.ctx.new_int(value));
            let values: PyTupleRef = vm.ctx.new_tuple(vec![
                int(context.prec.get()),
                vm.ctx.new_str(context.rounding.get().name()).into(),
                int(context.emin.get()),
                int(context.emax.get()),
                int(context.capitals.get().into()),
                int(context.clamp.get().into()),
                list(context.flags.get()),
                list(context.traps.get()),
            ]);
            Ok(vm.ctx.new_tuple(vec![zelf.class().to_owned().into(), values.into()]).into())
        });
    }
}

/// The value of a decimal digit of any script.
fn digit_value(c: char) -> Option<u8> {
    rustpython_common::str::char_to_decimal(c)
}
