"""Selection of the programs in a report: evenly over the run, as many as fit."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from azr.oversight.traces import TraceReader
from azr.report.curriculum import Tasks, even
from azr.report.gallery import Gallery
from azr.report.index import TraceIndex
from azr.report.stored import Stored

TASKS: Final = 2000
REFUSED: Final = 500
ATTEMPTS: Final = 4
"""Attempts shown per task, trials first."""
TEXT: Final = 6000
"""Maximum characters of one text."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The selection, by step."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)
    of: int = 0
    """How many there are."""


def choose(stored: Stored | None, tasks: Tasks | None, index: TraceIndex, reader: TraceReader, budget: int) -> Chosen:
    """Entries of the gallery that take at most `budget` bytes of the page."""
    gallery = Gallery(stored, tasks, index, reader)
    accepted = [at for at, key in enumerate(gallery.entries["key"]) if key >= 0]
    refused = [at for at, key in enumerate(gallery.entries["key"]) if key < 0]
    wanted = sorted(even(accepted, TASKS) + even(refused, REFUSED))
    lines: list[dict[str, Any]] = []
    details: list[dict[str, Any] | None] = []
    # In the order of the trace, so that each of its blocks is decompressed once.
    for start in range(0, len(wanted), 50):
        part = gallery.lines(gallery.entries[wanted[start : start + 50]])
        lines += part
        details += [gallery.detail(line["key"], ATTEMPTS, TEXT) for line in part]
    kept = _fitting(lines, details, budget)
    return Chosen([lines[place] for place in kept], [details[place] or {} for place in kept], len(gallery.entries))


def _fitting(lines: Sequence[dict[str, Any]], details: Sequence[dict[str, Any] | None], budget: int) -> list[int]:
    """Indices of what fits, ascending."""
    kept = []
    for place in spread(len(lines)):
        detail = details[place]
        if detail is None:
            continue
        budget -= cost(detail) + cost(lines[place])
        if budget < 0:
            break
        kept.append(place)
    return sorted(kept)


def cost(detail: dict[str, Any]) -> int:
    """An upper estimate of an entry's compressed size in characters."""
    return len(zlib.compress(json.dumps(detail).encode("ascii"), 1)) * 4 // 3


def spread(count: int) -> Sequence[int]:
    """0 to count - 1 in bisection order: any prefix is spread out evenly."""
    order: list[int] = []
    width = 1
    while width < count:
        width *= 2
    seen: set[int] = set()
    while width >= 1:
        for place in range(0, count, width):
            if place not in seen:
                seen.add(place)
                order.append(place)
        width //= 2
    return order
