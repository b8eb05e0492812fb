//! The guest: a WebAssembly module made ready to run programs.
//!
//! A guest file is an ordinary WebAssembly module (`guest/guest.wasm.zst` in this crate is one) that
//! was snapshotted after its interpreter started. [`Guest`] is that module made ready: native code
//! without data segments, and the image that the segments describe.

#![expect(unsafe_code, reason = "loads native code, or passes on the promise of who does")]

use std::collections::HashMap;
#[cfg(any(feature = "native", feature = "compiler"))]
use std::sync::OnceLock;
use std::sync::{Arc, Mutex, Weak};

use crate::code::GuestCode;
use crate::error::Error;
use crate::instance::Instance;
use crate::modules::module_request;
#[cfg(unix)]
use crate::signals;

pub use crate::code::Target;

/// The guest that comes with this crate: snapshotted WebAssembly, compressed.
const EMBEDDED: &[u8] = include_bytes!("../guest/guest.wasm.zst");

/// BLAKE3 of [`EMBEDDED`], written by `make guest` with the sources' hash.
const EMBEDDED_HASH: &str = include_str!("../guest/guest.wasm.zst.blake3");

/// The same guest as native code, compressed: this crate's build script made it.
#[cfg(feature = "native")]
const NATIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.code.zst"));

/// A guest, compiled and ready: cheap to clone, shared by any number of sandboxes.
#[derive(Clone)]
pub struct Guest(Arc<GuestCode>);

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("hash", &self.0.hash).finish_non_exhaustive()
    }
}

impl Guest {
    /// The guest that comes with this crate, kept for the process.
    ///
    /// With the feature `native`, which is on by default, this crate's build script has compiled it: loading takes a
    /// fraction of a second. With `compiler` alone it is compiled here on first use, some 15 seconds on two cores.
    ///
    /// # Errors
    /// When this machine cannot run it.
    #[cfg(any(feature = "native", feature = "compiler"))]
    pub fn embedded() -> Result<Self, Error> {
        static GUEST: OnceLock<Guest> = OnceLock::new();
        if let Some(guest) = GUEST.get() {
            return Ok(guest.clone());
        }
        let guest = Self::made_ready()?;
        Ok(GUEST.get_or_init(|| guest).clone())
    }

    #[cfg(feature = "native")]
    fn made_ready() -> Result<Self, Error> {
        let code = zstd::decode_all(NATIVE).map_err(Error::Host)?;
        // SAFETY: the bytes are part of this program: the build script of this very version made them.
        unsafe { Self::from_precompiled(&code) }
    }

    #[cfg(all(feature = "compiler", not(feature = "native")))]
    fn made_ready() -> Result<Self, Error> {
        Self::from_wasm(&embedded_wasm()?)
    }

    /// A guest of your own: a module made by this project's `make guest`, from changed sources or not.
    ///
    /// # Errors
    /// When `wasm` is not a guest: it imports something, could keep state outside its memory, or lacks
    /// an export.
    #[cfg(feature = "compiler")]
    pub fn from_wasm(wasm: &[u8]) -> Result<Self, Error> {
        Self::ready(GuestCode::compile(wasm)?)
    }

    /// Compiles `wasm` for [`Guest::from_precompiled`].
    ///
    /// # Errors
    /// As [`Guest::from_wasm`].
    #[cfg(feature = "compiler")]
    pub fn precompile(wasm: &[u8], target: Target) -> Result<Vec<u8>, Error> {
        GuestCode::precompile(wasm, target)
    }

    /// As [`Target::Portable`], for machines of another kind than this: `triple` is what Rust calls them, such as
    /// `aarch64-unknown-linux-gnu`. A build script has it in the variable `TARGET`.
    ///
    /// # Errors
    /// As [`Guest::from_wasm`], and when this build has no compiler for `triple`: for the other one of x86-64 and
    /// aarch64 that takes the feature `cross`.
    #[cfg(feature = "compiler")]
    pub fn precompile_for(wasm: &[u8], triple: &str) -> Result<Vec<u8>, Error> {
        GuestCode::precompile_for(wasm, triple)
    }

    /// Loads what [`Guest::precompile`] made.
    ///
    /// # Safety
    /// The bytes are native code, and no check can tell good from bad: they must come from
    /// [`Guest::precompile`] of this very version and from a place that only those you trust can write.
    ///
    /// # Errors
    /// When the bytes were made by another version, or for another kind of processor.
    pub unsafe fn from_precompiled(bytes: &[u8]) -> Result<Self, Error> {
        // SAFETY: the caller's promise.
        Self::ready(unsafe { GuestCode::load(bytes)? })
    }

    /// A guest of code that has just been loaded, once it has shown that it runs a program.
    fn ready(code: GuestCode) -> Result<Self, Error> {
        #[cfg(unix)]
        signals::remember();
        Instance::new(&code)?.try_out()?;
        Ok(Self(Arc::new(code)))
    }

    /// This guest with Python modules of yours imported, given as (dotted name, source text).
    ///
    /// They are imported once, in one instance, and the memory afterwards is what every program of the new
    /// guest starts from: a program's `import` finds them loaded and pays nothing. They may import one another
    /// in any order and whatever the guest has; packages that are named by a part alone are made. While they
    /// are imported the clock and the random numbers are fixed, and what they print is dropped; may take
    /// [`Limits::default`]'s fuel and 128 MiB of memory. Native code is shared with this guest, and a guest
    /// with the same modules that is still in use is given again.
    ///
    /// The modules are yours: unlike programs they are trusted to bring the same state about every time, though
    /// no more than programs can they reach the host.
    ///
    /// # Errors
    /// [`Error::BadModule`] when one of them does not compile or raises, with the line.
    ///
    /// [`Limits::default`]: crate::Limits::default
    pub fn with_modules(&self, modules: &[(&str, &str)]) -> Result<Self, Error> {
        static KNOWN: Mutex<Option<HashMap<String, Weak<GuestCode>>>> = Mutex::new(None);
        if modules.is_empty() {
            return Ok(self.clone());
        }
        let hash = self.hash_with(modules);
        let known = || KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(loaded) = known().as_ref().and_then(|known| known.get(&hash)?.upgrade()) {
            return Ok(Self(loaded));
        }
        let image = Arc::new(Instance::new(&self.0)?.into_image(&module_request(modules)?)?);
        let guest = Self(Arc::new(self.0.starting_from(image, &hash)));
        let mut known = known();
        let known = known.get_or_insert_default();
        known.retain(|_, loaded| loaded.strong_count() > 0);
        known.insert(hash, Arc::downgrade(&guest.0));
        Ok(guest)
    }

    /// A hash over this guest and what it would import.
    fn hash_with(&self, modules: &[(&str, &str)]) -> String {
        let mut hasher = blake3::Hasher::new();
        for text in std::iter::once(self.hash()).chain(modules.iter().flat_map(|(name, source)| [*name, *source])) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// BLAKE3 of the module that this guest was compiled from, in hexadecimal; with modules of yours, of them
    /// too.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.0.hash
    }

    pub(crate) fn code(&self) -> &GuestCode {
        &self.0
    }
}

/// The embedded module, decompressed and checked.
///
/// # Errors
/// When the crate's own file is damaged.
pub fn embedded_wasm() -> Result<Vec<u8>, Error> {
    let wasm = zstd::decode_all(EMBEDDED).map_err(Error::Host)?;
    if blake3::hash(&wasm).to_hex().as_str() != EMBEDDED_HASH.trim() {
        return Err(Error::BadGuest("the embedded guest does not have its recorded hash".to_owned()));
    }
    Ok(wasm)
}
