//! `azr._azr`: everything that Python can see of the Rust crates.

use pyo3::prelude::*;

mod buffer;
mod sandbox;
mod value;

/// The Rust half of azr.
#[pymodule(gil_used = false)]
mod _azr {
    #[pymodule_export]
    use crate::buffer::{BufferReport, TaskBuffer, canonicalize, measure_canonical, measure_publish};
    #[pymodule_export]
    use crate::sandbox::{Sandbox, value_repr, values_equal};
    #[pymodule_export]
    use crate::value::{decode_value, encode_value};
}
