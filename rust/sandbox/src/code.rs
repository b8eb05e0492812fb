//! A guest's code: instrumented and compiled, kept in a file, loaded; together with the memory that it starts from.

#![expect(unsafe_code, reason = "loads native code; the blocks say why it is right")]

use std::sync::Arc;

use wasmtime::{Config, Engine, Module};

use crate::error::Error;
#[cfg(feature = "compiler")]
use crate::instrument::{Instrumented, instrument};
use crate::memory::{Creator, Image};

/// Most bytes of native stack that the guest's code may take. RustPython's own recursion checks look at
/// the shadow stack (8 MiB in the guest); this must not be what ends a recursion first.
pub(crate) const STACK_BYTES: usize = 64 << 20;

/// Address space of one memory: all that 32 bits reach, so that no access needs a bounds check.
const RESERVATION: u64 = 4 << 30;

/// First bytes of a file that [`GuestCode::precompile`] makes.
const PRECOMPILED: &[u8; 16] = b"azr-guest-code 5";

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
}

impl GuestCode {
    /// Compiles a guest for this machine.
    #[cfg(feature = "compiler")]
    pub(crate) fn compile(wasm: &[u8]) -> Result<Self, Error> {
        let instrumented = instrument(wasm)?;
        let code = engine(&Config::new(), cfg!(windows))?
            .precompile_module(&instrumented.code)
            .map_err(|error| Error::BadGuest(format!("{error:#}")))?;
        let Instrumented { start, image, size, .. } = &instrumented;
        // SAFETY: Cranelift made this code a moment ago.
        unsafe { Self::deserialize(&code, *start, image, *size, &hash(wasm)) }
    }

    /// Compiles a guest into a file for [`GuestCode::load`].
    #[cfg(feature = "compiler")]
    pub(crate) fn precompile(wasm: &[u8], target: Target) -> Result<Vec<u8>, Error> {
        match target {
            Target::Portable => {
                let system = match std::env::consts::OS {
                    "macos" => "apple-darwin",
                    "windows" => "pc-windows-msvc",
                    _ => "unknown-linux-gnu",
                };
                Self::precompile_for(wasm, &format!("{}-{system}", std::env::consts::ARCH))
            }
            Target::Native => Self::file(wasm, &Config::new(), cfg!(windows)),
        }
    }

    /// The same, portable, for what Rust calls by that name.
    #[cfg(feature = "compiler")]
    pub(crate) fn precompile_for(wasm: &[u8], triple: &str) -> Result<Vec<u8>, Error> {
        Self::file(wasm, &portable(triple)?, triple.contains("-windows-"))
    }

    #[cfg(feature = "compiler")]
    fn file(wasm: &[u8], config: &Config, windows: bool) -> Result<Vec<u8>, Error> {
        let instrumented = instrument(wasm)?;
        let code = engine(config, windows)?
            .precompile_module(&instrumented.code)
            .map_err(|error| Error::BadGuest(format!("{error:#}")))?;
        Ok(join(&code, &instrumented, &hash(wasm)))
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
        Ok(Self { module, image, hash: hash.to_owned() })
    }
}

/// BLAKE3 of a module, in hexadecimal.
pub(crate) fn hash(wasm: &[u8]) -> String {
    blake3::hash(wasm).to_hex().to_string()
}

/// The engine that guests are compiled for and run in, on Windows or elsewhere. All that is not needed is off.
fn engine(config: &Config, windows: bool) -> Result<Engine, Error> {
    let mut config = config.clone();
    config
        // Those of `crate::instrument::fuel`, and no others: they say which calls are rare, and change nothing that code does.
        .wasm_branch_hinting(true)
        // Indirect calls need not look whether their entry is there yet. Instances live long, so filling tables costs little.
        .table_lazy_init(false)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES)
        .memory_reservation(RESERVATION)
        .memory_may_move(false)
        .wasm_backtrace_max_frames(None)
        // Windows unwinds by it whatever happens.
        .native_unwind_info(windows)
        // Signals, as on other systems: see crate::signals.
        .macos_use_mach_ports(false)
        .wasm_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(true)
        .wasm_memory64(false)
        .wasm_extended_const(false);
    // The bits of a NaN that arithmetic makes are the processor's to choose, and x86-64 and aarch64 choose otherwise:
    // with one for all, no program can tell them apart.
    #[cfg(feature = "compiler")]
    config.cranelift_opt_level(wasmtime::OptLevel::Speed).cranelift_nan_canonicalization(true);
    Engine::new(&config).map_err(|error| Error::Runtime(format!("{error:#}")))
}

#[cfg(feature = "compiler")]
fn portable(triple: &str) -> Result<Config, Error> {
    let mut config = Config::new();
    config.target(triple).map_err(|error| Error::Runtime(format!("{error:#}")))?;
    if triple.starts_with("x86_64-") {
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
    Ok(config)
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
fn join(code: &[u8], instrumented: &Instrumented, hash: &str) -> Vec<u8> {
    let mut file = Vec::with_capacity(code.len() + instrumented.image.len() + 128);
    file.extend_from_slice(PRECOMPILED);
    file.extend_from_slice(hash.as_bytes());
    for number in [instrumented.start, instrumented.size, instrumented.image.len()] {
        file.extend_from_slice(&(number as u64).to_le_bytes());
    }
    file.extend_from_slice(&instrumented.image);
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
