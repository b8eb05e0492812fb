"""Draws programs from seeds: the same seed gives the same program under every Python."""

import re
from collections.abc import Callable, Sequence
from random import Random

from constants import item as constant_item
from literals import LITERALS
from overrides import item as override_item
from statements import FORMS
from tables import containers, numbers, text

_HOLE = re.compile(r"<([a-z]+)(?: ([a-z]+):([a-z]+))?>")
Part = str | tuple[str, str, str]
Template = tuple[Part, ...]
ODD = 0.02
"""Share of holes that get a value of any type."""
DEPTH = 3


def _parts(line: str) -> Template:
    """A template's text and holes; a hole is its type and the variable that it may use, with that one's type."""
    parts: list[Part] = []
    end = 0
    for hole in _HOLE.finditer(line):
        parts.append(line[end : hole.start()])
        parts.append((hole[1], hole[2] or "", hole[3] or ""))
        end = hole.end()
    parts.append(line[end:])
    return tuple(part for part in parts if part)


TEMPLATES: dict[str, list[Template]] = {}
KIND_OF: dict[str, str] = {}
for _kind, _module in (("numbers", numbers), ("text", text), ("containers", containers)):
    for _type, _lines in _module.TABLE.items():
        TEMPLATES.setdefault(_type, []).extend(_parts(line) for line in _lines.strip().splitlines())
        KIND_OF[_type] = _kind
KINDS = ("numbers", "text", "containers", "statements")
APART: dict[str, Callable[[Random], str]] = {"constants": constant_item, "overrides": override_item}
"""Kinds for themselves: drawn when asked for, so that the other seeds draw what they always drew."""
ALL_KINDS = (*KINDS, *APART)
_TYPES = tuple(type_ for type_ in LITERALS if type_ in TEMPLATES)


class Draw:
    """One program's draws."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.roll = self.rng.random
        self.scope: list[tuple[str, str]] = []
        """Variables that may be used, each with its type."""
        self.count = 0

    def choose(self, items: Sequence[Template]) -> Template:
        return items[int(self.roll() * len(items))]

    def expression(self, type_: str, depth: int) -> str:
        """Text of an expression that mostly has this type."""
        roll = self.roll
        if roll() < ODD and type_ in TEMPLATES:
            type_ = _TYPES[int(roll() * len(_TYPES))]
        if self.scope and roll() < 0.4:
            names = [
                name
                for name, its in self.scope
                if its == type_ or type_ == "any" or (type_ == "num" and its in ("int", "float"))
            ]
            if names:
                return names[int(roll() * len(names))]
        if depth <= 0 or type_ not in TEMPLATES or roll() < 0.45:
            return LITERALS[type_](self.rng)
        filled = self.fill(self.choose(TEMPLATES[type_]), depth - 1)
        return f"({filled})"

    def fill(self, template: Template, depth: int) -> str:
        """A template's text with every hole filled."""
        texts: list[str] = []
        for part in template:
            if isinstance(part, str):
                # `2.real` is no expression, `(2).real` is.
                if part[0] == "." and texts and texts[-1][-1:].isdigit():
                    texts[-1] = f"({texts[-1]})"
                texts.append(part)
                continue
            type_, name, its = part
            if name:
                self.scope.append((name, its))
                texts.append(self.expression(type_, depth))
                self.scope.pop()
            else:
                texts.append(self.expression(type_, depth))
        return "".join(texts)

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"


def program(seed: int, kinds: Sequence[str] = KINDS, items: int = 8) -> list[str]:
    """The items of one program: each an expression on one line, or lines that define `g`."""
    draw = Draw(seed)
    choices = [
        (type_, template) for type_, templates in TEMPLATES.items() if KIND_OF[type_] in kinds for template in templates
    ]
    return [_item(draw, kinds, choices) for _ in range(items)]


def _item(draw: Draw, kinds: Sequence[str], choices: list[tuple[str, Template]]) -> str:
    draw.scope.clear()
    for kind, apart in APART.items():
        if kind in kinds and (len(kinds) == 1 or draw.roll() < 0.2):
            return apart(draw.rng)
    if "statements" in kinds and (not choices or draw.roll() < 0.2):
        form: Callable[[Draw], str] = FORMS[int(draw.roll() * len(FORMS))]
        return form(draw)
    _, template = choices[int(draw.roll() * len(choices))]
    return draw.fill(template, DEPTH - 1)


def source(items: Sequence[str]) -> str:
    """The program: `f` gives how each item ends."""
    lines = ["from differ import *"]
    names = []
    for number, item in enumerate(items):
        if "\n" in item:
            lines.append(item.replace("def g(", f"def g{number}(", 1))
            names.append(f"g{number}")
        else:
            names.append(f"lambda: ({item})")
    joined = ",\n    ".join(names)
    return "\n".join([*lines, f"def f(x): return ends([\n    {joined},\n])\n"])
