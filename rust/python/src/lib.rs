//! `azr._azr`: everything that Python can see of the Rust crates.

use pyo3::prelude::*;

mod buffer;
mod measure;
mod sandbox;
mod session;
mod text;
mod value;

/// The Rust half of azr.
#[pymodule(gil_used = false)]
mod _azr {
    /// The package's version, which Cargo.toml alone says.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::buffer::{BufferReport, TaskBuffer, canonicalize, measure_canonical, measure_publish, shapes};
    #[pymodule_export]
    use crate::sandbox::{Sandbox, check_encoded, outcome_names, value_repr, values_equal};
    #[pymodule_export]
    use crate::session::{Cancel, Session};
    #[pymodule_export]
    use crate::value::{decode_value, encode_value};
}
