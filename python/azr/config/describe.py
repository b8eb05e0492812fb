"""Every config key with its meaning, its default and the config files that set it, for `azr config`."""

import ast
import inspect
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from azr.config.base import Section
from azr.config.schema import Config
from azr.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the config."""

    name: str
    """With the names of its tables: `train.optim.lr`."""
    default: Any
    meaning: str
    """From the schema's docstrings; empty where the name says it."""


def keys(section: Section | None = None, prefix: str = "") -> Iterator[Key]:
    """All keys, table by table, in the schema's order."""
    table = section if section is not None else Config()
    meanings = _meanings(type(table))
    for name in type(table).model_fields:
        value = getattr(table, name)
        if isinstance(value, Section):
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield Key(f"{prefix}{name}", value, meanings.get(name, ""))


def set_by(files: Sequence[Path]) -> Mapping[str, list[Path]]:
    """Which of the TOML files set each key.

    Raises:
        ConfigError: a file cannot be read or is not TOML.
    """
    found: dict[str, list[Path]] = {}
    for file in files:
        try:
            tree = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot read {file}: {error}") from error
        for name in _leaves(tree):
            found.setdefault(name, []).append(file)
    return found


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _meanings(model: type[Section]) -> dict[str, str]:
    """The docstring below each field, from the source: they do not exist at run time."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if not issubclass(parent, Section) or parent is Section:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(parent))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            if not isinstance(field, ast.AnnAssign):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[ast.unparse(field.target)] = " ".join(str(text.value.value).split())
    return found
