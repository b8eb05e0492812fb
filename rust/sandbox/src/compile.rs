//! Makes files of native code from guests.
//!
//! `azr-sandbox-build` has this file, too.

#![expect(unsafe_code, reason = "promises instructions to Cranelift; the block says why it is right")]

use wasmtime::{Config, OptLevel};

use crate::engine::{PRECOMPILED, engine};
use crate::error::Error;
use crate::instrument::{Instrumented, Nans, instrument};

/// Compiles a guest into a file, portable for what Rust calls by that name, or for such a machine as this.
pub(crate) fn precompile(wasm: &[u8], portable: Option<&str>) -> Result<Vec<u8>, Error> {
    let instrumented = instrument(wasm, Nans::of(portable))?;
    Ok(join(&native_code(&instrumented, portable)?, &instrumented, &hash(wasm)))
}

/// The native code of an instrumented guest.
pub(crate) fn native_code(instrumented: &Instrumented, triple: Option<&str>) -> Result<Vec<u8>, Error> {
    let mut config = triple.map_or_else(|| Ok(Config::new()), portable)?;
    let windows = triple.map_or(cfg!(windows), |triple| triple.contains("-windows-"));
    // Cranelift's way would give NaNs a plus, and CPython on x86-64 shows a minus: `crate::instrument::Nans` sees to that.
    config.cranelift_opt_level(OptLevel::Speed).cranelift_nan_canonicalization(false);
    let code = engine(&config, windows)?.precompile_module(&instrumented.code);
    code.map_err(|error| Error::BadGuest(format!("{error:#}")))
}

/// What Rust calls an architecture and a system.
pub(crate) fn triple(architecture: &str, system: &str) -> String {
    let system = match system {
        "macos" => "apple-darwin",
        "windows" => "pc-windows-msvc",
        _ => "unknown-linux-gnu",
    };
    format!("{architecture}-{system}")
}

/// BLAKE3 of a module, in hexadecimal.
pub(crate) fn hash(wasm: &[u8]) -> String {
    blake3::hash(wasm).to_hex().to_string()
}

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

/// Code and image in one file: magic, hash, start, size, image's length, image, code.
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
