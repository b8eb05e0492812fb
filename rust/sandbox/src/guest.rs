//! The guest module: checked, split into code and memory image, compiled, and loaded.
//!
//! A guest file is an ordinary WebAssembly module (`guest/guest.wasm.zst` in this crate is one) that
//! was snapshotted after its interpreter started. [`Guest`] is that module made ready: native code
//! without data segments, and the image that the segments describe.

#![expect(unsafe_code, reason = "loads native code; the block says why it is right")]

use std::collections::HashMap;
#[cfg(feature = "compiler")]
use std::sync::OnceLock;
use std::sync::{Arc, Mutex, Weak};

use wasmtime::{Config, Engine, Module};

use crate::error::Error;
use crate::instance::Instance;
use crate::memory::{Creator, Image};
use crate::program::module_request;
use crate::signals;
#[cfg(feature = "compiler")]
use crate::split::{self, Split};

/// The guest that comes with this crate: snapshotted WebAssembly, compressed.
const EMBEDDED: &[u8] = include_bytes!("../guest/guest.wasm.zst");

/// BLAKE3 of [`EMBEDDED`], written by `make guest` with the sources' hash.
const EMBEDDED_HASH: &str = include_str!("../guest/guest.wasm.zst.blake3");

/// Most bytes of native stack that the guest's code may take. RustPython's own recursion checks look at
/// the shadow stack (8 MiB in the guest); this must not be what ends a recursion first.
pub(crate) const STACK_BYTES: usize = 64 << 20;

/// Address space of one memory: all that 32 bits reach, so that no access needs a bounds check.
const RESERVATION: u64 = 4 << 30;

/// First bytes of a file that [`Guest::precompile`] makes.
const PRECOMPILED: &[u8; 16] = b"azr-guest-code 4";

/// A guest, compiled and ready: cheap to clone, shared by any number of sandboxes.
#[derive(Clone)]
pub struct Guest(Arc<Loaded>);

struct Loaded {
    module: Module,
    image: Arc<Image>,
    hash: String,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("hash", &self.0.hash).finish_non_exhaustive()
    }
}

impl Guest {
    /// The guest that comes with this crate, compiled here on first use and kept for the process.
    ///
    /// Compiling takes some 15 seconds on two cores. To pay that at build time instead, see
    /// [`Guest::precompile`].
    ///
    /// # Errors
    /// When this machine cannot run it.
    #[cfg(feature = "compiler")]
    pub fn embedded() -> Result<Self, Error> {
        static GUEST: OnceLock<Guest> = OnceLock::new();
        if let Some(guest) = GUEST.get() {
            return Ok(guest.clone());
        }
        let guest = Self::from_wasm(&embedded_wasm()?)?;
        Ok(GUEST.get_or_init(|| guest).clone())
    }

    /// A guest of your own: a module made by this project's `make guest`, from changed sources or not.
    ///
    /// # Errors
    /// When `wasm` is not a guest: it imports something, could keep state outside its memory, or lacks
    /// an export.
    #[cfg(feature = "compiler")]
    pub fn from_wasm(wasm: &[u8]) -> Result<Self, Error> {
        let split = split::split(wasm)?;
        let code = engine(&Config::new())?
            .precompile_module(&split.code)
            .map_err(|error| Error::BadGuest(format!("{error:#}")))?;
        // SAFETY: Cranelift made this code a moment ago.
        unsafe { Self::load(&code, split.start, &split.image, split.size, &hash(wasm)) }
    }

