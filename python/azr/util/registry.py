"""Named parts: a short name from a table, or a user's `module:function` or `path/to/file.py:function`."""

import ast
import difflib
import importlib
import importlib.util
import symtable
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azr.errors import RegistryError


def resolve(table: Mapping[str, str], name: str, what: str) -> Any:
    """The object for a config's name.

    Args:
        table: short name -> `module:attribute`.
        name: a key of the table, or `module:attribute` itself.
        what: the config key, for the error's text.

    Raises:
        RegistryError: there is none, or its module cannot be imported.
    """
    module, attribute = _place(table, name, what)
    try:
        found = getattr(load_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RegistryError(f"{what} = {name!r}: {error}") from error
    if not callable(found):
        raise RegistryError(f"{what} = {name!r} is not a function")
    return found


def locate(table: Mapping[str, str], name: str, what: str) -> None:
    """Check that a name can be resolved, without importing its module (and torch).

    Raises:
        RegistryError: there is no such module or file, or it binds no such name.
    """
    module, attribute = _place(table, name, what)
    if name in table:
        return
    try:
        if module in sys.modules:  # its attributes can be inspected
            place: Path | str | None = module
            bound = hasattr(sys.modules[module], attribute)
        else:
            place = _source(module)
            bound = place is None or _binds(place.read_text("utf-8"), attribute)
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        raise RegistryError(f"{what} = {name!r}: {error}") from error
    if not bound:
        raise RegistryError(f"{what} = {name!r}: {place} has no {attribute!r}")


def _place(table: Mapping[str, str], name: str, what: str) -> tuple[str, str]:
    """Module and attribute of a name."""
    module, colon, attribute = table.get(name, name).partition(":")
    if not colon:
        near = difflib.get_close_matches(name, table, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise RegistryError(f"{what} = {name!r}{hint}: known are {', '.join(sorted(table))}, or module:function")
    return module, attribute


def _source(module: str) -> Path | None:
    """The file of a module; None if it is not Python source."""
    if module.endswith(".py"):
        return Path(module)
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {module!r}")
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def _binds(source: str, name: str) -> bool:
    """Whether a module may bind a name, by its source; a module that creates names dynamically may bind any."""
    top = symtable.symtable(source, "module", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    stars = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(ast.parse(source)))
    return stars or not bound.isdisjoint({name, "__getattr__"})


def load_module(module: str) -> Any:
    """A module by its dotted name, or the one in a file (`.py`).

    Raises:
        ImportError: there is none, or its file cannot be read.
    """
    if not module.endswith(".py"):
        return importlib.import_module(module)
    path = Path(module)
    spec = importlib.util.spec_from_file_location(f"azr_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {module}")
    made = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except OSError as error:
        raise ImportError(str(error)) from error
    return made
