//! Compiles the guest of `azr-sandbox` to native code: for that crate's build script, and no use to anything else.
//!
//! A crate of its own, so that Cranelift is in the build script and not in the programs that embed the sandbox. Its modules
//! are links to those of `azr-sandbox`, which has them by its feature `compiler`.

mod compile;
mod engine;
mod error;
mod instrument;
#[expect(dead_code, reason = "some of it is for who runs the code")]
mod layout;

/// Level of compression: the next ones take several times as long, without optimisation above all.
const LEVEL: i32 = 3;

/// The guest's native code for any processor of an architecture, under an operating system, compressed as the guest is.
/// Its hash must be the one given.
///
/// # Errors
/// When the guest is another, or none.
pub fn native_code(guest: &[u8], hash: &str, architecture: &str, system: &str) -> Result<Vec<u8>, String> {
    let wasm = zstd::decode_all(guest).map_err(|error| error.to_string())?;
    if compile::hash(&wasm) != hash {
        return Err("the guest does not have its recorded hash".to_owned());
    }
    let code =
        compile::precompile(&wasm, Some(&compile::triple(architecture, system))).map_err(|error| error.to_string())?;
    zstd::encode_all(&code[..], LEVEL).map_err(|error| error.to_string())
}