    /// Compiles `wasm` for this machine's kind of processor, for [`Guest::from_precompiled`].
    ///
    /// With `portable`, the code runs on every x86-64 processor of the level v3 (2013 and later), or
    /// every aarch64 one; without, it may use all that this machine has.
    ///
    /// # Errors
    /// As [`Guest::from_wasm`].
    #[cfg(feature = "compiler")]
    pub fn precompile(wasm: &[u8], portable: bool) -> Result<Vec<u8>, Error> {
        let split = split::split(wasm)?;
        let mut config = Config::new();
        if portable {
            portable_target(&mut config)?;
        }
        let code =
            engine(&config)?.precompile_module(&split.code).map_err(|error| Error::BadGuest(format!("{error:#}")))?;
        Ok(join(&code, &split, &hash(wasm)))
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
        let parts = part(bytes).ok_or_else(|| Error::BadGuest("not a file that Guest::precompile made".to_owned()))?;
        // SAFETY: the caller's promise.
        unsafe { Self::load(parts.code, parts.start, parts.image, parts.size, parts.hash) }
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
        static KNOWN: Mutex<Option<HashMap<String, Weak<Loaded>>>> = Mutex::new(None);
        if modules.is_empty() {
            return Ok(self.clone());
        }
        let hash = self.hash_with(modules);
        let known = || KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(loaded) = known().as_ref().and_then(|known| known.get(&hash)?.upgrade()) {
            return Ok(Self(loaded));
        }
        let image = Instance::new(self)?.into_image(&module_request(modules)?)?;
        let guest =
            Self(Arc::new(Loaded { module: self.0.module.clone(), image: Arc::new(image), hash: hash.clone() }));
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

    pub(crate) fn module(&self) -> &Module {
        &self.0.module
    }

    pub(crate) fn image(&self) -> &Arc<Image> {
        &self.0.image
    }

    /// # Safety
    /// As [`Guest::from_precompiled`].
    unsafe fn load(code: &[u8], start: usize, image: &[u8], size: usize, hash: &str) -> Result<Self, Error> {
        let image = Arc::new(Image::new(start, image, size).map_err(Error::Host)?);
        let mut config = Config::new();
        config.with_host_memory(Arc::new(Creator));
        let engine = engine(&config)?;
        // SAFETY: the caller's promise.
        let module =
            unsafe { Module::deserialize(&engine, code) }.map_err(|error| Error::BadGuest(format!("{error:#}")))?;
        let guest = Self(Arc::new(Loaded { module, image, hash: hash.to_owned() }));
        signals::remember();
        Instance::new(&guest)?.try_out()?;
        Ok(guest)
    }
}

/// The embedded module, decompressed and checked.
///
/// # Errors
/// When the crate's own file is damaged.
pub fn embedded_wasm() -> Result<Vec<u8>, Error> {
    let wasm = zstd::decode_all(EMBEDDED).map_err(Error::Host)?;
    if hash(&wasm) != EMBEDDED_HASH.trim() {
        return Err(Error::BadGuest("the embedded guest does not have its recorded hash".to_owned()));
    }
    Ok(wasm)
}

fn hash(wasm: &[u8]) -> String {
    blake3::hash(wasm).to_hex().to_string()
}

/// The engine that guests are compiled for and run in. All that is not needed is off.
fn engine(config: &Config) -> Result<Engine, Error> {
    let mut config = config.clone();
    config
        // Those of crate::fuel, and no others: they say which calls are rare, and change nothing that code does.
        .wasm_branch_hinting(true)
        // Indirect calls need not look whether their entry is there yet. Instances live long, so filling tables costs little.
        .table_lazy_init(false)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES)
        .memory_reservation(RESERVATION)
        .memory_may_move(false)
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(true)
        .wasm_memory64(false)
        .wasm_extended_const(false);
    #[cfg(feature = "compiler")]
    config.cranelift_opt_level(wasmtime::OptLevel::Speed).cranelift_nan_canonicalization(false);
    Engine::new(&config).map_err(|error| Error::Runtime(format!("{error:#}")))
}

#[cfg(feature = "compiler")]
fn portable_target(config: &mut Config) -> Result<(), Error> {
    let target = if cfg!(target_arch = "x86_64") { "x86_64-unknown-linux-gnu" } else { "aarch64-unknown-linux-gnu" };
    config.target(target).map_err(|error| Error::Runtime(format!("{error:#}")))?;
    if cfg!(target_arch = "x86_64") {
        let level_3 = [
            "has_sse3",
            "has_ssse3",
            "has_sse41",
            "has_sse42",
            "has_popcnt",
            "has_avx",
            "has_avx2",
            "has_fma",
            "has_bmi1",
            "has_bmi2",
            "has_lzcnt",
        ];
        for flag in level_3 {
            // SAFETY: the flags only promise instructions, and loading checks that the machine has them.
            unsafe { config.cranelift_flag_enable(flag) };
        }
    }
    Ok(())
}

struct Parts<'a> {
    hash: &'a str,
    start: usize,
    size: usize,
    image: &'a [u8],
    code: &'a [u8],
}

/// Code and image in one file: magic, hash, start, size, image's length, image, code.
#[cfg(feature = "compiler")]
fn join(code: &[u8], split: &Split, hash: &str) -> Vec<u8> {
    let mut file = Vec::with_capacity(code.len() + split.image.len() + 128);
    file.extend_from_slice(PRECOMPILED);
    file.extend_from_slice(hash.as_bytes());
    for number in [split.start, split.size, split.image.len()] {
        file.extend_from_slice(&(number as u64).to_le_bytes());
    }
    file.extend_from_slice(&split.image);
    file.extend_from_slice(code);
    file
}

fn part(file: &[u8]) -> Option<Parts<'_>> {
    let rest = file.strip_prefix(PRECOMPILED)?;
    let (hash, rest) = rest.split_at_checked(blake3::OUT_LEN * 2)?;
    let (numbers, rest) = rest.split_at_checked(24)?;
    let number = |at: usize| usize::try_from(u64::from_le_bytes(numbers[at..at + 8].try_into().ok()?)).ok();
    let (image, code) = rest.split_at_checked(number(16)?)?;
    Some(Parts { hash: std::str::from_utf8(hash).ok()?, start: number(0)?, size: number(8)?, image, code })
}
