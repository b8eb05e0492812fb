"""Which programs a report shows: evenly over the run, as many as fit."""

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
"""Of a task; the first ones, which measured its solve rate."""
TEXT: Final = 6000
"""Characters of one text."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is shown, by step."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)
    of: int = 0
    """How many there are."""


def choose(
    stored: Stored | None, tasks: Tasks | None, index: TraceIndex, reader: TraceReader, budget: int
) -> Chosen:
    """Entries of the gallery that take up at most `budget` bytes of the page."""
    gallery = Gallery(stored, tasks, index, reader)
    accepted = [at for at, key in enumerate(gallery.entries["key"]) if key >= 0]
    refused = [at for at, key in enumerate(gallery.entries["key"]) if key < 0]
    wanted = sorted(even(accepted, TASKS) + even(refused, REFUSED))
    lines: list[dict[str, Any]] = []
    details: list[dict[str, Any] | None] = []
    # In the order of the trace, so that each of its blocks is unpacked once.
    for start in range(0, len(wanted), 50):
        part = gallery.lines(gallery.entries[wanted[start : start + 50]])
        lines += part
        details += [gallery.detail(line["key"], ATTEMPTS, TEXT) for line in part]
    kept = _fitting(lines, details, budget)
    return Chosen([lines[place] for place in kept], [details[place] or {} for place in kept], len(gallery.entries))


def _fitting(lines: Sequence[dict[str, Any]], details: Sequence[dict[str, Any] | None], budget: int) -> list[int]:
    """Places of what fits, ascending."""
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
    """An upper estimate of the letters that an entry takes once it is compressed with others."""
    return len(zlib.compress(json.dumps(detail).encode("ascii"), 1)) * 4 // 3


def spread(count: int) -> Sequence[int]:
    """0 to count - 1, each half before its parts: wherever it is broken off, what came before is spread out evenly."""
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
