//! Numbers of other classes as decimals, and decimals as those.

use malachite_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive};
use rustpython_vm::builtins::{PyBaseExceptionRef, PyFloat, PyInt, PyList, PyTuple};
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::int::{Int, has_room};
use super::methods::{class_name, text_of};
use super::number::{Ctx, Dec, Kind, MAX_EMAX, Rounding, condition::*};
use super::objects::{PyContext, PyDecimal};

pub(super) fn big_to_dec(value: &BigInt) -> Dec {
    match value.to_i64() {
        Some(small) => Dec::integer(small),
        None => Dec::finite(value.is_negative(), value.magnitude().clone().into(), 0),
    }
}

/// A number that an operation takes without being asked to convert: a decimal or an integer.
pub(super) enum Operand<'a> {
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

pub(super) fn operand(object: &PyObject) -> Option<Operand<'_>> {
    if let Some(decimal) = object.downcast_ref::<PyDecimal>() {
        return Some(Operand::Given(&decimal.dec));
    }
    object.downcast_ref::<PyInt>().map(|int| Operand::Made(big_to_dec(int.as_bigint())))
}

pub(super) fn needed_operand<'a>(object: &'a PyObject, vm: &VirtualMachine) -> PyResult<Operand<'a>> {
    operand(object).ok_or_else(|| not_supported(object, vm))
}

fn not_supported(object: &PyObject, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let class = class_name(object);
    vm.new_type_error(format!("conversion from {class} to Decimal is not supported"))
}

pub(super) fn float_to_dec(value: f64) -> Dec {
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
pub(super) fn ascii_text(text: &str, lenient: bool) -> Option<String> {
    let text = if lenient { text.trim_matches(is_space) } else { text };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if lenient && c == '_' {
            continue;
        }
        if c.is_ascii() {
            out.push(c);
        } else {
            let digit = digit_value(c)?;
            out.push(char::from(b'0' + digit));
        }
    }
    Some(out)
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The exact value of an object, as `Decimal(object)` has it.
pub(super) fn exact(object: &PyObject, context: &PyContext, vm: &VirtualMachine) -> PyResult<Dec> {
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

/// What conversions to integers say of numbers that are none.
fn check_finite(dec: &Dec, what: &str, vm: &VirtualMachine) -> PyResult<()> {
    match dec.kind {
        Kind::Finite => Ok(()),
        Kind::Infinite => Err(vm.new_overflow_error(format!("cannot convert Infinity to {what}"))),
        _ => Err(vm.new_value_error(format!("cannot convert NaN to {what}"))),
    }
}

pub(super) fn to_int(dec: &Dec, rounding: Rounding, vm: &VirtualMachine) -> PyResult {
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

pub(super) fn to_float(dec: &Dec, vm: &VirtualMachine) -> PyResult<f64> {
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

pub(super) fn ratio(dec: &Dec, vm: &VirtualMachine) -> PyResult<(BigInt, BigInt)> {
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

/// The value of a decimal digit of any script.
fn digit_value(c: char) -> Option<u8> {
    rustpython_common::str::char_to_decimal(c)
}
