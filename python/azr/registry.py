"""Named parts: a short name from a table, or a user's own `module:function` or `path/to/file.py:function`."""

import difflib
import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azr.errors import RegistryError


def resolve(table: Mapping[str, str], name: str, what: str) -> Any:
    """The object that a config's name stands for.

    Args:
        table: short name -> `module:attribute`.
        name: a key of the table, or `module:attribute` itself.
        what: the config key, for the error's text.

    Raises:
        RegistryError: there is none, or its module cannot be imported.
    """
    path = table.get(name, name)
    module, colon, attribute = path.partition(":")
    if not colon:
        near = difflib.get_close_matches(name, table, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise RegistryError(f"{what} = {name!r}{hint}: known are {', '.join(sorted(table))}, or module:function")
    try:
        found = getattr(load_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RegistryError(f"{what} = {name!r}: {error}") from error
    if not callable(found):
        raise RegistryError(f"{what} = {name!r} is not a function")
    return found


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
