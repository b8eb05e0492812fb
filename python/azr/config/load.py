"""What the user typed -> `Config`: files hold only differences, an unknown key names the nearest one."""

import difflib
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError

from azr.config.schema import Config
from azr.errors import ConfigError

EXTRA_KEY = "extra_forbidden"  # pydantic's name of the error


def load_config(path: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Read a file of differences, apply `a.b=c` overrides and check everything.

    Without a path the package's `default.toml` is read: the embedded model on a CPU.

    Raises:
        ConfigError: the file, a key or a value is wrong; the text names the key, the value and what is allowed.
    """
    source = str(path) if path else "default.toml"
    text = _read(path) if path else resources.files("azr").joinpath("default.toml").read_text("utf-8")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not TOML: {error}") from error
    return resolve(values, overrides, source)


def resolve(values: dict[str, Any], overrides: Sequence[str] = (), source: str = "config") -> Config:
    """Check a tree of values with the overrides applied to it."""
    for override in overrides:
        _apply(values, override)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors()]
        raise ConfigError(f"{source}: " + "; ".join(lines)) from error


def dump_config(config: Config) -> str:
    """The resolved config as TOML; loading it gives the same config."""
    return tomli_w.dumps(config.model_dump(mode="json"))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the config {path}: {error}") from error


def _apply(values: dict[str, Any], override: str) -> None:
    """Set one `a.b=c` in the tree; `c` is TOML, or else a plain string."""
    key, equals, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise ConfigError(f"--set {override!r}: expected key=value, such as train.optim.lr=1e-5")
    table = values
    for depth, part in enumerate(parts[:-1], 1):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override!r}: {'.'.join(parts[:depth])} is a value, not a table")
    try:
        table[parts[-1]] = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        table[parts[-1]] = text


def _explain(item: Any) -> str:
    """One validation error as `key = value: what is allowed`."""
    location = [part for part in item["loc"] if isinstance(part, str)]
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] != EXTRA_KEY:
        return f"{key} = {item['input']!r}: {item['msg']}"
    known = list(_section(location[:-1]).model_fields)
    near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
    return f"unknown key {key}: {hint}"


def _section(location: Sequence[str]) -> type[BaseModel]:
    """The model at a path of field names; items of a list of tables stand at the list's name."""
    section: type[BaseModel] = Config
    for name in location:
        annotation: Any = section.model_fields[name].annotation
        section = annotation if isinstance(annotation, type) else annotation.__args__[0]
    return section
