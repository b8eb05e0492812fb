"""What a monitor is, what it is shown, and what it finds.

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
Proposals that are to be seeds come before, some at a time, as step 0. What it returns has to depend on what it is shown
alone, and not on the time or on chance, or a resumed run will not go on as it would have. It must never run what it is
shown. Where it raises on some completions and not on others, a finding `monitor_failed` stands for those, and the rest
is looked at; where it raises on all, or on anything else, the run ends with an error that names it: a monitor that
fails unseen is worse than none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from azr.config.oversight import Action
from azr.metrics.step import Numbers, StepReport
from azr.types import Completion, Kind, Role, Task

__all__ = ["Action", "Alarm", "Finding", "Monitor", "Seen"]

Purpose = Literal["proposal", "trial", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A completion and what is known of it."""

    step: int
    purpose: Purpose
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
    """Something that a monitor noticed."""

    rule: str
    """Which of the monitor's rules."""
    evidence: str
    """The piece of text, or the numbers, to look at. May be hostile: show it by `azr.util.sanitize`."""
    action: Action = Action.FLAG


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A finding as it is written into alarms.jsonl."""

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
    """More than 1: so many findings of one rule that are not written singly."""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """As JSON."""
        names = ("id", "step", "monitor", "rule", "action", "role", "kind", "purpose", "task", "count", "evidence")
        row = {name: getattr(self, name) for name in names}
        return {**row, "action": str(self.action), **self.extra}


class Monitor:
    """Notices nothing: derive from it."""

    name: str = "monitor"

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        """The findings in each completion, in order; one (maybe empty) sequence for each."""
        return [()] * len(seen)

    def tasks(self, step: int, tasks: Sequence[Task]) -> Sequence[Sequence[Finding]]:
        """The findings in each new task of the step, in order. `quarantine` holds the task."""
        return [()] * len(tasks)

    def step(self, report: StepReport, numbers: Numbers) -> Sequence[Finding]:
        """The findings in a step's numbers; `numbers` has everything that goes into metrics.jsonl so far."""
        return ()

    def replay(self, row: Mapping[str, Any]) -> None:
        """A resumed run: the numbers of an earlier step, in order, from step 0 on. For monitors that remember."""


def excerpt(text: str, start: int, end: int, around: int = 100) -> str:
    """The piece of a text that matters, with something around it and never much of it."""
    first, last = max(0, start - around), min(len(text), end + around, start + 4 * around)
    return ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")
