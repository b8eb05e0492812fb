"""Load a `Config`: files hold only differences to the defaults; an unknown key names the nearest known one."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from azr.config.explain import explain
from azr.config.lineage import EMBEDDED, EMBEDDED_TEMPLATE, prompt_of, template_of
from azr.config.mixture import with_domains
from azr.config.renamed import refuse_lost, translate
from azr.config.schema import Config
from azr.errors import ConfigError

MAX_FILE = 4 << 20
"""Maximum size of a config file in bytes."""


def load_config(path: Path | None = None, overrides: Sequence[str] = (), *, written: bool = False) -> Config:
    """Read a file of differences, apply `a.b=c` overrides and check everything.

    They are differences to the defaults of the schema; for the embedded model, and what grew from it, to the package's
    `default.toml` on top of those. A config that names no model is about the embedded one.

    Args:
        written: the file is a run's own, which azr wrote: keys of an older azr are read under their new names. Those
            that were removed are refused, unless the run did without.

    Raises:
        ConfigError: the file, a key or a value is wrong; the text names the key, the value and what is allowed.
    """
    source = str(path) if path else "default.toml"
    try:
        values = tomllib.loads(_read(path)) if path else {}
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source} is not TOML: {error}") from error
    if written:
        refuse_lost(values)
        translate(values)
    for override in overrides:
        _apply(values, override)
    if _is_about_the_embedded(values):
        own = resources.files("azr").joinpath("default.toml").read_text("utf-8")
        values = _over(tomllib.loads(own), values)
    values = _over(_learnt(values), values)
    # Once more: they win over everything, and errors name them.
    return resolve(values, overrides, source, path.parent if path else None)


def _is_about_the_embedded(values: dict[str, Any]) -> bool:
    """Whether the model is the embedded one or grew from it; a script is no model."""
    model, engine = values.get("model", {}), values.get("engine", {})
    if not isinstance(model, dict) or not isinstance(engine, dict):
        return False  # refused with a reason during validation
    return engine.get("name") != "scripted" and template_of(str(model.get("name", EMBEDDED))) == EMBEDDED_TEMPLATE


def _learnt(values: dict[str, Any]) -> dict[str, Any]:
    """The prompts that the model was warmed up with, which it goes on with unless the config says otherwise."""
    model = values.get("model", {})
    found = prompt_of(str(model.get("name", EMBEDDED))) if isinstance(model, dict) else {}
    return {"prompt": found} if found else {}


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Deep merge of two trees; the second wins."""
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = _over(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def resolve(
    values: dict[str, Any], overrides: Sequence[str] = (), source: str = "config", folder: Path | None = None
) -> Config:
    """Validate a tree of values with the overrides applied. `folder`: base of relative domain paths."""
    for override in overrides:
        _apply(values, override)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        lines = [f"{_origin(item['loc'], source, overrides)}: {explain(item, Config)}" for item in error.errors()]
        raise ConfigError("; ".join(lines)) from error
    config = _anchor(config, folder or Path())
    return with_domains(config, folder or Path(), "kinds" in values.get("tasks", {})) if config.domains else config


def _origin(location: Sequence[str | int], source: str, overrides: Sequence[str]) -> str:
    """Where a wrong value comes from: an override of its key, its section or a key inside it; or else the file."""
    key = ".".join(str(part) for part in location)
    for override in overrides:
        changed = override.partition("=")[0].strip()
        if f"{key}.".startswith(f"{changed}.") or f"{changed}.".startswith(f"{key}."):
            return "--set"
    return source


def _anchor(config: Config, folder: Path) -> Config:
    """A script in a file is relative to the config's file."""
    file, colon, function = config.engine.script.rpartition(":")
    if not colon or not file.endswith(".py"):
        return config
    script = f"{(folder / file).resolve()}:{function}"
    return config.model_copy(update={"engine": config.engine.model_copy(update={"script": script})})


def dump_config(config: Config) -> str:
    """The resolved config as TOML; loading it gives the same config."""
    return tomli_w.dumps(config.model_dump(mode="json"))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigError(f"{path} is longer than any config: the limit is {MAX_FILE:,} bytes")
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
    except (ValueError, RecursionError):
        table[parts[-1]] = text
