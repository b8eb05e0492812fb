//! Buffer.
pub mod canonical;
pub use canonical::{Canonical, Invalid, Mode, canonicalize};
