"""Findings of one step: actions and records."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from azr.config.oversight import Action
from azr.oversight.base import Alarm, Finding, Seen
from azr.types import Key, Task

MAX_EVIDENCE = 2000
"""Maximum length of the recorded evidence; the whole text is in the trace."""


class Findings:
    """Collects the findings of a step. The order in which they are added decides their ids."""

    def __init__(self, step: int, max_records: int) -> None:
        self._step = step
        self._max_records = max_records
        self._alarms: list[Alarm] = []
        self._written: Counter[str] = Counter()
        self._beyond: dict[tuple[str, str, Action], int] = defaultdict(int)
        self.by_monitor: Counter[str] = Counter()
        self.flags: dict[Key, set[str]] = {}
        """Monitors that flagged each completion."""
        self.dropped: set[Key] = set()
        """Completions whose episodes are dropped."""
        self.held: set[int] = set()
        """Ids of tasks to quarantine."""
        self.wish: Action | None = None
        """PAUSE or STOP, if a finding requires it."""

    def add(self, monitor: str, finding: Finding, about: Seen | Task | None = None) -> None:
        """Record a finding about a completion, a task, or the step itself."""
        self.by_monitor[monitor] += 1
        task = about.task if isinstance(about, Seen) else about
        if isinstance(about, Seen):
            self.flags.setdefault(about.key, set()).add(monitor)
        # A task is released by the id of the finding that quarantined it, so that finding always has its own line.
        holds = self._act(finding, about, task)
        if self._written[monitor] >= self._max_records and not holds:
            self._beyond[monitor, finding.rule, finding.action] += 1
            return
        self._written[monitor] += 1
        seen = about if isinstance(about, Seen) else None
        self._alarms.append(
            Alarm(
                id=self._next(), step=self._step, monitor=monitor, rule=finding.rule, action=finding.action,
                evidence=finding.evidence[:MAX_EVIDENCE], role=str(seen.role) if seen else None,
                kind=str(task.kind) if task else str(seen.kind) if seen else None,
                purpose=seen.purpose if seen else None, task=task.id if task else None,
            )
        )  # fmt: skip

    def alarms(self) -> Sequence[Alarm]:
        """All rows to write: single findings, then one row for each rule with more."""
        found = list(self._alarms)
        for number, ((monitor, rule, action), count) in enumerate(sorted(self._beyond.items()), len(found) + 1):
            found.append(
                Alarm(
                    id=f"{self._step}.{number}", step=self._step, monitor=monitor, rule=rule, action=action,
                    evidence=f"{count} more of this step", count=count,
                )
            )  # fmt: skip
        return found

    def _next(self) -> str:
        return f"{self._step}.{len(self._alarms) + 1}"

    def _act(self, finding: Finding, about: Seen | Task | None, task: Task | None) -> bool:
        """Apply a finding's action; True: the task is now quarantined and was not before."""
        before = len(self.held)
        action = finding.action
        proposal = isinstance(about, Task) or (isinstance(about, Seen) and about.purpose == "proposal")
        holds = action is Action.QUARANTINE or (action is Action.DROP and proposal)
        if holds and task is not None and task.id is not None:
            self.held.add(task.id)
        if action is Action.DROP and isinstance(about, Seen):
            self.dropped.add(about.key)
        if action is Action.STOP or (action is Action.PAUSE and self.wish is None):
            self.wish = action
        return len(self.held) > before
