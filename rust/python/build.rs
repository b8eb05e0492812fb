//! Compiles the guest to native code, so that an installed package starts in a fraction of a second.

use std::path::PathBuf;

use azr_sandbox::Guest;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let wasm = azr_sandbox::embedded_wasm().unwrap_or_else(|error| panic!("{error}"));
    // Not this machine, but the one that the library is for.
    let target = std::env::var("TARGET").expect("cargo sets it");
    let code = Guest::precompile_for(&wasm, &target).unwrap_or_else(|error| {
        panic!("no native code for {target}: {error}; for another processor than this, build with --features cross")
    });
    // Level 9: higher ones take a minute to save a tenth.
    let compressed = zstd::encode_all(&code[..], 9).expect("memory takes any bytes");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("guest.code.zst"), compressed).expect("OUT_DIR is writable");
}
