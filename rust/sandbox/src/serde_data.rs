//! Serde's forms of what the wire's crate defines: the feature `serde`.
//!
//! A value is tagged by its Python type. Numbers are text, as `repr` writes them, since no common format holds large
//! integers, infinity and -0.0 alike: `{"tuple":[{"int":"1"},{"float":"inf"},{"str":"a"},"none"]}`.

use num_bigint::{BigInt, Sign};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{Int, Value, repr};

/// A value as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    None,
    Bool(bool),
    Int(String),
    Float(String),
    Complex(String, String),
    Str(String),
    /// A text with lone surrogates, as WTF-8.
    Surrogates(Vec<u8>),
    Bytes(Vec<u8>),
    List(Vec<Form>),
    Tuple(Vec<Form>),
    Dict(Vec<(Form, Form)>),
    Set(Vec<Form>),
    FrozenSet(Vec<Form>),
}

impl From<&Value> for Form {
    fn from(value: &Value) -> Self {
        let all = |items: &[Value]| items.iter().map(Self::from).collect();
        let float = |float: f64| repr(&Value::Float(float));
        match value {
            Value::None => Self::None,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Int(_) => Self::Int(repr(value)),
            Value::Float(number) => Self::Float(float(*number)),
            Value::Complex(real, imaginary) => Self::Complex(float(*real), float(*imaginary)),
            Value::Str(text) => match std::str::from_utf8(text) {
                Ok(text) => Self::Str(text.to_owned()),
                Err(_) => Self::Surrogates(text.clone()),
            },
            Value::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Value::List(items) => Self::List(all(items)),
            Value::Tuple(items) => Self::Tuple(all(items)),
            Value::Dict(pairs) => Self::Dict(pairs.iter().map(|(key, value)| (key.into(), value.into())).collect()),
            Value::Set(items) => Self::Set(all(items)),
            Value::FrozenSet(items) => Self::FrozenSet(all(items)),
        }
    }
}

impl Form {
    /// The value, or what is wrong with its text.
    fn value(self) -> Result<Value, String> {
        let all = |items: Vec<Self>| items.into_iter().map(Self::value).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::None => Value::None,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Int(text) => Value::Int(int(&text)?),
            Self::Float(text) => Value::Float(float(&text)?),
            Self::Complex(real, imaginary) => Value::Complex(float(&real)?, float(&imaginary)?),
            Self::Str(text) => Value::Str(text.into_bytes()),
            Self::Surrogates(bytes) => Value::Str(bytes),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::List(items) => Value::List(all(items)?),
            Self::Tuple(items) => Value::Tuple(all(items)?),
            Self::Dict(pairs) => {
                let pair = |(key, value): (Self, Self)| Ok::<_, String>((key.value()?, value.value()?));
                Value::Dict(pairs.into_iter().map(pair).collect::<Result<_, _>>()?)
            }
            Self::Set(items) => Value::Set(all(items)?),
            Self::FrozenSet(items) => Value::FrozenSet(all(items)?),
        })
    }
}

fn int(text: &str) -> Result<Int, String> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let number = match digits.strip_prefix("0x") {
        Some(digits) => BigInt::parse_bytes(digits.as_bytes(), 16),
        None => BigInt::parse_bytes(digits.as_bytes(), 10),
    };
    // A second sign is none of ours.
    let number =
        number.filter(|number| number.sign() != Sign::Minus).ok_or_else(|| format!("{text:?} is no integer"))?;
    Ok(Int::from_parts(negative, number.magnitude().to_bytes_le()))
}

fn float(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no float"))?;
    if number.is_nan() { Err("a value is never NaN".to_owned()) } else { Ok(number) }
}

/// For fields of type [`Value`].
pub(crate) mod value {
    use super::{Deserialize, Deserializer, Form, Serialize, Serializer, Value};
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
        Form::from(value).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let value = Form::deserialize(deserializer)?.value().map_err(D::Error::custom)?;
        // Held to what a guest's answer is held to: depth, no element of a set twice, text that is WTF-8.
        Value::decode(&value.encode()).map_err(D::Error::custom)
    }
}

/// For fields of type [`Reads`](crate::Reads): the names of what was read.
pub(crate) mod reads {
    use azr_wire::Reads;

    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use serde::de::Error;

    pub(crate) fn serialize<S: Serializer>(reads: &Reads, serializer: S) -> Result<S::Ok, S::Error> {
        reads.names().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reads, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let mut found = Reads::default();
        for name in names {
            found.0 |= match name.as_str() {
                "hash" => Reads::HASH.0,
                "address" => Reads::ADDRESS.0,
                "clock" => Reads::CLOCK.0,
                "random" => Reads::RANDOM.0,
                _ => return Err(D::Error::custom(format!("{name:?} is not the name of a source of entropy"))),
            };
        }
        Ok(found)
    }
}

/// For fields of type `Vec<`[`Frame`](crate::Frame)`>`.
pub(crate) mod frames {
    use azr_wire::Frame;

    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Form {
        line: u32,
        function: String,
    }

    pub(crate) fn serialize<S: Serializer>(frames: &[Frame], serializer: S) -> Result<S::Ok, S::Error> {
        let form = |frame: &Frame| Form { line: frame.line, function: frame.function.clone() };
        frames.iter().map(form).collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Frame>, D::Error> {
        let forms = Vec::<Form>::deserialize(deserializer)?;
        Ok(forms.into_iter().map(|Form { line, function }| Frame { line, function }).collect())
    }
}

impl Serialize for crate::InvalidReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for crate::InvalidReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Self::all().into_iter().find(|reason| reason.name() == name);
        known.ok_or_else(|| D::Error::custom(format!("{name:?} is not a reason")))
    }
}
