//! The class `Context`, and the bits that its signal dictionaries show.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use num_traits::ToPrimitive;
use rustpython_vm::builtins::{PyBaseExceptionRef, PyDict, PyFloat, PyInt, PyList, PyTupleRef, PyType, PyTypeRef};
use rustpython_vm::function::{FuncArgs, PySetterValue};
use rustpython_vm::types::{Constructor, Representable};
use rustpython_vm::{
    AsObject, Context, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass,
};

use super::convert::{ascii_text, big_to_dec, exact, float_to_dec, needed_operand};
use super::methods::{PLAIN, add_method, bind, class_name, given, text_of};
use super::number::{Ctx, Dec, MAX_EMAX, MAX_PREC, MIN_EMIN, Rounding, condition::*};
use super::objects::{PyBits, PyContext, decimal_class, new_decimal, optional_context, shared};
use super::tables::{BINARY, CONTEXT_BINARY, CONTEXT_QUESTIONS, CONTEXT_UNARY, COPIES, PAIRS, QUESTIONS, UNARY};

pub(super) fn rounding_of(object: &PyObject, vm: &VirtualMachine) -> PyResult<Rounding> {
    text_of(object).and_then(|text| Rounding::named(text.to_str()?)).ok_or_else(|| {
        vm.new_type_error(
            "valid values for rounding are:\n  \
             [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   \
             ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   \
             ROUND_05UP]",
        )
    })
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

/// The signals of a list or of a signal dictionary as bits.
fn bits_of(object: &PyObject, vm: &VirtualMachine) -> PyResult<u32> {
    if let Some(list) = object.downcast_ref::<PyList>() {
        let items = list.borrow_vec().to_vec();
        return items.iter().try_fold(0, |bits, signal| {
            let known = "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   \
                         Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]";
            let bit = signal_bit(signal, vm).map_err(|_| vm.new_key_error(vm.ctx.new_str(known).into()));
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
        return Err(vm.new_type_error("an integer is required"));
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
            // A list of signals is for the constructor alone.
            PySetterValue::Assign(value) if is_list_of_signals(name, &value) => {
                Err(vm.new_type_error("argument must be a signal dict"))
            }
            PySetterValue::Assign(value) => self.set(name, &value, vm),
            PySetterValue::Delete => Err(vm.new_attribute_error("context attributes cannot be deleted")),
        }
    }
}

/// The order in which a context shows its signals: that of libmpdec's bits.
const SHOWN: [u32; 9] =
    [CLAMPED, INVALID, DIVISION_BY_ZERO, INEXACT, FLOAT_OPERATION, OVERFLOW, ROUNDED, SUBNORMAL, UNDERFLOW];

impl Representable for PyContext {
    fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        let shared = shared();
        let list = |bits: u32| {
            let named: Vec<String> = SHOWN
                .iter()
                .filter(|bit| *bit & bits != 0)
                .flat_map(|bit| shared.signals.iter().find(|(signal, _)| signal == bit))
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
    add_apply(ctx, class);
}

fn add_apply(ctx: &Context, class: &'static Py<PyType>) {
    add_method(ctx, class, "_apply", &["x"], PLAIN, |zelf, args, vm| {
        let x = needed_operand(given(args, 0), vm)?;
        context_of(zelf).run(vm, |ctx| ctx.finish(Dec::clone(&x)))
    });
}

/// A number rounded to a context.
fn create_decimal(context: &PyContext, number: &PyObject, vm: &VirtualMachine) -> PyResult {
    let dec = match text_of(number) {
        Some(text) => {
            let text = text.to_str().and_then(|text| ascii_text(text, false));
            return context.run(vm, |ctx| match text.and_then(|text| super::text::parse(&text)) {
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

fn is_list_of_signals(name: &str, value: &PyObject) -> bool {
    matches!(name, "flags" | "traps") && value.downcast_ref::<PyList>().is_some()
}
