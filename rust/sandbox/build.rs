//! Compiles the guest to native code, so that a program that embeds this crate starts in a fraction of a second and holds
//! no compiler.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "native")]
    native::write();
}

#[cfg(feature = "native")]
mod native {
    use std::path::PathBuf;

    pub(crate) fn write() {
        println!("cargo::rerun-if-changed=guest/guest.wasm.zst");
        let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
        let out = PathBuf::from(variable("OUT_DIR")).join("guest.code.zst");
        // Where documentation is built nothing is run, and there is little time.
        let documented = std::env::var_os("DOCS_RS").is_some();
        let code = if documented {
            Vec::new()
        } else {
            code(&variable("CARGO_CFG_TARGET_ARCH"), &variable("CARGO_CFG_TARGET_OS"))
        };
        std::fs::write(out, code).expect("OUT_DIR is writable");
    }

    fn code(architecture: &str, system: &str) -> Vec<u8> {
        let host = std::env::consts::ARCH;
        assert_eq!(
            architecture, host,
            "azr-sandbox compiles its guest where it is built: turn its feature `native` off, and load what \
             Guest::precompile made on a machine of that architecture"
        );
        let file = "guest/guest.wasm.zst";
        // A build script runs in its package's folder.
        let guest = std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let hash = include_str!("guest/guest.wasm.zst.blake3").trim();
        azr_sandbox_build::native_code(&guest, hash, architecture, system)
            .unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}
