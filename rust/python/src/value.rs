//! Plain Python data to and from canonical bytes. Only data that azr itself made passes here.

use azr_sandbox::{Int, Value};
use num_bigint::{BigInt, Sign};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyComplex, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};

/// Nested deeper than this is no value: the codec's own bound.
const MAX_DEPTH: usize = 100;

/// The value that canonical bytes encode.
pub(crate) fn decode(bytes: &[u8]) -> PyResult<Value> {
    Value::decode(bytes).map_err(|error| PyValueError::new_err(format!("not the encoding of a value: {error}")))
}

/// The Python object of an encoded value: exact built-in types.
#[pyfunction]
pub(crate) fn decode_value<'py>(py: Python<'py>, encoded: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    to_python(py, &decode(encoded)?)
}

/// The canonical bytes of plain Python data.
#[pyfunction]
pub(crate) fn encode_value(object: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    Ok(of_python(object, 0)?.encode())
}

pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    let all = |items: &[Value]| -> PyResult<Vec<Bound<'py, PyAny>>> {
        items.iter().map(|item| to_python(py, item)).collect()
    };
    Ok(match value {
        Value::None => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Int(int) => {
            let sign = if int.is_negative() { Sign::Minus } else { Sign::Plus };
            BigInt::from_bytes_le(sign, int.magnitude()).into_pyobject(py)?.into_any()
        }
        Value::Float(float) => PyFloat::new(py, *float).into_any(),
        Value::Complex(real, imaginary) => PyComplex::from_doubles(py, *real, *imaginary).into_any(),
        Value::Str(text) => match std::str::from_utf8(text) {
            Ok(text) => PyString::new(py, text).into_any(),
            // Lone surrogates.
            Err(_) => PyBytes::new(py, text).call_method1("decode", ("utf-8", "surrogatepass"))?,
        },
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::List(items) => PyList::new(py, all(items)?)?.into_any(),
        Value::Tuple(items) => PyTuple::new(py, all(items)?)?.into_any(),
        Value::Dict(pairs) => {
            let dict = PyDict::new(py);
            for (key, value) in pairs {
                dict.set_item(to_python(py, key)?, to_python(py, value)?)?;
            }
            dict.into_any()
        }
        Value::Set(items) => PySet::new(py, all(items)?)?.into_any(),
        Value::FrozenSet(items) => PyFrozenSet::new(py, all(items)?)?.into_any(),
    })
}

pub(crate) fn of_python(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth > MAX_DEPTH {
        return Err(PyValueError::new_err(format!("nested deeper than {MAX_DEPTH}")));
    }
    let all = |items: Vec<Bound<'_, PyAny>>| -> PyResult<Vec<Value>> {
        items.iter().map(|item| of_python(item, depth + 1)).collect()
    };
    Ok(if object.is_none() {
        Value::None
    } else if let Ok(flag) = object.cast_exact::<PyBool>() {
        Value::Bool(flag.is_true())
    } else if object.is_exact_instance_of::<PyInt>() {
        let int: BigInt = object.extract()?;
        let (sign, magnitude) = int.to_bytes_le();
        Value::Int(Int::from_parts(sign == Sign::Minus, magnitude))
    } else if let Ok(float) = object.cast_exact::<PyFloat>() {
        Value::Float(not_nan(float.value())?)
    } else if let Ok(complex) = object.cast_exact::<PyComplex>() {
        let part = |name| -> PyResult<f64> { not_nan(complex.getattr(name)?.extract()?) };
        Value::Complex(part("real")?, part("imag")?)
    } else if let Ok(text) = object.cast_exact::<PyString>() {
        let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
        Value::Str(bytes.extract()?)
    } else if let Ok(bytes) = object.cast_exact::<PyBytes>() {
        Value::Bytes(bytes.as_bytes().to_vec())
    } else if let Ok(list) = object.cast_exact::<PyList>() {
        Value::List(all(list.iter().collect())?)
    } else if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        Value::Tuple(all(tuple.iter().collect())?)
    } else if let Ok(dict) = object.cast_exact::<PyDict>() {
        let pairs = dict.iter().map(|(key, value)| Ok((of_python(&key, depth + 1)?, of_python(&value, depth + 1)?)));
        Value::Dict(pairs.collect::<PyResult<_>>()?)
    } else if let Ok(set) = object.cast_exact::<PySet>() {
        Value::Set(all(set.iter().collect())?)
    } else if let Ok(set) = object.cast_exact::<PyFrozenSet>() {
        Value::FrozenSet(all(set.iter().collect())?)
    } else {
        let class = object.get_type();
        return Err(PyTypeError::new_err(format!("{class} is not plain data")));
    })
}

fn not_nan(float: f64) -> PyResult<f64> {
    if float.is_nan() { Err(PyValueError::new_err("NaN is not a task value")) } else { Ok(float) }
}
