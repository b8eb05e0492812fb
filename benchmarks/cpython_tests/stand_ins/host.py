"""Imported first: modules and files of the tests, in memory, and what test.support asks of the host."""

import _imp
import builtins
import io
import os
import os.path
import sys
from importlib.machinery import ModuleSpec

from test_files import FILES, MODULES, MOUNTED

_open = builtins.open


def _inner(path):
    try:
        path = os.fsdecode(os.fspath(path))
    except TypeError:
        return None
    return os.path.normpath(path).lstrip("/")


class _File(io.BytesIO):
    """Bytes that have a name, as an open file has."""


def _bytes(path):
    """What a file of the tests holds, which may be the source of one of their modules."""
    path = _inner(path)
    if path in FILES:
        return FILES[path].encode("latin-1")
    return SOURCES[path].encode() if path in SOURCES else None


@staticmethod
def open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):  # noqa: PLR0913 - of the builtin
    data = _bytes(file)
    if data is None or set(mode) & set("wax+"):
        return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    held = _File(data)
    held.name = file
    return held if "b" in mode else io.TextIOWrapper(held, encoding or "utf-8", errors, newline)


def _isfile(path):
    return _bytes(path) is not None


def _isdir(path):
    return any(name.startswith((_inner(path) or "?") + "/") for name in FILES)


def _exists(path):
    return _isfile(path) or _isdir(path)


def _listdir(path="."):
    start = _inner(path) + "/"
    return sorted({name[len(start) :].partition("/")[0] for name in FILES if name.startswith(start)})


if not MOUNTED:
    builtins.open = io.open = open
    os.path.isfile, os.path.isdir, os.path.exists, os.listdir = _isfile, _isdir, _exists, _listdir
    os.getcwd = lambda: "/"
# The sandbox's library is frozen: without the frozen modules there is none to import afresh.
_imp._override_frozen_modules_for_tests = lambda enabled: None


def _file(name):
    package = any(other.startswith(name + ".") for other in MODULES)
    return name.replace(".", "/") + ("/__init__.py" if package else ".py")


SOURCES = {_file(name): text for name, text in MODULES.items()}


def _mount():
    """Files of a session, which have no quota here: tests write them as they write those of a system."""
    import azr_files

    azr_files._charge = lambda *_: None
    azr_files.mount()
    for name, text in FILES.items():
        azr_files.put("/" + name, text.encode("latin-1"))
    for name, text in SOURCES.items():
        azr_files.put("/" + name, text.encode())
    os.makedirs("/work")
    os.chdir("/work")


if MOUNTED:
    _mount()


class _Finder:
    """Imports what tests name when they name it, and again where they ask for it afresh."""

    def find_spec(self, name, path=None, target=None):
        if name not in MODULES:
            return None
        file = _file(name)
        return ModuleSpec(name, self, origin=file, is_package=file.endswith("/__init__.py"))

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        spec = module.__spec__
        module.__file__ = spec.origin
        exec(compile(MODULES[spec.name], spec.origin, "exec", dont_inherit=True), module.__dict__)

    def get_source(self, name):
        return MODULES[name]


sys.meta_path.append(_Finder())
