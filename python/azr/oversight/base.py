"""The monitor interface: what a monitor receives and what it returns.

A monitor of your own is a class with `Monitor`'s methods, or with those that it needs if it derives from `Monitor`, and
a function from the run's config to an instance of it, named in `oversight.hooks`:

    class Capitals(Monitor):
        name = "capitals"

        def completions(self, seen):
            return [[Finding(rule="shouting", evidence=s.text[:80])] if s.text.isupper() else [] for s in seen]

    def make(config):
        return Capitals()

It is called in the trainer's process (of several, in the first), in this order in every step: `completions` and `tasks`
with the proposals, before any of them can be served; `completions` with the attempts; `step` with the numbers.
Proposals of seed tasks come before, in parts, as step 0. Its result has to depend only on its arguments, not on time or
randomness, or a resumed run will differ. It must never execute what it receives. If it raises on some completions only,
each of these gets a finding `monitor_failed`. If it raises on all of them, or elsewhere, the run ends with an error
that names it: a monitor that fails silently is worse than none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from azr.config.oversight import Action
from azr.metrics.step import Numbers, StepReport
from azr.types import PROPOSE, SOLVE, TRIALS, Completion, Key, Kind, Role, Task

__all__ = ["Action", "Alarm", "Finding", "Monitor", "Seen"]

Purpose = Literal["proposal", "trial", "answer"]
PURPOSES: Final[Mapping[str, Purpose]] = {PROPOSE: "proposal", TRIALS: "trial", SOLVE: "answer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A completion and its context."""

    step: int
    key: Key
    """Which completion of the step; of the seeds' proposals for step 0."""
    completion: Completion
    code: str | None
    """The program that the model wrote; None where there is none."""
    arguments: tuple[str, ...] = ()
    """Argument texts that the model wrote, as inside the parentheses of a call."""
    imports: tuple[str, ...] = ()
    """Modules that the code imports, read in the sandbox from its syntax."""
    task: Task | None = None
    """Attempts: the task that is answered. Proposals: the task that it became, if it is valid."""

    @property
    def purpose(self) -> Purpose:
        return PURPOSES[self.key.purpose]

    @property
    def text(self) -> str:
        return self.completion.text

    @property
    def role(self) -> Role:
        return self.completion.prompt.role

    @property
    def kind(self) -> Kind:
        return self.completion.prompt.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An observation of a monitor."""

    rule: str
    """Which of the monitor's rules."""
    evidence: str
    """The part of a text, or the numbers, in question. May be hostile: show it by `azr.util.sanitize`."""
    action: Action = Action.FLAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A finding as a row of alarms.jsonl."""

    id: str
    """`<step>.<number>`; the same in a resumed run."""
    step: int
    monitor: str
    rule: str
    action: Action
    evidence: str
    role: str | None = None
    kind: str | None = None
    purpose: str | None = None
    task: int | None = None
    count: int = 1
    """Above 1: number of findings of one rule that have no lines of their own."""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """As JSON."""
        names = ("id", "step", "monitor", "rule", "action", "role", "kind", "purpose", "task", "count", "evidence")
        row = {name: getattr(self, name) for name in names}
        return {**row, "action": str(self.action), **self.extra}


class Monitor:
    """Base class: no findings."""

    name: str = "monitor"

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        """The findings in each completion, in order: one sequence for each, possibly empty."""
        return [()] * len(seen)

    def tasks(self, step: int, tasks: Sequence[Task]) -> Sequence[Sequence[Finding]]:
        """The findings in each new task of the step, in order. `quarantine` excludes the task from sampling."""
        return [()] * len(tasks)

    def step(self, report: StepReport, numbers: Numbers) -> Sequence[Finding]:
        """The findings in a step's metrics."""
        return ()

    def replay(self, row: Mapping[str, Any]) -> None:
        """On resume: the metrics of each earlier step, in order, from step 0. For monitors with state."""


def excerpt(text: str, start: int, end: int, around: int = 100) -> str:
    """The relevant part of a text with some context, bounded in length."""
    first, last = max(0, start - around), min(len(text), end + around, start + 4 * around)
    return ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")
