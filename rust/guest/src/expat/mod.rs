//! `pyexpat`, which all of `xml` and `plistlib` rest on. RustPython's reads by another parser: it takes faulty
//! documents for whole, reads all again for every piece, and has neither document types nor Expat's errors.

mod class;
mod declare;
mod dtd;
mod error;
mod event;
mod module;
mod names;
mod scanner;
mod text;
mod tokens;

pub(crate) use module::module_def;
