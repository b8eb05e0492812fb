//! Literals: plain data written down, read without running anything.
//!
//! What `ast.literal_eval` takes, and besides every text that `repr` gives for plain data: `set()`,
//! `frozenset({1})`, `inf`, `-inf`, and `float('inf')`.

use core::cell::OnceCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use azr_wire::{Int, Literal, MAX_DEPTH, Value};
use ruff_python_ast::{Expr, Number, Operator, StringLiteralValue, UnaryOp};
use ruff_python_parser::parse_expression;
use ruff_source_file::{SourceFile, SourceFileBuilder};
use rustpython_codegen::string_literal_value;

/// What is wrong with a text that holds a NUL: the Python package hands over a lone surrogate as one.
pub(crate) const NO_SOURCE: &str = "source code cannot contain null bytes or lone surrogates";

/// Parses `text` as a literal whose encoding takes at most `bytes`.
pub(crate) fn parse(text: &str, bytes: usize) -> Literal {
    let text = text.trim();
    if text.contains('\0') {
        return Literal::Invalid(NO_SOURCE.to_owned());
    }
    let parsed = match parse_expression(text) {
        Ok(parsed) => parsed,
        Err(error) => return Literal::Invalid(error.error.to_string()),
    };
    match (Reader { source: text, file: OnceCell::new() }).value(parsed.expr(), 0) {
        Ok(value) if value.encode().len() <= bytes => Literal::Value(value),
        Ok(_) => Literal::Invalid(format!("larger than {bytes} bytes")),
        Err(why) => Literal::Invalid(why),
    }
}

/// Reads the literals of one text.
struct Reader<'a> {
    source: &'a str,
    /// The text as the compiler has it: made for the rare string that has to be read again.
    file: OnceCell<SourceFile>,
}

impl Reader<'_> {
    fn text(&self, literal: &StringLiteralValue) -> Value {
        let text = literal.to_str();
        // The parser puts this in the place of a lone surrogate.
        if !text.contains(char::REPLACEMENT_CHARACTER) {
            return Value::Str(text.as_bytes().to_vec());
        }
        let file = self.file.get_or_init(|| SourceFileBuilder::new("<literal>", self.source).finish());
        Value::Str(string_literal_value(file, literal).into_bytes())
    }

    fn value(&self, expr: &Expr, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        let items = |exprs: &[Expr]| -> Result<Vec<Value>, String> {
            exprs.iter().map(|item| self.value(item, depth + 1)).collect()
        };
        Ok(match expr {
            Expr::NoneLiteral(_) => Value::None,
            Expr::BooleanLiteral(literal) => Value::Bool(literal.value),
            Expr::StringLiteral(literal) => self.text(&literal.value),
            Expr::BytesLiteral(literal) => Value::Bytes(literal.value.bytes().collect()),
            Expr::NumberLiteral(literal) => number(&literal.value)?,
            Expr::UnaryOp(unary) => match (unary.op, self.value(&unary.operand, depth + 1)?) {
                (UnaryOp::UAdd, number @ (Value::Int(_) | Value::Float(_) | Value::Complex(..))) => number,
                (UnaryOp::USub, Value::Int(int)) => {
                    Value::Int(Int::from_parts(!int.is_negative(), int.magnitude().to_vec()))
                }
                (UnaryOp::USub, Value::Float(float)) => Value::Float(-float),
                (UnaryOp::USub, Value::Complex(real, imaginary)) => Value::Complex(-real, -imaginary),
                _ => return Err("an operator on something else than a number".to_owned()),
            },
            Expr::BinOp(binary) => {
                // A complex number is written as a sum; its parts may be of any sign.
                let real = real(self.value(&binary.left, depth + 1)?)?;
                let Value::Complex(0.0, imaginary) = self.value(&binary.right, depth + 1)? else {
                    return Err("a sum that is not a complex number".to_owned());
                };
                match binary.op {
                    Operator::Add => Value::Complex(real, imaginary),
                    Operator::Sub => Value::Complex(real, -imaginary),
                    _ => return Err("an operation".to_owned()),
                }
            }
            Expr::List(list) => Value::List(items(&list.elts)?),
            Expr::Tuple(tuple) => Value::Tuple(items(&tuple.elts)?),
            Expr::Set(set) => Value::Set(hashable_set(items(&set.elts)?)?),
            Expr::Dict(dict) => {
                let mut pairs: Vec<(Value, Value)> = Vec::with_capacity(dict.items.len());
                let mut places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
                for item in &dict.items {
                    let Some(key) = &item.key else {
                        return Err("a dict that unpacks another".to_owned());
                    };
                    let (key, value) = (self.value(key, depth + 1)?, self.value(&item.value, depth + 1)?);
                    hashable(&key)?;
                    // As when the display is evaluated: the first key stays, the last value wins.
                    match places.entry(sorted_by(&key)) {
                        Entry::Occupied(place) => pairs[*place.get()].1 = value,
                        Entry::Vacant(place) => {
                            place.insert(pairs.len());
                            pairs.push((key, value));
                        }
                    }
                }
                Value::Dict(pairs)
            }
            Expr::Name(name) if name.id.as_str() == "inf" => Value::Float(f64::INFINITY),
            Expr::Name(name) if name.id.as_str() == "infj" => Value::Complex(0.0, f64::INFINITY),
            Expr::Call(call) => self.constructor(call, depth)?,
            _ => return Err("something else than plain data".to_owned()),
        })
    }

    fn constructor(&self, call: &ruff_python_ast::ExprCall, depth: usize) -> Result<Value, String> {
        let Expr::Name(name) = &*call.func else {
            return Err("a call".to_owned());
        };
        if !call.arguments.keywords.is_empty() {
            return Err("a call".to_owned());
        }
        match (name.id.as_str(), &*call.arguments.args) {
            ("set", []) => Ok(Value::Set(Vec::new())),
            ("frozenset", []) => Ok(Value::FrozenSet(Vec::new())),
            ("frozenset", [argument]) => match self.value(argument, depth + 1)? {
                Value::Set(items) | Value::List(items) | Value::Tuple(items) => {
                    Ok(Value::FrozenSet(hashable_set(items)?))
                }
                _ => Err("frozenset of something else than elements".to_owned()),
            },
            ("float", [Expr::StringLiteral(text)]) => match text.value.to_str() {
                "inf" => Ok(Value::Float(f64::INFINITY)),
                "-inf" => Ok(Value::Float(f64::NEG_INFINITY)),
                _ => Err("a call".to_owned()),
            },
            _ => Err("a call".to_owned()),
        }
    }
}

