//! Source texts from Python, where a `str` may hold lone surrogates.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// A text for the sandbox. One with a lone surrogate has no UTF-8, so it cannot be source code: it crosses behind a
/// NUL, which source code may not hold either, and the sandbox refuses that one text instead of the whole batch.
pub(crate) struct Text(String);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let text = object.cast::<PyString>()?;
        Ok(Self(match text.to_str() {
            Ok(text) => text.to_owned(),
            Err(_) => format!("\0{}", text.to_string_lossy()),
        }))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// All of them as strings.
pub(crate) fn strings(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(String::from).collect()
}
