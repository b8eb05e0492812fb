//! Plain data: equality as Python has it, and the text that `repr` gives.
//!
//! Both are decided here, on the host, over what the guest encoded: a program has no say in them.

use std::cmp::Ordering;

pub use azr_wire::{Int, Value};
use num_bigint::{BigInt, Sign};
use rustpython_literal::escape::{AsciiEscape, UnicodeEscape};
use rustpython_wtf8::Wtf8;

use crate::unicode::is_assigned_later;

/// When two values are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Equality {
    /// Whether `1`, `1.0` and `True` differ, and a set from a frozenset. Python's `==` says no.
    pub strict: bool,
    /// Floats this far apart, relative to the larger, are the same; 0 compares exactly. Infinity is only ever
    /// itself. Applies to the
    /// elements of lists and tuples and the values of dicts, not to dict keys or elements of sets.
    pub tolerance: f64,
}

impl Equality {
    /// Python's `==`.
    pub const PYTHON: Self = Self { strict: false, tolerance: 0.0 };
    /// Python's `==` between values of the same types.
    pub const STRICT: Self = Self { strict: true, tolerance: 0.0 };

    /// Whether `a` and `b` are the same value.
    #[must_use]
    pub fn holds(self, a: &Value, b: &Value) -> bool {
        if self.strict && std::mem::discriminant(a) != std::mem::discriminant(b) {
            return false;
        }
        let all = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.holds(a, b));
        match (a, b) {
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => all(a, b),
            (Value::Dict(a), Value::Dict(b)) => {
                let (a, b) = (self.sorted_pairs(a), self.sorted_pairs(b));
                a.len() == b.len() && a.iter().zip(&b).all(|((ka, va), (kb, vb))| ka == kb && self.holds(va, vb))
            }
            (Value::Set(a) | Value::FrozenSet(a), Value::Set(b) | Value::FrozenSet(b)) => {
                self.sorted_keys(a) == self.sorted_keys(b)
            }
            (Value::Str(a), Value::Str(b)) | (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::None, Value::None) => true,
            _ => match (number(a), number(b)) {
                (Some(a), Some(b)) => a == b || self.is_close(&a, &b),
                _ => false,
            },
        }
    }

    fn is_close(self, a: &Number, b: &Number) -> bool {
        // Infinity times a tolerance is infinity again: it is near nothing but itself.
        let close = |a: f64, b: f64| {
            a == b || a.is_finite() && b.is_finite() && (a - b).abs() <= self.tolerance * a.abs().max(b.abs())
        };
        match (a.floats(), b.floats()) {
            _ if self.tolerance == 0.0 => false,
            (Some((ar, ai)), Some((br, bi))) => close(ar, br) && close(ai, bi),
            _ => false,
        }
    }

    /// A key's bytes: equal for keys that are equal in this mode.
    fn key(self, value: &Value) -> Vec<u8> {
        if self.strict { unsigned_zeros(value).encode() } else { normal(value).encode() }
    }

    fn sorted_keys(self, items: &[Value]) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> = items.iter().map(|item| self.key(item)).collect();
        keys.sort_unstable();
        keys
    }

    fn sorted_pairs(self, pairs: &[(Value, Value)]) -> Vec<(Vec<u8>, &Value)> {
        let mut pairs: Vec<_> = pairs.iter().map(|(key, value)| (self.key(key), value)).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs
    }
}

/// A number by its value, whatever its type: exact integers stay exact.
#[derive(PartialEq)]
enum Number {
    Int(Int),
    Float(f64),
    Complex(f64, f64),
}

impl Number {
    /// Real and imaginary part, when this is not an integer: those are compared exactly.
    fn floats(&self) -> Option<(f64, f64)> {
        match self {
            Self::Int(int) => int.to_i64().map(|int| (int as f64, 0.0)),
            Self::Float(float) => Some((*float, 0.0)),
            Self::Complex(real, imaginary) => Some((*real, *imaginary)),
        }
    }
}

fn number(value: &Value) -> Option<Number> {
    Some(match value {
        Value::Bool(flag) => Number::Int(Int::from(i64::from(*flag))),
        Value::Int(int) => Number::Int(int.clone()),
        Value::Float(float) => float_number(*float),
        Value::Complex(real, 0.0) => float_number(*real),
        Value::Complex(real, imaginary) => Number::Complex(*real, *imaginary),
        _ => return None,
    })
}

