"""A grammar of small Python programs: chains of operations on lists of integers, integers and strings.

An operation is a step from one value to the next. A chain is written as a function `f(x)`. Some steps are statements,
others are inlined into the next expression, so one chain has several texts. Every operation is total on values of its
type, and none mutates its argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LETTERS = "abcd"
WEIGHTS = (0.4, 0.35, 0.25)
"""Share of chains with one, two and three operations."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step. `{x}` in the template is the value before it, `{c}` and `{d}` are constants."""

    word: str
    """Its name in a message."""
    takes: str
    gives: str
    template: str
    constants: str = ""
    """The constants to draw for `{c}` and then `{d}`: `small` 1..3, `digit` 0..9, `two` 2..3, `letter`, `text`."""
    closed: bool = True
    """Whether the expression needs no parentheses before an index or a method."""


def _table(takes: str, rows: Sequence[tuple[str, str, str, str]]) -> list[Operation]:
    """Rows of (word, gives, constants, template). An expression in parentheses is not closed."""
    return [
        Operation(word, takes, gives, template.strip("~"), constants, not template.startswith("~"))
        for word, gives, constants, template in rows
    ]


OPERATIONS: tuple[Operation, ...] = tuple(
    _table(
        "list",
        [
            ("sort", "list", "", "sorted({x})"),
            ("reverse", "list", "", "{x}[::-1]"),
            ("tail", "list", "", "{x}[1:]"),
            ("init", "list", "", "{x}[:-1]"),
            ("first", "list", "small", "{x}[:{c}]"),
            ("drop", "list", "small", "{x}[{c}:]"),
            ("plus", "list", "small", "[v + {c} for v in {x}]"),
            ("times", "list", "two", "[v * {c} for v in {x}]"),
            ("above", "list", "digit", "[v for v in {x} if v > {c}]"),
            ("below", "list", "digit", "[v for v in {x} if v < {c}]"),
            ("even", "list", "", "[v for v in {x} if v % 2 == 0]"),
            ("odd", "list", "", "[v for v in {x} if v % 2 == 1]"),
            ("append", "list", "digit", "~{x} + [{c}]"),
            ("prepend", "list", "digit", "~[{c}] + {x}"),
            ("sum", "int", "", "sum({x})"),
            ("len", "int", "", "len({x})"),
            ("max", "int", "", "max({x}, default=0)"),
            ("min", "int", "", "min({x}, default=0)"),
        ],
    )
    + _table(
        "int",
        [
            ("plus", "int", "small", "~{x} + {c}"),
            ("less", "int", "small", "~{x} - {c}"),
            ("times", "int", "two", "~{x} * {c}"),
            ("mod", "int", "small", "~{x} % {c}"),
            ("pair", "list", "digit", "[{x}, {c}]"),
            ("twice", "list", "", "[{x}, {x}]"),
            ("range", "list", "", "list(range({x} % 7))"),
        ],
    )
    + _table(
        "text",
        [
            ("reverse", "text", "", "{x}[::-1]"),
            ("upper", "text", "", "{x}.upper()"),
            ("tail", "text", "", "{x}[1:]"),
            ("init", "text", "", "{x}[:-1]"),
            ("append", "text", "letter", "~{x} + '{c}'"),
            ("prepend", "text", "letter", "~'{c}' + {x}"),
            ("double", "text", "", "~{x} * 2"),
            ("replace", "text", "letter letter", "{x}.replace('{c}', '{d}')"),
            ("without", "text", "letter", "{x}.replace('{c}', '')"),
            ("sort", "text", "", "''.join(sorted({x}))"),
            ("len", "int", "", "len({x})"),
            ("count", "int", "letter", "{x}.count('{c}')"),
        ],
    )
)

