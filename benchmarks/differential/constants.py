"""Expressions of constants, each beside the same one with variables in the constants' places.

A compiler may fold the first and cannot fold the second: `differ.folded` gives one end where both are the same to the
bit, or to the exception, and two where they are not.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")

_INTS = (
    "0", "1", "2", "3", "5", "7", "10", "16", "63", "64", "100", "255", "997", "65536", "2147483647", "2147483648",
    "4294967296", "9007199254740991", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "1000000000000000000000003", "0x1f", "0b101", "0o17", "1_000", "True", "False",
)  # fmt: skip
_FLOATS = (
    "0.0", "1.0", "0.5", "2.5", "0.1", "0.2", "0.3", "1.1", "8.0", "3.14159", "2.675", "1e16", "1e22", "1e23", "1e100", "1e-7",
    "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "9007199254740993.0", "1e308", "1e999", "4.35", "1e5",
)  # fmt: skip
_COMPLEX = ("0j", "1j", "2.5j", "1e999j", "1e-7j", "3j")
_SMALL = ("0", "1", "2", "3", "4", "5")
_TEXTS = ("''", "'a'", "'abc'", "'%s'", "'%d|%5.2f'", "'\\u00e9'", "'\\U0001f600'", "'x y'", "'abcdef'")
_BYTES = ("b''", "b'ab'", "b'\\xff'", "b'%s'", "b'wxyz'")
_TUPLES = ("()", "(1, 2)", "(1, 2.0, 'x')", "((1,), 2)", "('a', None)", "(True, 0.0, 0j)")
_FAMILIES = (_TEXTS, _BYTES, _TUPLES)
_OTHERS = ("None", "...", "True", "False")
_ARITHMETIC = ("+", "-", "*", "/", "//", "%", "**")
_WHOLE = ("+", "-", "*", "//", "%", "**", "<<", ">>", "&", "|", "^", "<<", ">>", "&", "|", "^")
_ODD = 0.03
"""Share of operands of another type than the operation wants."""
_COMPARISONS = ("<", "<=", "==", "!=", ">", ">=")
Pair = tuple[str, str]
"""An expression with its constants, and with variables."""


class Constants:
    """One item's draws."""

    def __init__(self, rng: Random) -> None:
        self.roll = rng.random
        self.values: list[str] = []
        self.family = self.pick(_FAMILIES)

    def pick(self, items: Sequence[Item]) -> Item:
        return items[int(self.roll() * len(items))]

    def constant(self, text: str) -> Pair:
        self.values.append(text)
        return text, f"a{len(self.values) - 1}"

    def number(self, depth: int) -> Pair:
        roll = self.roll()
        if roll < 0.35 and depth > 0:
            return self.whole(depth)
        if roll < 0.5 or depth <= 0:
            kind = self.roll()
            return self.constant(self.pick(_INTS if kind < 0.45 else _FLOATS if kind < 0.9 else _COMPLEX))
        if roll < 0.6:
            return _joined(self.pick(("(-{})", "(+{})", "(not {})", "(--{})")), self.number(depth - 1))
        if roll < 0.9:
            sign = self.pick(_ARITHMETIC)
            left = self.number(depth - 1)
            right = self.exponent(left[0].isalnum()) if sign == "**" else self.number(depth - 1)
            return _joined(f"({{}} {sign} {{}})", left, right)
        if roll < 0.95:
            return _joined("({} if {} else {})", *(self.number(depth - 1) for _ in range(3)))
        return _joined(self.pick(("({} and {})", "({} or {})")), self.number(depth - 1), self.number(depth - 1))

    def exponent(self, large: bool) -> Pair:
        """Small: a power is no larger than a text that can be compared."""
        texts = (*_SMALL, "0.0", "0.5", "2.0", "1.5", "0j", "1j", *(("64", "100") if large else ()))
        return _joined("(-{})" if self.roll() < 0.3 else "{}", self.constant(self.pick(texts)))

    def whole(self, depth: int) -> Pair:
        roll = self.roll()
        if roll < _ODD:
            return self.constant(self.pick(_FLOATS))
        if roll < 0.3 or depth <= 0:
            return self.constant(self.pick(_INTS))
        if roll < 0.45:
            return _joined(self.pick(("(-{})", "(+{})", "(~{})", "(~-{})")), self.whole(depth - 1))
        sign = self.pick(_WHOLE)
        small = sign in ("**", "<<", ">>")
        right = self.constant(self.pick(_SMALL)) if small else self.whole(depth - 1)
        return _joined(f"({{}} {sign} {{}})", self.whole(depth - 1), right)

    def comparison(self, depth: int) -> Pair:
        signs = [self.pick(_COMPARISONS) for _ in range(1 + (self.roll() < 0.3))]
        form = "({} " + " ".join(f"{sign} {{}}" for sign in signs) + ")"
        return _joined(form, *(self.number(depth - 1) for _ in range(len(signs) + 1)))

    def sequence(self, depth: int) -> Pair:
        roll = self.roll()
        if depth <= 0 or roll < 0.3:
            return self.constant(self.pick(self.pick(_FAMILIES) if self.roll() < _ODD else self.family))
        if roll < 0.5:
            return _joined("({} + {})", self.sequence(depth - 1), self.sequence(depth - 1))
        if roll < 0.65:
            times = self.constant(self.pick(_SMALL))
            return _joined(self.pick(("({} * {})", "({1} * {0})")), self.sequence(depth - 1), times)
        if roll < 0.8:
            ends = (self.constant(self.pick(_SMALL)), self.constant(self.pick(_SMALL)))
            return _joined("({}[{}:{}])", self.sequence(depth - 1), *ends)
        if self.family is _TUPLES:
            form = self.pick(("({}, {})", "({}, *{})", "(*({},), {})"))
            return _joined(form, self.number(depth - 1), self.sequence(depth - 1))
        return _joined("({} % {})", self.constant(self.pick(self.family)), self.any(depth - 1))

    def any(self, depth: int) -> Pair:
        roll = self.roll()
        if roll < 0.45:
            return self.number(depth)
        if roll < 0.7:
            return self.sequence(depth)
        if roll < 0.75:
            return self.constant(self.pick(_OTHERS))
        if roll < 0.85:
            return self.comparison(depth)
        if roll < 0.9:
            return _joined("({}[{}])", self.sequence(depth - 1), self.constant(self.pick(_SMALL)))
        if roll < 0.95:
            form = self.pick(("({} in {})", "({} not in {})", "({} == {})"))
            return _joined(form, self.sequence(depth - 1), self.sequence(depth - 1))
        return _joined("(f'{{{}}}' + f'{{{}!r}}')", self.number(depth - 1), self.sequence(depth - 1))


def _joined(form: str, *pairs: Pair) -> Pair:
    return form.format(*(pair[0] for pair in pairs)), form.format(*(pair[1] for pair in pairs))


def item(rng: Random) -> str:
    """One item: an operation on constants, and on variables that have their values."""
    constant = ""
    while not constant.startswith(("(", "-")):  # else a constant alone, which nothing is done to
        draw = Constants(rng)
        shapes: tuple[Callable[[int], Pair], ...] = (draw.number, draw.number, draw.any, draw.comparison, draw.sequence)
        constant, through = shapes[int(draw.roll() * len(shapes))](3)
    names = ", ".join(f"a{number}" for number in range(len(draw.values)))
    return f"folded(lambda: {constant}, lambda {names}: {through}, {', '.join(draw.values)})"