/// A float that is a whole number is that integer, exactly.
fn float_number(float: f64) -> Number {
    if !float.is_finite() || float.fract() != 0.0 {
        return Number::Float(float);
    }
    if float == 0.0 {
        return Number::Int(Int::default());
    }
    let bits = float.to_bits();
    let exponent = (bits >> 52 & 0x7ff).cast_signed() - 1075;
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let magnitude =
        if exponent >= 0 { BigInt::from(mantissa) << exponent } else { BigInt::from(mantissa >> -exponent) };
    Number::Int(Int::from_parts(float < 0.0, magnitude.magnitude().to_bytes_le()))
}

/// The value with every number in one form and sets of one kind: equal bytes for what `==` calls equal.
fn normal(value: &Value) -> Value {
    let all = |items: &[Value]| items.iter().map(normal).collect();
    match value {
        Value::Tuple(items) => Value::Tuple(all(items)),
        Value::List(items) => Value::List(all(items)),
        Value::Set(items) | Value::FrozenSet(items) => Value::FrozenSet(all(items)),
        _ => match number(value) {
            Some(Number::Int(int)) => Value::Int(int),
            Some(Number::Float(float)) => Value::Float(float),
            Some(Number::Complex(real, imaginary)) => unsigned_zeros(&Value::Complex(real, imaginary)),
            None => value.clone(),
        },
    }
}

/// The value with 0.0 for every -0.0, which equals it.
fn unsigned_zeros(value: &Value) -> Value {
    let all = |items: &[Value]| items.iter().map(unsigned_zeros).collect();
    match value {
        Value::Float(float) => Value::Float(float + 0.0),
        Value::Complex(real, imaginary) => Value::Complex(real + 0.0, imaginary + 0.0),
        Value::Tuple(items) => Value::Tuple(all(items)),
        Value::FrozenSet(items) => Value::FrozenSet(all(items)),
        _ => value.clone(),
    }
}

/// Bytes of an integer beyond which its text is hexadecimal: decimal digits take time that grows with their square.
const DECIMAL_BYTES: usize = 64 << 10;

/// The text that Python's `repr` gives, with the elements of sets in one fixed order. An integer of more than 64 KiB,
/// some 158,000 digits, is written in hexadecimal, so that the time is linear in the value's size.
#[must_use]
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(int) => {
            let sign = if int.is_negative() { Sign::Minus } else { Sign::Plus };
            let number = BigInt::from_bytes_le(sign, int.magnitude());
            *out += &if int.magnitude().len() > DECIMAL_BYTES { format!("{number:#x}") } else { number.to_string() };
        }
        Value::Float(float) => *out += &rustpython_literal::float::to_string(*float),
        Value::Complex(real, imaginary) => {
            *out += &rustpython_literal::complex::to_string(*real, *imaginary);
        }
        Value::Str(text) => write_str(text, out),
        Value::Bytes(bytes) => {
            *out += &AsciiEscape::new_repr(bytes)
                .bytes_repr()
                .to_string()
                .expect("escaped bytes of a string in memory fit in memory");
        }
        Value::List(items) => write_items("[", items, "]", out),
        Value::Tuple(items) if items.len() == 1 => write_items("(", items, ",)", out),
        Value::Tuple(items) => write_items("(", items, ")", out),
        Value::Dict(pairs) => {
            out.push('{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(key, out);
                out.push_str(": ");
                write(value, out);
            }
            out.push('}');
        }
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => write_items("{", &ordered(items), "}", out),
        Value::FrozenSet(items) if items.is_empty() => out.push_str("frozenset()"),
        Value::FrozenSet(items) => write_items("frozenset({", &ordered(items), "})", out),
    }
}

fn write_items(open: &str, items: &[Value], close: &str, out: &mut String) {
    out.push_str(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push_str(close);
}

/// A set's elements: numbers by size, then the rest by their bytes.
fn ordered(items: &[Value]) -> Vec<Value> {
    let size = |value: &Value| match number(value)? {
        Number::Int(int) => int.to_i64().map(|int| int as f64),
        Number::Float(float) => Some(float),
        Number::Complex(..) => None,
    };
    let mut items = items.to_vec();
    items.sort_by_cached_key(Value::encode);
    items.sort_by(|a, b| match (size(a), size(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    items
}

fn write_str(text: &[u8], out: &mut String) {
    match Wtf8::from_bytes(text) {
        Some(text) => {
            let escaped = UnicodeEscape::new_repr(text).str_repr().to_string();
            for character in escaped.expect("escaped text of a string in memory fits in memory").chars() {
                match u32::from(character) {
                    _ if !is_assigned_later(character) => out.push(character),
                    code @ ..0x1_0000 => *out += &format!("\\u{code:04x}"),
                    code => *out += &format!("\\U{code:08x}"),
                }
            }
        }
        None => out.push_str("<text that is not WTF-8>"),
    }
}
