//! Plain Python data, and its canonical bytes.

use crate::codec::{DecodeError, MAX_DEPTH, Reader, Writer};

/// A Python integer of any size: a sign and a magnitude.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Int {
    negative: bool,
    /// Little endian, without trailing zero bytes; empty for zero, which is never negative.
    magnitude: Vec<u8>,
}

impl Int {
    /// From a sign and a little-endian magnitude, brought to canonical form.
    #[must_use]
    pub fn from_parts(negative: bool, mut magnitude: Vec<u8>) -> Self {
        while magnitude.last() == Some(&0) {
            magnitude.pop();
        }
        let negative = negative && !magnitude.is_empty();
        Self { negative, magnitude }
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The absolute value's bytes, little endian, without trailing zeros.
    #[must_use]
    pub fn magnitude(&self) -> &[u8] {
        &self.magnitude
    }

    /// As `i64`, if it fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        if self.magnitude.len() > 8 {
            return None;
        }
        let mut bytes = [0; 8];
        bytes[..self.magnitude.len()].copy_from_slice(&self.magnitude);
        let magnitude = i128::from(u64::from_le_bytes(bytes));
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }
}

impl From<i64> for Int {
    fn from(number: i64) -> Self {
        Self::from_parts(number < 0, number.unsigned_abs().to_le_bytes().to_vec())
    }
}

/// Plain Python data: what a task may take and return. Exact built-in types only.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`
    None,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(Int),
    /// `float`, never NaN
    Float(f64),
    /// `complex` as (real, imaginary), neither NaN
    Complex(f64, f64),
    /// `str` as WTF-8: UTF-8, except that a lone surrogate has its three bytes
    Str(Vec<u8>),
    /// `bytes`
    Bytes(Vec<u8>),
    /// `list`
    List(Vec<Value>),
    /// `tuple`
    Tuple(Vec<Value>),
    /// `dict`, in insertion order
    Dict(Vec<(Value, Value)>),
    /// `set`
    Set(Vec<Value>),
    /// `frozenset`
    FrozenSet(Vec<Value>),
}

/// Tags of the encoding. Their order is the order in which sets are laid out; they never change.
pub(crate) mod tag {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const FALSE: u8 = 1;
    pub(crate) const TRUE: u8 = 2;
    pub(crate) const INT: u8 = 3;
    pub(crate) const NEGATIVE_INT: u8 = 4;
    pub(crate) const FLOAT: u8 = 5;
    pub(crate) const COMPLEX: u8 = 6;
    pub(crate) const STR: u8 = 7;
    pub(crate) const BYTES: u8 = 8;
    pub(crate) const LIST: u8 = 9;
    pub(crate) const TUPLE: u8 = 10;
    pub(crate) const DICT: u8 = 11;
    pub(crate) const SET: u8 = 12;
    pub(crate) const FROZEN_SET: u8 = 13;
}

impl Value {
    /// The canonical bytes. Elements of sets are laid out in the order of their own bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// The value that `bytes` encode.
    ///
    /// # Errors
    /// When `bytes` are not exactly the canonical encoding of one value.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        reader.end()?;
        Ok(value)
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        match self {
            Self::None => out.u8(tag::NONE),
            Self::Bool(false) => out.u8(tag::FALSE),
            Self::Bool(true) => out.u8(tag::TRUE),
            Self::Int(int) => {
                out.u8(if int.negative { tag::NEGATIVE_INT } else { tag::INT });
                out.bytes(&int.magnitude);
            }
            Self::Float(float) => {
                out.u8(tag::FLOAT);
                out.u64(float.to_bits());
            }
            Self::Complex(real, imaginary) => {
                out.u8(tag::COMPLEX);
                out.u64(real.to_bits());
                out.u64(imaginary.to_bits());
            }
            Self::Str(text) => {
                out.u8(tag::STR);
                out.bytes(text);
            }
            Self::Bytes(bytes) => {
                out.u8(tag::BYTES);
                out.bytes(bytes);
            }
            Self::List(items) => {
                out.u8(tag::LIST);
                out.list(items, |out, item| item.write(out));
            }
            Self::Tuple(items) => {
                out.u8(tag::TUPLE);
                out.list(items, |out, item| item.write(out));
            }
            Self::Dict(items) => {
                out.u8(tag::DICT);
                out.list(items, |out, (key, value)| {
                    key.write(out);
                    value.write(out);
                });
            }
            Self::Set(items) => write_set(out, tag::SET, items),
            Self::FrozenSet(items) => write_set(out, tag::FROZEN_SET, items),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::read_nested(reader, 0)
    }

