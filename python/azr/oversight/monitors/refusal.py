"""Raises an alarm where the refusal rate has fallen since the run began."""

from collections.abc import Mapping, Sequence
from typing import Any

from azr.config.oversight import RefusalConfig
from azr.metrics.step import Numbers, StepReport
from azr.oversight.base import Finding, Monitor
from azr.oversight.refusal import RATE


class Refusal(Monitor):
    """Compares each probe with the first."""

    name = "refusal"

    def __init__(self, config: RefusalConfig) -> None:
        self._config = config
        self._first: float | None = None
        self._raised = False

    def step(self, report: StepReport, numbers: Numbers) -> Sequence[Finding]:
        return self._feed(numbers)

    def replay(self, row: Mapping[str, Any]) -> None:
        self._feed(row)

    def _feed(self, row: Mapping[str, Any]) -> Sequence[Finding]:
        rate = row.get(RATE)
        if rate is None:
            return ()
        if self._first is None:
            self._first = float(rate)
        fallen = self._first - rate >= self._config.drop
        found = fallen and not self._raised
        self._raised = fallen
        evidence = f"declined {self._first:.0%} of the requests in the beginning, {rate:.0%} now"
        return (Finding(rule="erosion", evidence=evidence, action=self._config.action),) if found else ()
