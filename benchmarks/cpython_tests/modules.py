"""The source texts that the sandbox is given: unittest's own parts, test.support, helpers, and one test file."""

import re
from pathlib import Path
from typing import Final

from azr.sandbox import Sandbox
from files import DATA, HOST, LONE_DATA, WITH_FILES

HERE = Path(__file__).parent / "stand_ins"
IMPORTS = """
import importlib
def f(names):
    absent = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            absent.append(name)
    return absent
"""
NEWER: Final = {
    "typinganndata.ann_module": (("__annotations__[1] = 2\n", ""), ("__annotations__['123'] = 123", "pass")),
    "typinganndata.ann_module3": (("__annotations__[1] = 2\n", "pass\n"),),
    "support": (
        ("_testinternalcapi.get_config()", "{'code_debug_ranges': 1}"),
        ("os.path.dirname(TEST_SUPPORT_DIR)", "'/test'"),
    ),
}
"""Lines of an older copy that CPython 3.14, which the guest follows, has no more, and where test.support looks for its
data: what stands there and what does now."""
ALWAYS = "\nfrom test.support import os_helper, warnings_helper, import_helper\n"
OF_COPY: Final = ("ntpath", "glob", "pathlib", "pathlib._abc", "pathlib._local", "pkgutil", "unittest.mock")
"""Modules of the copy's own library that tests import and that need no host to be imported."""
NOT_AT_HAND: Final = [
    "pwd",
    "grp",
    "_testcapi",
    "_testinternalcapi",
    "_ctypes_test",
    "_testsinglephase",
    "_testmultiphase",
]
"""Modules whose absence tests ask about themselves."""


def absent(sandbox: Sandbox) -> list[str]:
    """The host's modules that this guest has none of."""
    value = sandbox.run(IMPORTS, call=repr([name for name in HOST if name not in NOT_AT_HAND])).value
    assert value is not None, "the program catches what may fail"
    found = value.to_python()
    assert isinstance(found, list)
    return [str(name) for name in found]


def stand_ins(library: Path, names: list[str]) -> dict[str, str]:
    """What every test file may import."""
    sources = {"unittest": (HERE / "unittest_package.py").read_text()}
    for part in ("util", "result", "case", "suite", "loader"):
        sources[f"unittest.{part}"] = (library / "unittest" / f"{part}.py").read_text()
    sources["absent_modules"] = (HERE / "absent.py").read_text()
    for name in names:
        sources[name] = f"import absent_modules\n__getattr__ = absent_modules.attribute({name!r})\n"
        if "." in name:
            sources.setdefault(name.partition(".")[0], "")
    for name in ("asyncio", "doctest", "logging", "sysconfig"):
        if name in names:
            sources[name] = (HERE / f"{name}.py").read_text()
    for name in OF_COPY:
        if name.partition(".")[0] in names or name in names:
            sources[name] = _found(library / name.replace(".", "/")).read_text()
    sources["test"] = ""
    return sources


def data_files(library: Path, source: str) -> dict[str, str]:
    """Data files that a test file names, or whose folder it names; bytes as characters of Latin-1."""
    found = {}
    for folder in DATA:
        base = library / "test" / folder
        if folder in source and base.is_dir():
            paths = (path for path in sorted(base.rglob("*")) if path.is_file() and path.suffix not in (".py", ".pyc"))
            found |= {f"test/{path.relative_to(library / 'test').as_posix()}": path for path in paths}
    for path in (library / "test").rglob("*"):
        if path.suffix in LONE_DATA and path.name in source and path.is_file():
            found[f"test/{path.relative_to(library / 'test').as_posix()}"] = path
    return {name: path.read_bytes().decode("latin-1") for name, path in found.items()}


_FROM = re.compile(r"^\s*from\s+(test(?:\.\w+)*|\.+[\w.]*)\s+import\s+(\([^)]*\)|[^\n#;]+)", re.MULTILINE)
_IMPORT = re.compile(r"^\s*import\s+test\.([\w.]+)", re.MULTILINE)


def imported(name: str, package: bool, source: str) -> set[str]:
    """Modules of the package `test`, without its name, that a module of it may import. By its text: newer syntax is
    no matter, and a name too many does no harm."""
    found = set(_IMPORT.findall(source))
    for base, names in _FROM.findall(source):
        if base.startswith("."):
            rest = base.lstrip(".")
            up = len(base) - len(rest) - package
            parts = name.split(".")[: -up or None] + ([rest] if rest else [])
        else:
            parts = base.split(".")[1:]
        found.add(".".join(parts))
        found |= {".".join([*parts, word]) for word in re.findall(r"(\w+)(?:\s+as\s+\w+)?", names)}
    return found - {""}


def helpers(library: Path, name: str, source: str, seen: set[str]) -> dict[str, str]:
    """Modules of the package `test` that one imports, and those that they import."""
    found = {}
    package = (library / "test" / name.replace(".", "/")).is_dir()
    for other in sorted(imported(name, package, source)):
        parents = other.split(".")
        for module in (".".join(parents[: i + 1]) for i in range(len(parents))):
            text = module_source(library, module) if module not in seen else None
            if text is not None:
                seen.add(module)
                found |= helpers(library, module, text, seen)
                found[f"test.{module}"] = text
    return found


def module_source(library: Path, name: str) -> str | None:
    """The text of a module of the package `test`, if this copy has it."""
    path = _found(library / "test" / name.replace(".", "/"))
    if not path.is_file():
        return None
    text = _read(path)
    for old, new in NEWER.get(name, ()):
        text = text.replace(old, new)
    return text


def _found(base: Path) -> Path:
    """A module's file, or its package's."""
    alone = base.with_suffix(".py")
    return alone if alone.is_file() else base / "__init__.py"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return path.read_text(encoding="latin-1")


def given(library: Path, names: list[str], file: str) -> dict[str, str] | None:
    """All modules for one test file: what the sandbox imports; `test_files` has all that is imported late."""
    source = module_source(library, file)
    if source is None:
        return None
    late = stand_ins(library, names) | helpers(library, file, source + ALWAYS, {file})
    parts = file.split(".")
    for package in (".".join(parts[:length]) for length in range(1, len(parts))):
        late[f"test.{package}"] = module_source(library, package) or ""
    late[f"test.{file}"] = source
    late["test.support.script_helper"] = (HERE / "script_helper.py").read_text()
    # Test files share what they read: test_cmath's data are named in test_math.
    tests = (text for name, text in late.items() if name.startswith("test.test_") or text is source)
    files = data_files(library, "".join(tests))
    return {
        "test_files": f"FILE = {'test.' + file!r}\nFILES = {files!r}\nMODULES = {late!r}\n"
        f"MOUNTED = {file in WITH_FILES}\n",
        "host": (HERE / "host.py").read_text(),
        "collect_tests": (HERE / "collect.py").read_text(),
        "collected": (HERE / "collected.py").read_text(),
    }
