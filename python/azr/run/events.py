"""Observers of a run: the terminal, the watchdog, loggers. Stages never print."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from azr.metrics.step import Numbers, StepReport
from azr.types import Kind

T = TypeVar("T")


class Observer(Protocol):
    """Gets the events of a run, in order. Observers never change a run's course."""

    def started(self, step: int, steps: int) -> None:
        """The loop begins at this step of all the steps."""
        ...

    def phase(self, name: str) -> None:
        """A stage, or other work, begins."""
        ...

    def seeded(self, kind: Kind, found: int, wanted: int) -> None:
        """Progress of the seed tasks."""
        ...

    def sampled(self, tokens: int) -> None:
        """The engine wrote so many tokens more. Called at each token of a batch: cheap, and by the rollouts' thread."""
        ...

    def noted(self, text: str) -> None:
        """Something that a person should know about the run, in a sentence."""
        ...

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        """A step is done."""
        ...

    def probed(self, step: int, numbers: Numbers) -> None:
        """A held-out probe is done."""
        ...

    def saved(self, step: int, path: str) -> None:
        """A checkpoint is on disk."""
        ...

    def alarmed(self, row: Mapping[str, Any]) -> None:
        """A finding as a row of alarms.jsonl; its evidence may be hostile text."""
        ...


class Quiet:
    """An observer that does nothing."""

    def started(self, step: int, steps: int) -> None: ...

    def phase(self, name: str) -> None: ...

    def seeded(self, kind: Kind, found: int, wanted: int) -> None: ...

    def sampled(self, tokens: int) -> None: ...

    def noted(self, text: str) -> None: ...

    def stepped(self, report: StepReport, numbers: Numbers) -> None: ...

    def probed(self, step: int, numbers: Numbers) -> None: ...

    def saved(self, step: int, path: str) -> None: ...

    def alarmed(self, row: Mapping[str, Any]) -> None: ...


class Together:
    """Several observers, called in order."""

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

    def sampled(self, tokens: int) -> None:
        for observer in self._observers:
            observer.sampled(tokens)

    def noted(self, text: str) -> None:
        for observer in self._observers:
            observer.noted(text)

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
    """Runs and times the stages of one step by name."""

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
        """Seconds of each stage so far."""
        return dict(self._seconds)
