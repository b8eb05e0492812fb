//! `azr._azr`: everything that Python can see of the Rust crates.

use pyo3::prelude::*;

mod buffer;

/// The Rust half of azr.
#[pymodule(gil_used = false)]
mod _azr {
    #[pymodule_export]
    use crate::buffer::{BufferReport, TaskBuffer, canonicalize, measure_canonical, measure_publish};
}
