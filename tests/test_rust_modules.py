"""No module of a Rust crate imports one that imports it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CIRCLES = ROOT / "rust" / "circles.py"


def check(*crates: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CIRCLES, *crates], capture_output=True, text=True, check=False)


def crate(folder: Path, **files: str) -> Path:
    """A crate with these modules; `a__b` is the file `a/b.rs`."""
    for name, source in files.items():
        file = folder / "src" / (name.replace("__", "/") + ".rs")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, "utf-8")
    return folder


def test_no_crate_has_a_circle_of_imports() -> None:
    checked = check()
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "files",
    [
        {"a": "use crate::b::B;", "b": "use crate::a::A;"},
        {"a": "use crate::{b::{B, C}, d::D};", "b": "fn f() { crate::a::g(); }", "d": ""},
        {"a": "use crate::b;", "b": "use crate::c;", "c": "use crate::a;"},
        {"a__mod": "mod b;\npub use b::B;", "a__b": "use super::Shared;"},
        {"a__mod": "mod b;\nfn f() { b::g(); }", "a__b": "mod inner { use super::super::Shared; }"},
        {"lib": "mod a;\npub use a::A;", "a": "use crate::CONSTANT;"},
        {"a": "use crate::b as other;", "b": '/* { */ const TEXT: &str = "// {";\nuse crate::a;'},
    ],
    ids=["plain", "in a tree and in line", "of three", "parent", "inline module", "root", "after comments and strings"],
)
def test_a_planted_circle_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    checked = check(crate(tmp_path, **{"lib": "", **files}))
    assert checked.returncode == 1
    assert "crate::a imports" in checked.stderr


@pytest.mark.parametrize(
    "files",
    [
        {"a": "use crate::b::B;", "b": "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n    fn f() { {} }\n}"},
        {"a": "use crate::b::B;", "b": "#[cfg(all(test, loom))]\nmod models {\n    use crate::a::A;\n}"},
        {"a": "use crate::b::B;", "b": '//! See [`crate::a::A`].\nconst TEXT: &str = "use crate::a;";'},
        {"a": "use crate::b::B;", "b": "use other::a::A;\nuse std::fmt;"},
    ],
    ids=["tests", "models", "documentation", "another crate"],
)
def test_what_only_tests_and_documentation_name_is_no_import(tmp_path: Path, files: dict[str, str]) -> None:
    checked = check(crate(tmp_path, **{"lib": "", **files}))
    assert checked.returncode == 0, checked.stderr
