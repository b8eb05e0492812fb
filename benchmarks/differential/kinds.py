"""Sorts differences between how an item ends under CPython and in the sandbox."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What differs. Texts of exceptions do not count."""

    VALUE = "other value"
    BITS = "last bits"
    ORDER = "other order"
    EXCEPTION = "other exception"
    RAISES = "raises only here"
    ACCEPTS = "raises only there"
    RESOURCE = "resource"
    SYNTAX = "syntax"
    CRASHED = "crashed"


SILENT = (Kind.VALUE, Kind.BITS, Kind.ORDER, Kind.ACCEPTS)
"""Kinds that give a value where CPython gives another or none."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_RESOURCES = ("MemoryError", "RecursionError")


def kind(there: str, here: str) -> Kind | None:
    """How two ends differ: CPython's and the sandbox's."""
    if there == here:
        return None
    names = (there[1:].partition(" ")[0], here[1:].partition(" ")[0])
    if (there[0] == "!" and names[0] in _RESOURCES) or (here[0] == "!" and names[1] in _RESOURCES):
        return Kind.RESOURCE
    if there[0] != here[0]:
        return Kind.RAISES if here[0] == "!" else Kind.ACCEPTS
    if there[0] == "!" and names[0] != names[1]:
        return Kind.EXCEPTION
    if _close(there, here):
        return Kind.BITS
    if sorted(there) == sorted(here):
        return Kind.ORDER
    return Kind.VALUE


def _close(there: str, here: str) -> bool:
    """Whether two texts differ in the last digits of floats only."""
    if _NUMBER.sub("0", there) != _NUMBER.sub("0", here):
        return False
    for one, other in zip(_NUMBER.findall(there), _NUMBER.findall(here), strict=True):
        if one != other and (
            not set(one + other) & set(".e") or abs(float(one) - float(other)) > 1e-13 * abs(float(one))
        ):
            return False
    return True


@dataclass(frozen=True, slots=True)
class Known:
    """A difference that is known: it is counted under its name and not shown."""

    name: str
    pattern: re.Pattern[str]


def known(path: Path) -> list[Known]:
    """Lines of `name: pattern`; the pattern is searched in `kind; item => CPython's end => the sandbox's`."""
    rules = []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, pattern = line.partition(": ")
            rules.append(Known(name, re.compile(pattern, re.DOTALL)))
    return rules


def name_of(rules: list[Known], found: Kind, item: str, there: str, here: str) -> str | None:
    """The first known difference that this one is."""
    text = f"{found}; {item} => {there} => {here}"
    return next((rule.name for rule in rules if rule.pattern.search(text)), None)
