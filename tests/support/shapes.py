"""Checks tensors against the shapes that their classes document: `[B, C], the sampled tokens` below a field.

A letter stands for one size in all fields of an object and of the objects in it, as in the legends of the trainer's
modules; `G + 1` is one more than G.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import fields
from functools import cache, wraps
from itertools import pairwise
from typing import Any

SHAPE = re.compile(r"\[([^\]]*)\]")


@cache
def documented(kind: type) -> dict[str, tuple[str, ...]]:
    """The dimensions of each field whose docstring begins with a shape."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0].body  # type: ignore[attr-defined]
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            shape = SHAPE.match(ast.literal_eval(text.value))
            if shape and isinstance(field.target, ast.Name):
                found[field.target.id] = tuple(part.strip() for part in shape[1].split(","))
    return found


def problems(value: Any, sizes: MutableMapping[str, int] | None = None) -> Iterator[str]:
    """Every field that does not have its documented shape."""
    sizes = {} if sizes is None else sizes
    shapes = documented(type(value))
    for field in fields(value):
        part = getattr(value, field.name)
        if field.name in shapes:
            wanted = shapes[field.name]
            if len(part.shape) != len(wanted) or not all(map(_fits, wanted, part.shape, [sizes] * len(wanted))):
                yield f"{type(value).__name__}.{field.name}: {tuple(part.shape)} is not {wanted} with {dict(sizes)}"
        elif hasattr(part, "__dataclass_fields__"):
            yield from problems(part, sizes)


def _fits(wanted: str, size: int, sizes: MutableMapping[str, int]) -> bool:
    if wanted.isdecimal():
        return size == int(wanted)
    letter, _, more = wanted.partition(" + ")
    return sizes.setdefault(letter, size - int(more or 0)) == size - int(more or 0)


def checking(init: Callable[..., None]) -> Callable[..., None]:
    """The `__init__` of a dataclass that also checks the shapes."""

    @wraps(init)
    def checked(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        assert not list(problems(self)), list(problems(self))

    return checked
