"""Metrics that alarms compare: the first steps, the last steps, and the probes."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from azr.types import Kind

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe on tasks that are never trained on: the grounded ones, or else the held-out ones."""

    step: int
    sampled: float
    passed: float
    error: float
    """Standard error of `sampled` over the tasks; 0 if unknown."""
    own: float
    """Score on the run's own tasks in the steps before, mean of the kinds; NaN at step 0."""


class History:
    """Rows of metrics.jsonl, in order."""

    def __init__(self, longest: int, kinds: Sequence[Kind]) -> None:
        self._longest = longest
        self._kinds = tuple(kinds)
        self._early: list[Row] = []
        self._recent: deque[Row] = deque(maxlen=longest)
        self.probes: list[Probe] = []
        self.steps = 0

    def add(self, row: Row) -> None:
        """Add the metrics of the next step."""
        if row.get("step", 1) > 0:
            self.steps += 1
            if len(self._early) < self._longest:
                self._early.append(row)
            self._recent.append(row)
        # Tasks that no model wrote say more than tasks of the curriculum's kind, where the run has them.
        probed = "probe/grounded" if row.get("probe/grounded/sampled") is not None else "probe"
        if row.get(f"{probed}/sampled") is not None:
            names = [f"solve/solve/{kind}/score" for kind in self._kinds]
            own = [value for name in names if (value := self.recent(name, 10)) is not None]
            self.probes.append(
                Probe(
                    int(row.get("step", 0)), float(row[f"{probed}/sampled"]), float(row[f"{probed}/passed"]),
                    float(row.get(f"{probed}/error") or 0.0), float(np.mean(own)) if own else float("nan"),
                )
            )  # fmt: skip

    def early(self, name: str, window: int) -> float | None:
        """Mean of a number over the first steps; None where fewer than half of them have it."""
        return _mean(self._early[:window], name, window)

    def recent(self, name: str, window: int) -> float | None:
        """Mean of a number over the last steps."""
        rows = list(self._recent)[-window:]
        return _mean(rows, name, min(window, max(self.steps, 1)))

    def middle(self, name: str, window: int, *, early: bool) -> float | None:
        """As `early` and `recent`, but the median: robust to a single slow step."""
        rows = self._early[:window] if early else list(self._recent)[-window:]
        values = _values(rows, name)
        return float(np.median(values)) if len(values) * 2 >= window else None

    def over_kinds(self, pattern: str, window: int) -> float | None:
        """Mean over the kinds of `recent`; `pattern` has `{}` for the kind."""
        found = [self.recent(pattern.format(kind), window) for kind in self._kinds]
        values = [value for value in found if value is not None]
        return float(np.mean(values)) if values else None


def _values(rows: Iterable[Row], name: str) -> list[float]:
    return [float(value) for row in rows if (value := row.get(name)) is not None]


def _mean(rows: Iterable[Row], name: str, window: int) -> float | None:
    values = _values(rows, name)
    return float(np.mean(values)) if values and len(values) * 2 >= window else None
