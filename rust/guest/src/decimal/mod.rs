//! `_azr_decimal`: what `decimal` has in C elsewhere. `lib/_decimal.py` adds the exceptions and small classes.

mod class;
mod context;
mod convert;
mod functions;
mod int;
mod methods;
mod module;
mod number;
mod objects;
mod tables;
mod text;

pub(crate) use module::module_def;
