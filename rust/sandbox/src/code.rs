//! A guest's code: instrumented and compiled, kept in a file, loaded; together with the memory that it starts from.

#![expect(unsafe_code, reason = "loads native code; the blocks say why it is right")]

use std::sync::{Arc, Once};

use wasmtime::{Config, Module};

#[cfg(feature = "compiler")]
use crate::compile;
use crate::engine::{PRECOMPILED, engine};
use crate::error::Error;
#[cfg(feature = "compiler")]
use crate::instrument::{Instrumented, Nans, instrument};
use crate::memory::{Creator, Image};
use crate::pages;

/// Which processors precompiled code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Every x86-64 processor of the level v3 (2013 and later), or every aarch64 one.
    Portable,
    /// Processors that have all that this machine has.
    Native,
}

/// Native code without data segments, and the image that the segments describe.
#[derive(Clone)]
pub(crate) struct GuestCode {
    pub(crate) module: Module,
    pub(crate) image: Arc<Image>,
    /// BLAKE3 of the WebAssembly module that it was compiled from, and of modules of the embedder's that it has imported.
    pub(crate) hash: String,
    /// Shared with what has the same module.
    large_pages: Arc<Once>,
}

impl GuestCode {
    /// Compiles a guest for this machine.
    #[cfg(feature = "compiler")]
    pub(crate) fn compile(wasm: &[u8]) -> Result<Self, Error> {
        let instrumented = instrument(wasm, Nans::of(None))?;
        let code = compile::native_code(&instrumented, None)?;
        let Instrumented { start, image, size, .. } = &instrumented;
        // SAFETY: Cranelift made this code a moment ago.
        unsafe { Self::deserialize(&code, *start, image, *size, &compile::hash(wasm)) }
    }

    /// Compiles a guest into a file for [`GuestCode::load`].
    #[cfg(feature = "compiler")]
    pub(crate) fn precompile(wasm: &[u8], target: Target) -> Result<Vec<u8>, Error> {
        match target {
            Target::Portable => {
                Self::precompile_for(wasm, &compile::triple(std::env::consts::ARCH, std::env::consts::OS))
            }
            Target::Native => compile::precompile(wasm, None),
        }
    }

    /// The same, portable, for what Rust calls by that name.
    #[cfg(feature = "compiler")]
    pub(crate) fn precompile_for(wasm: &[u8], triple: &str) -> Result<Vec<u8>, Error> {
        compile::precompile(wasm, Some(triple))
    }

    /// Loads a file of [`GuestCode::precompile`].
    ///
    /// # Safety
    /// The file must be one, of this very version: native code is not checked.
    pub(crate) unsafe fn load(file: &[u8]) -> Result<Self, Error> {
        let parts = part(file).ok_or_else(|| Error::BadGuest("not a file that Guest::precompile made".to_owned()))?;
        // SAFETY: the caller's promise.
        unsafe { Self::deserialize(parts.code, parts.start, parts.image, parts.size, parts.hash) }
    }

    /// The same code with another memory.
    pub(crate) fn starting_from(&self, image: Arc<Image>, hash: &str) -> Self {
        Self { image, hash: hash.to_owned(), ..self.clone() }
    }

    /// Moves the code into large pages, once: 10 to 20 ms, then 2% to 3% less time for a program. A program runs through
    /// megabytes of the interpreter, and looking up the addresses of so many small pages takes time.
    pub(crate) fn move_into_large_pages(&self) {
        self.large_pages.call_once(|| {
            pages::enlarge(self.module.image_range());
        });
    }

    /// # Safety
    /// `code` must be what wasmtime's compiler made of an instrumented guest.
    unsafe fn deserialize(code: &[u8], start: usize, image: &[u8], size: usize, hash: &str) -> Result<Self, Error> {
        let image = Arc::new(Image::new(start, image, size).map_err(Error::Host)?);
        let mut config = Config::new();
        config.with_host_memory(Arc::new(Creator));
        let engine = engine(&config, cfg!(windows))?;
        // SAFETY: the caller's promise.
        let module =
            unsafe { Module::deserialize(&engine, code) }.map_err(|error| Error::BadGuest(format!("{error:#}")))?;
        Ok(Self { module, image, hash: hash.to_owned(), large_pages: Arc::new(Once::new()) })
    }
}

struct Parts<'a> {
    hash: &'a str,
    start: usize,
    size: usize,
    image: &'a [u8],
    code: &'a [u8],
}

fn part(file: &[u8]) -> Option<Parts<'_>> {
    let rest = file.strip_prefix(PRECOMPILED)?;
    let (hash, rest) = rest.split_at_checked(blake3::OUT_LEN * 2)?;
    let (numbers, rest) = rest.split_at_checked(24)?;
    let number = |at: usize| usize::try_from(u64::from_le_bytes(numbers[at..at + 8].try_into().ok()?)).ok();
    let (image, code) = rest.split_at_checked(number(16)?)?;
    Some(Parts { hash: std::str::from_utf8(hash).ok()?, start: number(0)?, size: number(8)?, image, code })
}