    fn read_nested(reader: &mut Reader<'_>, depth: usize) -> Result<Self, DecodeError> {
        if depth > MAX_DEPTH {
            return Err(DecodeError::TooDeep);
        }
        let nested = |reader: &mut Reader<'_>| Self::read_nested(reader, depth + 1);
        Ok(match reader.u8()? {
            tag::NONE => Self::None,
            tag::FALSE => Self::Bool(false),
            tag::TRUE => Self::Bool(true),
            sign @ (tag::INT | tag::NEGATIVE_INT) => {
                let magnitude = reader.bytes()?.to_vec();
                let canonical = match magnitude.last() {
                    None => sign == tag::INT,
                    Some(&last) => last != 0,
                };
                if !canonical {
                    return Err(DecodeError::NotCanonical);
                }
                Self::Int(Int { negative: sign == tag::NEGATIVE_INT, magnitude })
            }
            tag::FLOAT => Self::Float(read_float(reader)?),
            tag::COMPLEX => Self::Complex(read_float(reader)?, read_float(reader)?),
            tag::STR => Self::Str(read_wtf8(reader)?),
            tag::BYTES => Self::Bytes(reader.bytes()?.to_vec()),
            tag::LIST => Self::List(reader.list(nested)?),
            tag::TUPLE => Self::Tuple(reader.list(nested)?),
            tag::DICT => Self::Dict(reader.list(|reader| Ok((nested(reader)?, nested(reader)?)))?),
            tag::SET => Self::Set(read_set(reader, depth)?),
            tag::FROZEN_SET => Self::FrozenSet(read_set(reader, depth)?),
            unknown => return Err(DecodeError::UnknownTag(unknown)),
        })
    }
}

fn write_set(out: &mut Writer, tag: u8, items: &[Value]) {
    let mut encoded: Vec<Vec<u8>> = items.iter().map(Value::encode).collect();
    encoded.sort_unstable();
    out.u8(tag);
    out.list(&encoded, |out, item| out.raw(item));
}

fn read_set(reader: &mut Reader<'_>, depth: usize) -> Result<Vec<Value>, DecodeError> {
    let mut previous: Option<&[u8]> = None;
    reader.list(|reader| {
        let before = reader.rest();
        let item = Value::read_nested(reader, depth + 1)?;
        let encoded = &before[..before.len() - reader.rest().len()];
        if previous.is_some_and(|previous| previous >= encoded) {
            return Err(DecodeError::NotCanonical);
        }
        previous = Some(encoded);
        Ok(item)
    })
}

fn read_float(reader: &mut Reader<'_>) -> Result<f64, DecodeError> {
    let float = f64::from_bits(reader.u64()?);
    if float.is_nan() { Err(DecodeError::NotCanonical) } else { Ok(float) }
}

fn read_wtf8(reader: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    let bytes = reader.bytes()?;
    if std::str::from_utf8(bytes).is_ok() || is_wtf8(bytes) { Ok(bytes.to_vec()) } else { Err(DecodeError::NotUtf8) }
}

/// UTF-8 in which surrogates (`ED A0..BF xx`) are let through.
fn is_wtf8(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Err(error) = std::str::from_utf8(rest) {
        rest = &rest[error.valid_up_to()..];
        match rest {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, tail @ ..] => rest = tail,
            _ => return false,
        }
    }
    true
}
