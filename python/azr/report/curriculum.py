"""The curriculum over time, from the task buffer: solve rates of new tasks, their programs' sizes, complexity, variety.

Steps are grouped into at most 60 bins with dozens of tasks each. Solve rates cover all tasks, as first measured;
measures of programs cover at most `SAMPLE` tasks per bin and kind, evenly chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from azr.report.code import Measures, measures, patterns, unlikeness
from azr.report.stored import Stored

BINS: Final = 60
TASKS_A_BIN: Final = 90
"""Minimum tasks per bin beyond 8 bins: shares of fewer tasks are noise."""
SAMPLE: Final = 20
RATES: Final = ("unsolved", "hard", "middle", "easy", "solved")
"""Solve rate 0; up to 1/3; up to 2/3; below 1; 1."""
MEASURED: Final = ("operations", "cyclomatic", "volume", "nodes", "lines")

Columns = dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class Tasks:
    """Columns of all stored tasks."""

    key: NDArray[np.int64]
    """Task ids."""

    kinds: tuple[str, ...]
    """Names of the kinds."""
    kind: NDArray[np.int64]
    """Index into `kinds`."""
    step: NDArray[np.int64]
    rate: NDArray[np.float64]
    """As first measured; NaN without trials."""

    def __len__(self) -> int:
        return len(self.step)

    def of(self, kind: str) -> NDArray[np.bool_]:
        return np.asarray(self.kind == self.kinds.index(kind))


def read_tasks(stored: Stored) -> Tasks:
    """The numbers of all tasks."""
    keys = stored.keys()
    count = len(keys)
    kind, step = np.zeros(count, np.int64), np.zeros(count, np.int64)
    rate = np.full(count, np.nan)
    numbers: dict[str, int] = {}
    for start in range(0, count, 1000):
        part = [int(key) for key in keys[start : start + 1000]]
        for at, row in enumerate(stored.rows(part), start):
            kind[at], step[at] = numbers.setdefault(row[0], len(numbers)), row[6]
            history = stored.state(int(keys[at])).history
            if history:
                rate[at] = history[0].rate
    return Tasks(keys, tuple(numbers), kind, step, rate)


class Measured:
    """Cached measures of programs; unused ones expire after one refresh."""

    def __init__(self) -> None:
        self._before: dict[str, Measures | None] = {}
        self._now: dict[str, Measures | None] = {}

    def turn(self) -> None:
        """Begin another refresh."""
        self._before, self._now = self._now, {}

    def of(self, program: str) -> Measures | None:
        if program not in self._now:
            self._now[program] = self._before[program] if program in self._before else measures(program)
        return self._now[program]


def curriculum(stored: Stored, tasks: Tasks, measured: Measured) -> tuple[list[float], Columns]:
    """Middle step of each bin, and columns named `<kind>/<name>`; None where a bin has no data."""
    measured.turn()
    edges = bin_edges(tasks.step)
    columns: Columns = {}
    for kind in tasks.kinds:
        of_kind = np.flatnonzero(tasks.of(kind))
        seen: set[int] = set()
        for low, high in pairwise(edges):
            ids = of_kind[(tasks.step[of_kind] >= low) & (tasks.step[of_kind] < high)]
            found = {**_rates(tasks.rate[ids]), **_programs(stored, tasks.key[ids], measured, seen)}
            for name, value in found.items():
                columns.setdefault(f"{kind}/{name}", []).append(value)
    return [(low + high - 1) / 2 for low, high in pairwise(edges)], columns


def bin_edges(steps: NDArray[np.int64]) -> list[int]:
    """Edges of the bins; seed tasks (step 0) have their own."""
    last = int(steps.max(initial=0))
    if last == 0:
        return [0, 1]
    bins = min(BINS, max(8, len(steps) // TASKS_A_BIN))
    width = -(-last // bins)
    return [0, *range(1, last + 1, width), last + 1]


def even(items: Sequence[int] | NDArray[np.int64], count: int) -> list[int]:
    """At most `count` of the items, evenly spaced, in order."""
    if len(items) <= count:
        return [int(item) for item in items]
    return [int(items[int(position)]) for position in np.linspace(0, len(items) - 1, count)]


def _rates(rates: NDArray[np.float64]) -> dict[str, float | None]:
    """Shares of the tried tasks by solve rate, and the mean."""
    tried = rates[~np.isnan(rates)]
    if not len(tried):
        return dict.fromkeys([f"rate/{name}" for name in RATES] + ["rate/mean", "rate/low", "rate/high"])
    place = np.select([tried <= 0, tried <= 1 / 3, tried <= 2 / 3, tried < 1], [0, 1, 2, 3], 4)
    shares = np.bincount(place, minlength=len(RATES)) / len(tried)
    low, high = np.quantile(tried, [0.25, 0.75])
    named = {f"rate/{name}": float(share) for name, share in zip(RATES, shares, strict=True)}
    return {**named, "rate/mean": float(tried.mean()), "rate/low": float(low), "rate/high": float(high)}


def _programs(stored: Stored, ids: NDArray[np.int64], measured: Measured, seen: set[int]) -> dict[str, float | None]:
    """Measures of a sample of a bin's programs. `seen`: shapes in earlier bins."""
    programs = [row[1] for row in stored.rows(even(ids, SAMPLE))]
    found = [about for program in programs if (about := measured.of(program)) is not None]
    numbers: dict[str, float | None] = {}
    for name in MEASURED:
        values = [getattr(about, name) for about in found]
        low, middle, high = np.quantile(values, [0.1, 0.5, 0.9]) if values else (None, None, None)
        numbers |= {f"{name}/low": low, f"{name}/middle": middle, f"{name}/high": high}
    numbers["new_shapes"] = sum(about.whole not in seen for about in found) / len(found) if found else None
    seen |= {about.whole for about in found}
    numbers["unlikeness"] = unlikeness([about.shape for about in found])
    return numbers


def comment_shares(found: Sequence[Sequence[str]]) -> dict[str, float | None]:
    """Share of programs with any comment, and with step-by-step patterns in them. `found`: each one's comments."""
    if not found:
        return {"commented": None, "stepwise": None}
    return {
        "commented": sum(bool(texts) for texts in found) / len(found),
        "stepwise": sum(bool(patterns(texts)) for texts in found) / len(found),
    }
