"""Who is told of a run: the terminal, the watchdog. A stage never prints."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from azr.metrics.step import Numbers, StepReport
from azr.types import Kind

T = TypeVar("T")


class Observer(Protocol):
    """Is told what happens, in order. Observers never change a run's course."""

    def started(self, step: int, steps: int) -> None:
        """The loop begins, after so many of all the steps."""
        ...

    def phase(self, name: str) -> None:
        """A stage, or another piece of work, begins."""
        ...

    def seeded(self, kind: Kind, found: int, wanted: int) -> None:
        """Seeding got further."""
        ...

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        """A step is done."""
        ...

    def probed(self, step: int, numbers: Numbers) -> None:
        """The held-out probe was taken."""
        ...

    def saved(self, step: int, path: str) -> None:
        """A checkpoint is on disk."""
        ...

    def alarmed(self, row: Mapping[str, Any]) -> None:
        """A finding, as it is in alarms.jsonl; its evidence may be hostile text."""
        ...


class Quiet:
    """Nobody watches."""

    def started(self, step: int, steps: int) -> None: ...

    def phase(self, name: str) -> None: ...

    def seeded(self, kind: Kind, found: int, wanted: int) -> None: ...

    def stepped(self, report: StepReport, numbers: Numbers) -> None: ...

    def probed(self, step: int, numbers: Numbers) -> None: ...

    def saved(self, step: int, path: str) -> None: ...

    def alarmed(self, row: Mapping[str, Any]) -> None: ...


class Together:
    """Several observers, told in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def started(self, step: int, steps: int) -> None:
        for observer in self._observers:
            observer.started(step, steps)

    def phase(self, name: str) -> None:
        for observer in self._observers:
            observer.phase(name)

    def seeded(self, kind: Kind, found: int, wanted: int) -> None:
        for observer in self._observers:
            observer.seeded(kind, found, wanted)

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        for observer in self._observers:
            observer.stepped(report, numbers)

    def probed(self, step: int, numbers: Numbers) -> None:
        for observer in self._observers:
            observer.probed(step, numbers)

    def saved(self, step: int, path: str) -> None:
        for observer in self._observers:
            observer.saved(step, path)

    def alarmed(self, row: Mapping[str, Any]) -> None:
        for observer in self._observers:
            observer.alarmed(row)


class Stopwatch:
    """Runs the stages of one step and knows how long each took, by the name that it is given."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._seconds: dict[str, float] = {}

    def __call__(self, name: str, stage: Callable[[], T]) -> T:
        """Run a stage; several under one name add up."""
        self._observer.phase(name)
        begin = time.perf_counter()
        try:
            return stage()
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - begin

    @property
    def seconds(self) -> Mapping[str, float]:
        """Of each name so far."""
        return dict(self._seconds)
