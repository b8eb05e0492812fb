"""What the site computes from the code: the table of layers and the list of all config keys. Run by mkdocs."""

import ast
import inspect
import json
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

ROOT = Path(__file__).parents[1]

SUBJECTS = {
    "types": "values, errors, small tools",
    "config": "options; the extension module",
    "sandbox": "clients of the Rust core, what needs nothing else",
    "tasks": "parts: one file for each kind, reward, engine, loss and advantage",
    "domains": "plug-in kinds",
    "run.folder": "the run folder, the curriculum, what stages work with",
    "propose": "the stages",
    "evals": "what looks at a run, or uses its parts elsewhere",
    "loop": "a whole run; what makes and warms up models",
    "report": "the page of a run, data sets of tasks, self-play in other trainers",
    "watch": "the same page, live",
    "cli": "the command line; the only place that prints",
}
"""By the first module of a layer: what is there."""


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put what is computed in the place of its mark."""
    for mark, write in {"<!-- layers -->": layers, "<!-- config -->": keys}.items():
        if mark in markdown:
            markdown = markdown.replace(mark, write())
    return markdown


def layers() -> str:
    """One row for each layer of `tests/test_layers.py`, lowest first."""
    tree = ast.parse((ROOT / "tests" / "test_layers.py").read_text("utf-8"))
    found = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "LAYERS"
    )
    rows = []
    for number, names in enumerate(ast.literal_eval(found), 1):
        modules = names.split()
        rows.append(f"| {number} | {' '.join(f'`{name}`' for name in modules)} | {SUBJECTS.get(modules[0], '')} |")
    return "\n".join(rows)


def keys() -> str:
    """Every key by table: type, default, meaning, and the files below `configs/` that set it."""
    # Not when this file is loaded: mkdocs puts the path back after that.
    if (sources := str(ROOT / "python")) not in sys.path:
        sys.path.insert(0, sources)
    from azr.config.schema import Config

    used = _users()
    return "\n".join(line for prefix, model in _tables(Config, "") for line in _table(prefix, model, used))


def _tables(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """The model and those of its fields, depth first, each with the prefix of its keys."""
    yield prefix, model
    for name, field in model.model_fields.items():
        if (inner := _model(field.annotation)) is not None:
            yield from _tables(inner, f"{prefix}{name}.")


def _table(prefix: str, model: type[BaseModel], used: dict[str, list[str]]) -> Iterator[str]:
    yield f"\n## {prefix.removesuffix('.') or 'top level'}\n"
    # Without a docstring of its own a class has that of its base, which says nothing about it.
    if own := model.__dict__.get("__doc__"):
        yield f"{inspect.cleandoc(own)}\n"
    notes = _notes(model)
    rows = [
        f"| `{prefix}{name}` | {_type(field.annotation)} | {_default(field)} | {notes.get(name, '')} |"
        f" {', '.join(f'`{file}`' for file in used.get(prefix + name, []))} |"
        for name, field in model.model_fields.items()
        if _model(field.annotation) is None or get_origin(field.annotation) is tuple
    ]
    if rows:
        yield "| Key | Type | Default | Meaning | Set by |\n|---|---|---|---|---|"
        yield from rows


def _notes(model: type[BaseModel]) -> dict[str, str]:
    """The texts that stand below the fields of a class, and of the classes that it derives from."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base is BaseModel or not issubclass(base, BaseModel):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for node, after in zip(tree.body, tree.body[1:], strict=False):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_text:
                found[node.target.id] = " ".join(str(after.value.value).split()).replace("|", "\\|")  # type: ignore[attr-defined]
    return found


def _model(annotation: Any) -> type[BaseModel] | None:
    """The table that a field holds, or holds several of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model(inner)) is not None), None)


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "list"
    return "table" if get_origin(annotation) is dict else getattr(annotation, "__name__", str(annotation))


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple):
        value = list(value)
    text = "required" if field.is_required() else json.dumps(value, default=str)
    return f"`{text}`" if len(text) <= 40 else "see the code"


def _users() -> dict[str, list[str]]:
    """Key -> the files below `configs/`, without `.toml`, that set it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "configs").rglob("*.toml")):
        for key in _flat(tomllib.loads(path.read_text("utf-8")), ""):
            found.setdefault(key, []).append(path.stem)
    return found


def _flat(values: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name
