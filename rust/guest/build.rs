//! Writes the list of frozen modules: the parts of the standard library that work without a host,
//! and this crate's own `lib/`, which stands in for what needs one.
//!
//! One `py_freeze!` a file, sorted: the macro's folder form walks a hash map in random order, and
//! the artefact should not depend on that.

use std::fs;
use std::path::{Path, PathBuf};

/// Single-file modules of the standard library, each with what imports it when that is not obvious.
const MODULES: &str = "
    __future__ _ast_unparse _collections_abc _colorize _compat_pickle _opcode_metadata _py_abc
    _py_warnings _pydatetime _pydecimal _pylong _strptime _threading_local _weakrefset abc
    annotationlib ast base64 bisect calendar codecs codeop colorsys configparser contextlib contextvars copy
    copyreg csv dataclasses datetime decimal difflib dis enum fnmatch fractions functools genericpath
    getopt graphlib hashlib heapq hmac inspect io ipaddress keyword linecache locale numbers opcode
    operator pickle platform posixpath pprint queue quopri random reprlib sched secrets shlex sre_compile
    sre_constants sre_parse stat statistics stringprep struct textwrap threading timeit token tokenize
    traceback types typing uuid warnings weakref
";

/// Packages, whole.
const PACKAGES: &str = "collections importlib json re string html tomllib";

/// Parts of packages that are too large to take whole.
const PARTS: &str = "
    concurrent/__init__ urllib/__init__ urllib/parse encodings/__init__ encodings/aliases
    encodings/ascii encodings/base64_codec encodings/charmap encodings/cp1252 encodings/cp437
    encodings/hex_codec encodings/idna encodings/iso8859_1 encodings/iso8859_15 encodings/latin_1
    encodings/punycode encodings/raw_unicode_escape encodings/rot_13 encodings/unicode_escape
    encodings/utf_16 encodings/utf_16_be encodings/utf_16_le encodings/utf_32 encodings/utf_32_be
    encodings/utf_32_le encodings/utf_7 encodings/utf_8 encodings/utf_8_sig
    encodings/big5 encodings/cp1250 encodings/cp1251 encodings/cp1253 encodings/cp1254 encodings/cp850
    encodings/cp932 encodings/cp949 encodings/euc_jp encodings/euc_kr encodings/gb18030 encodings/gb2312
    encodings/gbk encodings/hz encodings/iso2022_jp encodings/iso8859_2 encodings/iso8859_5
    encodings/iso8859_9 encodings/koi8_r encodings/mac_roman encodings/shift_jis
";

fn main() {
    println!("cargo:rerun-if-changed=lib");
    println!("cargo:rerun-if-changed=build.rs");
    let library = Path::new(rustpython_pylib::LIB_PATH);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("lib");

    let mut files: Vec<(String, PathBuf, bool)> = Vec::new();
    for name in MODULES.split_whitespace() {
        files.push((name.to_owned(), library.join(format!("{name}.py")), false));
    }
    for name in PACKAGES.split_whitespace() {
        add_folder(&mut files, name, &library.join(name));
    }
    for part in PARTS.split_whitespace() {
        let file = library.join(format!("{part}.py"));
        match part.strip_suffix("/__init__") {
            Some(package) => files.push((package.replace('/', "."), file, true)),
            None => files.push((part.replace('/', "."), file, false)),
        }
    }
    add_folder(&mut files, "", &own);
    files.sort();

    let mut list = String::from("[\n");
    for (name, file, package) in &files {
        assert!(file.is_file(), "no module {name} at {}", file.display());
        list += &format!(
            "    ({name:?}, rustpython_derive::py_compile!(file = {file:?}, module_name = {name:?}, \
             crate_name = \"rustpython_compiler_core\"), {package}),\n"
        );
    }
    list += "]\n";
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("frozen.rs"), list).expect("OUT_DIR is writable");
}

fn add_folder(files: &mut Vec<(String, PathBuf, bool)>, package: &str, folder: &Path) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("a folder can be listed").path();
        let stem = path.file_stem().expect("entries have names").to_string_lossy().into_owned();
        let name = if package.is_empty() { stem.clone() } else { format!("{package}.{stem}") };
        if path.is_dir() {
            if stem != "__pycache__" {
                add_folder(files, &name, &path);
            }
        } else if path.extension().is_some_and(|extension| extension == "py") {
            if stem == "__init__" {
                files.push((package.to_owned(), path, true));
            } else {
                files.push((name, path, false));
            }
        }
    }
}
