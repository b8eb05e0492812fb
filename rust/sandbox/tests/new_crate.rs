//! The crate as a user has it: a new crate that names it in its Cargo.toml and has the README's program.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "compiles wasmtime anew: minutes. `make check-crate` runs it"]
fn a_new_crate_runs_the_readmes_program_and_holds_no_compiler() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-crate");
    fs::create_dir_all(folder.join("src")).unwrap();
    let readme = fs::read_to_string(here.join("README.md")).unwrap();
    let block = |language: &str| {
        let (_, rest) = readme.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let depends = format!("azr-sandbox = {{ path = {:?} }}", here.display().to_string());
    let manifest = block("toml").replace("azr-sandbox = \"0.1\"", &depends);
    let head = "[package]\nname = \"new-crate\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), format!("{head}{manifest}")).unwrap();
    fs::write(folder.join("src/main.rs"), block("rust")).unwrap();
    // The versions that this workspace is tested with.
    fs::copy(here.join("../../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let cargo = |arguments: &[&str]| {
        let done =
            Command::new(env!("CARGO")).args(arguments).current_dir(&folder).env_remove("CARGO_TARGET_DIR").output();
        let done = done.unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let printed = cargo(&["run", "--release", "--quiet"]);
    assert!(printed.starts_with("3 for "), "{printed}");
    let linked = cargo(&["tree", "--edges", "normal", "--prefix", "none"]);
    assert!(linked.contains("wasmtime") && !linked.contains("cranelift-codegen"), "{linked}");
}
