"""An index of a trace: a few numbers per row, so that rows can be found without reading them.

24 bytes a row: a hundred thousand rows are 2.4 MB, however long their texts are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROW: Final = np.dtype(
    [
        ("step", "<i4"), ("purpose", "<u2"), ("kind", "<u2"), ("verdict", "<u2"), ("flagged", "<u2"),
        ("reward", "<f4"), ("task", "<i8"),
    ]
)  # fmt: skip
NO_TASK: Final = -1
OTHER: Final = 0xFFFF
"""Number for all names beyond the first 65,535."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Filter of rows. None: all."""

    purpose: str | None = None
    """proposal, trial or answer."""
    kind: str | None = None
    verdict: str | None = None
    flagged: bool = False
    """Only flagged rows."""
    first_step: int = 0
    last_step: int = 2**31 - 1
    low: float = -np.inf
    high: float = np.inf
    """Bounds of the reward."""
    task: int | None = None


@dataclass(slots=True)
class Names:
    """Interned texts as small numbers."""

    known: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: object) -> int:
        text = name if isinstance(name, str) else ""
        found = self._numbers.get(text)
        if found is None:
            if len(self.known) >= OTHER:
                return OTHER
            found = self._numbers[text] = len(self.known)
            self.known.append(text)
        return found

    def find(self, name: str) -> int | None:
        return self._numbers.get(name)

    def name(self, number: int) -> str:
        return self.known[number] if number < len(self.known) else "other"


class TraceIndex:
    """The index of a trace's rows, in order. It resets when the trace was truncated."""

    def __init__(self) -> None:
        self.purposes, self.kinds, self.verdicts = Names(), Names(), Names()
        self._rows = np.zeros(1024, dtype=ROW)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[Any]:
        """As an array of `ROW`."""
        return self._rows[: self._count]

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the next row of the trace."""
        if self._count == len(self._rows):
            grown = np.zeros(2 * self._count, dtype=ROW)
            grown[: self._count] = self._rows
            self._rows = grown
        self._rows[self._count] = (
            whole(row.get("step"), 0, 2**31 - 1),
            self.purposes.number(row.get("purpose")),
            self.kinds.number(row.get("kind")),
            self.verdicts.number(row.get("verdict")),
            bool(row.get("flags")),
            number(row.get("reward")),
            whole(row.get("task"), NO_TASK, 2**62),
        )
        self._count += 1

    def clear(self) -> None:
        """Forget all rows."""
        self._count = 0

    def find(self, wanted: Filter) -> NDArray[np.int64]:
        """Indices of the matching rows, ascending."""
        rows = self.rows
        fits = (rows["step"] >= wanted.first_step) & (rows["step"] <= wanted.last_step)
        if wanted.low > -np.inf or wanted.high < np.inf:
            fits &= (rows["reward"] >= wanted.low) & (rows["reward"] <= wanted.high)
        if wanted.flagged:
            fits &= rows["flagged"] != 0
        if wanted.task is not None:
            fits &= rows["task"] == wanted.task
        for column, names, name in (
            ("purpose", self.purposes, wanted.purpose),
            ("kind", self.kinds, wanted.kind),
            ("verdict", self.verdicts, wanted.verdict),
        ):
            if name is not None:
                found = names.find(name)
                fits &= rows[column] == found if found is not None else False
        return np.flatnonzero(fits)


def whole(value: object, low: int, high: int) -> int:
    """An integer within bounds; `low` for anything else."""
    return min(max(value, low), high) if isinstance(value, int) and not isinstance(value, bool) else low


def number(value: object) -> float:
    """A number; NaN for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return float("nan")
    return float("nan")
