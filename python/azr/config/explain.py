"""Validation errors in words."""

import difflib
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

from azr.config.renamed import REMOVED, RENAMED

EXTRA_KEY = "extra_forbidden"  # pydantic's name of the error


def explain(item: Any, model: type[BaseModel]) -> str:
    """One validation error as `key = value: what is allowed`; an unknown key names the nearest one."""
    location = [part for part in item["loc"] if isinstance(part, str)]
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] != EXTRA_KEY:
        return f"{key} = {item['input']!r}: {item['msg']}" if key else str(item["msg"])
    if key in RENAMED:
        return f"unknown key {key}: it is called {RENAMED[key]} now"
    if key in REMOVED:
        return f"unknown key {key}: it was removed; {REMOVED[key][1]}"
    known = list(_section(location[:-1], model).model_fields)
    near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
    return f"unknown key {key}: {hint}"


def _section(location: Sequence[str], model: type[BaseModel]) -> type[BaseModel]:
    """The model at a path of field names. Entries of a list or a table of tables are transparent."""
    section = model
    for name in location:
        if name in section.model_fields:
            section = _inner(section.model_fields[name].annotation) or section
    return section


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The table that a field holds, alone or in a collection."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if found := _inner(argument):
            return found
    return None
