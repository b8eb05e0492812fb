//! `_azr_decimal`: what `decimal` has in C elsewhere. `lib/_decimal.py` adds the exceptions and small classes.

mod functions;
mod int;
mod module;
mod number;
mod text;

pub(crate) use module::module_def;
