//! Writes the list of frozen modules: the parts of the standard library that work without a host,
//! and this crate's own `lib/`, which stands in for what needs one.
//!
//! One `py_freeze!` a file, sorted: the macro's folder form walks a hash map in random order, and
//! the artefact should not depend on that.

use std::fs;
use std::path::{Path, PathBuf};

/// Single-file modules of the standard library, each with what imports it when that is not obvious.
const MODULES: &str = "
    __future__ _ast_unparse _collections_abc _colorize _compat_pickle _markupbase _opcode_metadata _py_abc
    _py_warnings _pycodecs _pydatetime _pydecimal _pylong _sitebuiltins _strptime _threading_local _weakrefset abc
    annotationlib argparse ast base64 bisect bz2 calendar cmd code codecs codeop colorsys configparser contextlib
    contextvars copy copyreg csv dataclasses datetime decimal difflib dis doctest enum filecmp fileinput fnmatch
    fractions functools genericpath getopt gettext glob graphlib gzip hashlib heapq hmac inspect io ipaddress
    keyword linecache locale lzma mimetypes ntpath numbers opcode operator optparse pickle pickletools pkgutil
    platform plistlib posixpath pprint profile pstats queue quopri random reprlib runpy sched secrets shelve shlex
    shutil sre_compile sre_constants sre_parse stat statistics stringprep struct symtable tarfile tempfile textwrap
    this threading timeit token tokenize trace traceback types typing uuid warnings wave weakref
";

/// Packages, whole.
const PACKAGES: &str =
    "collections email encodings html importlib json pathlib re string tomllib unittest xml zipfile zoneinfo";

/// Parts of packages that are too large to take whole.
const PARTS: &str = "
    asyncio/__init__ asyncio/base_events asyncio/base_futures asyncio/base_tasks asyncio/constants
    asyncio/coroutines asyncio/events asyncio/exceptions asyncio/format_helpers asyncio/futures asyncio/graph
    asyncio/locks asyncio/log asyncio/mixins asyncio/protocols asyncio/queues asyncio/runners asyncio/sslproto
    asyncio/staggered asyncio/streams asyncio/subprocess asyncio/taskgroups asyncio/tasks asyncio/threads
    asyncio/timeouts asyncio/transports asyncio/trsock compression/__init__ compression/_common/__init__ compression/_common/_streams concurrent/__init__
    concurrent/futures/__init__ concurrent/futures/_base dbm/__init__ dbm/dumb http/__init__ http/cookies
    logging/__init__ urllib/__init__ urllib/parse
";

/// What the packages have and nothing here can use: codecs of another system, commands.
const LEFT_OUT: &str = "encodings.mbcs encodings.oem encodings._win_cp_codecs zipfile.__main__";

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
    files.retain(|(name, ..)| !LEFT_OUT.split_whitespace().any(|left_out| left_out == name));
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
