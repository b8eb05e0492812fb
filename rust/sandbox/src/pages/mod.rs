//! What the operating system does for the memories of guests: reserves address space, shares one image among
//! instances, takes pages back.
//!
//! On Unix an image is a file without a name, and instances map it privately: a page costs memory once it is
//! written. Windows cannot put such a view inside a larger reservation that Wasmtime asks for in one piece, so
//! there an instance has a copy.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{Contents, Mapping, clear, enlarge};
#[cfg(windows)]
pub(crate) use windows::{Contents, Mapping, clear, enlarge};
