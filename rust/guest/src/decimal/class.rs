//! The class `Decimal`.

use std::cell::Cell;

use num_traits::ToPrimitive;
use rustpython_vm::builtins::{PyComplex, PyFloat, PyInt, PyStrRef, PyType, PyTypeRef};
use rustpython_vm::class::StaticType;
use rustpython_vm::function::{FuncArgs, PyComparisonValue, PyMethodFlags};
use rustpython_vm::protocol::{PyNumber, PyNumberMethods};
use rustpython_vm::types::{AsNumber, Comparable, Constructor, Hashable, PyComparisonOp, Representable};
use rustpython_vm::{
    AsObject, Context, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass,
};

use super::context::rounding_of;
use super::convert::{Operand, big_to_dec, exact, float_to_dec, needed_operand, operand, ratio, to_float, to_int};
use super::int::Int;
use super::methods::{Arguments, PLAIN, add_method, bind, given, text_of};
use super::number::{Ctx, Dec, Kind, Rounding, condition::*};
use super::objects::{Hash, PyContext, PyDecimal, current, decimal_class, new_decimal, optional_context, shared};
use super::tables::{BINARY, CONTEXT_QUESTIONS, COPIES, PAIRS, QUESTIONS, UNARY, Unary};
use super::text::Spec;

/// The number of a `Decimal`, or of a method's own object.
fn dec_of(object: &PyObject) -> &Dec {
    &object.downcast_ref::<PyDecimal>().expect("methods look at the class first").dec
}

/// An instance of `Decimal` itself, or of a subclass through its constructor.
fn of_class(class: &PyObject, dec: Dec, vm: &VirtualMachine) -> PyResult {
    let decimal = new_decimal(dec, vm);
    if class.is(decimal_class()) { Ok(decimal) } else { class.call((decimal,), vm) }
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
    let scaled = if a.is_finite() { Dec { coeff: a.coeff.mul(&denominator.coeff), ..a.clone() } } else { a.clone() };
    Ok(Some((Operand::Made(scaled), Operand::Made(numerator))))
}

impl Comparable for PyDecimal {
    fn cmp(zelf: &Py<Self>, other: &PyObject, op: PyComparisonOp, vm: &VirtualMachine) -> PyResult<PyComparisonValue> {
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
        add_method(ctx, class, name, &[], PLAIN, move |zelf, _args, vm| Ok(vm.ctx.new_bool(work(dec_of(zelf))).into()));
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