CONDITIONS: dict[str, tuple[str, ...]] = {
    "list": ("len(x) > {c}", "len(x) < {c}", "sum(x) > {d}"),
    "int": ("x > {d}", "x % 2 == 0", "x < {d}"),
    "text": ("len(x) > {c}", "'{l}' in x", "x[:1] == '{l}'"),
}
CONDITIONAL = 0.05
"""Share of steps that are under an `if`; only steps that keep the type can be."""
INLINE = 0.35
"""Share of steps that are inlined into the next one."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step with its constants: an expression over `{x}`, and its condition, if any."""

    word: str
    expression: str
    closed: bool
    condition: str = ""

    def statement(self, indent: str) -> str:
        """The step as lines that assign `x`."""
        assigned = f"x = {self.expression.format(x='x')}"
        if self.condition:
            return f"{indent}if {self.condition}:\n{indent}    {assigned}\n"
        return f"{indent}{assigned}\n"


@dataclass(frozen=True, slots=True)
class Chain:
    """A program of the grammar. `takes` is the type of its input."""

    takes: str
    steps: tuple[Step, ...]
    source: str
    """The function `f(x)`."""

    def tracer(self) -> str:
        """A program whose `f` takes a list of inputs and returns the values before, between and after the steps."""
        body = "".join(step.statement("        ") + "        row.append(x)\n" for step in self.steps)
        head = "def f(xs):\n    rows = []\n    for x in xs:\n        row = [x]\n"
        return f"{head}{body}        rows.append(row)\n    return rows\n"


def draw_chain(rng: np.random.Generator, weights: Sequence[float] = WEIGHTS) -> Chain:
    """A random program. `weights`: of one, two, three ... operations."""
    length = 1 + int(rng.choice(len(weights), p=weights))
    takes = kind = ("list", "list", "text", "int")[rng.integers(4)]
    steps = []
    for _ in range(length):
        choices = [operation for operation in OPERATIONS if operation.takes == kind]
        operation = choices[rng.integers(len(choices))]
        steps.append(_fill(operation, rng))
        kind = operation.gives
    return Chain(takes, tuple(steps), _write(steps, rng))


def draw_input(takes: str, rng: np.random.Generator) -> list[int] | int | str:
    """A random value of a type."""
    if takes == "int":
        return int(rng.integers(20))
    size = int(rng.integers(1, 6)) if rng.random() < 0.97 else 0
    if takes == "text":
        text = "".join(LETTERS[i] for i in rng.integers(len(LETTERS), size=size))
        return text.upper() if rng.random() < 0.05 else text
    return [int(v) for v in rng.integers(10, size=size)]


def _fill(operation: Operation, rng: np.random.Generator) -> Step:
    drawn = [_constant(kind, rng) for kind in operation.constants.split()] + ["", ""]
    text = operation.template.replace("{c}", drawn[0]).replace("{d}", drawn[1])
    condition = ""
    if operation.gives == operation.takes and rng.random() < CONDITIONAL:
        choices = CONDITIONS[operation.takes]
        condition = choices[rng.integers(len(choices))].format(
            c=_constant("small", rng), d=_constant("digit", rng), l=_constant("letter", rng)
        )
    return Step(operation.word, text, operation.closed, condition)


def _constant(kind: str, rng: np.random.Generator) -> str:
    if kind == "letter":
        return LETTERS[rng.integers(len(LETTERS))]
    low, high = {"small": (1, 4), "digit": (0, 10), "two": (2, 4)}[kind]
    return str(rng.integers(low, high))


def _write(steps: Sequence[Step], rng: np.random.Generator) -> str:
    """The steps as a function, in one of its possible texts."""
    lines, before = "def f(x):\n", "x"
    for index, step in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else None
        if step.condition:
            lines += step.statement("    ")
            continue
        expression = step.expression.format(x=before)
        before = "x"
        if following is None:
            return f"{lines}    return {expression}"
        inline = not following.condition and following.expression.count("{x}") == 1 and rng.random() < INLINE
        if inline:
            before = expression if step.closed else f"({expression})"
        else:
            lines += f"    x = {expression}\n"
    return f"{lines}    return x"