fn number(number: &Number) -> Result<Value, String> {
    Ok(match number {
        Number::Int(int) => Value::Int(integer(&int.to_string())?),
        Number::Float(float) => Value::Float(*float),
        Number::Complex { real, imag } => Value::Complex(*real, *imag),
    })
}

fn integer(text: &str) -> Result<Int, String> {
    // The parser keeps a large number as it was written.
    let text = text.replace('_', "");
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', ..] => (2, &text[2..]),
        _ => (10, &text[..]),
    };
    if radix == 10 && digits.len() > 4_300 {
        return Err("an integer of more than 4300 digits".to_owned());
    }
    let int = malachite_bigint::BigInt::parse_bytes(digits.as_bytes(), radix)
        .ok_or_else(|| "an integer that does not parse".to_owned())?;
    let (sign, magnitude) = int.to_bytes_le();
    Ok(Int::from_parts(sign == malachite_bigint::Sign::Minus, magnitude))
}

fn real(value: Value) -> Result<f64, String> {
    match value {
        Value::Float(float) => Ok(float),
        Value::Int(int) => {
            let magnitude = int.magnitude().iter().rev().fold(0.0, |sum, &byte| sum * 256.0 + f64::from(byte));
            Ok(if int.is_negative() { -magnitude } else { magnitude })
        }
        _ => Err("a sum that is not a complex number".to_owned()),
    }
}

fn hashable(value: &Value) -> Result<(), String> {
    match value {
        Value::List(_) | Value::Dict(_) | Value::Set(_) => Err("an element or key that cannot be hashed".to_owned()),
        Value::Tuple(items) => items.iter().try_for_each(hashable),
        _ => Ok(()),
    }
}

/// Elements without repeats, the first of equals kept.
fn hashable_set(items: Vec<Value>) -> Result<Vec<Value>, String> {
    let mut known = BTreeSet::new();
    let mut set: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        hashable(&item)?;
        if known.insert(sorted_by(&item)) {
            set.push(item);
        }
    }
    Ok(set)
}

/// Bytes that are equal where Python has the keys equal: numbers by value, whatever their type.
fn sorted_by(key: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    match key {
        Value::Tuple(items) => {
            bytes.push(0);
            for item in items {
                let item = sorted_by(item);
                bytes.extend_from_slice(&(item.len() as u32).to_le_bytes());
                bytes.extend_from_slice(&item);
            }
        }
        key => match as_number(key) {
            Some(number) => {
                bytes.push(1);
                // 0.0 and -0.0 are equal.
                bytes.extend_from_slice(&(number + 0.0).to_bits().to_le_bytes());
            }
            None => {
                bytes.push(2);
                bytes.extend_from_slice(&without_negative_zeros(key).encode());
            }
        },
    }
    bytes
}

fn without_negative_zeros(key: &Value) -> Value {
    match key {
        Value::Complex(real, imaginary) => Value::Complex(real + 0.0, imaginary + 0.0),
        key => key.clone(),
    }
}

/// A small number by value; what is not small is compared by its type too.
fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Int(int) if int.magnitude().len() <= 6 => int.to_i64().map(|number| number as f64),
        Value::Float(float) => Some(*float),
        Value::Complex(real, 0.0) => Some(*real),
        _ => None,
    }
}
