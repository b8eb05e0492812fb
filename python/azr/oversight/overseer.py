"""The loop's interface to oversight: calls the monitors, acts on their findings, and records both.

All its effects (quarantined tasks, dropped episodes) depend only on the step and on people's decisions, so a resumed
run repeats them. The checkpoint holds the number of applied decisions and those that wait.
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy as np

from azr.config import Config
from azr.config.oversight import Action
from azr.errors import AzrError, OversightError
from azr.metrics.step import Numbers, StepReport, seeded
from azr.oversight import seen as views
from azr.oversight.base import Alarm, Finding, Monitor, Seen
from azr.oversight.control import Command, Control, Decision, strongest
from azr.oversight.findings import Findings
from azr.oversight.monitors.code import CodeMonitor
from azr.oversight.monitors.collapse import Collapse
from azr.oversight.monitors.judge import JudgeMonitor
from azr.oversight.monitors.patterns import Patterns
from azr.oversight.monitors.refusal import Refusal
from azr.oversight.recorder import Recorder, SilentRecorder
from azr.oversight.refusal import RATE, check_chat, refusal_rate
from azr.oversight.rows import Flags
from azr.pipeline.parts import Parts
from azr.run.events import Observer
from azr.run.folder import RunFolder
from azr.run.seed import Review
from azr.trainer.policy import nothing
from azr.types import Attempt, Batch, Episode, Rejected, Task, Valid, placed_answers, placed_trials
from azr.util.registry import resolve

T = TypeVar("T")

UNSEEN = "monitor_failed"
"""Rule of the finding for a completion on which a monitor failed."""

POLL_SECONDS = 0.5
"""How often a paused run polls for a command."""


def make_monitors(config: Config) -> list[Monitor]:
    """The monitors that the config asks for.

    Raises:
        ConfigError: a hook does not exist or is no monitor, or a list cannot be read.
    """
    given = config.oversight
    found: list[Monitor] = [Patterns(given.patterns), CodeMonitor(given.code), Collapse(config), Refusal(given.refusal)]
    if given.judge.function:
        found.append(JudgeMonitor(given.judge, config.seed))
    for name in given.hooks:
        made = resolve({}, name, "oversight.hooks")(config)
        if not isinstance(made, Monitor):
            raise OversightError(f"oversight.hooks: {name} made a {type(made).__name__}, not an azr.oversight Monitor")
        found.append(made)
    return found


class Overseer:
    """Made after the run folder was truncated to the checkpoint of a resumed run."""

    def __init__(
        self, parts: Parts, folder: RunFolder, observer: Observer, step: int, state: Mapping[str, Any] | None = None
    ) -> None:
        self._parts = parts
        self._observer = observer
        self._config = parts.config.oversight
        self._ranks = parts.ranks
        if self._config.refusal.every:
            check_chat(parts.engine.tokenizer)
        # Findings decide what every rank does next, so rank 0 runs the monitors and broadcasts: a hook, a judge or a
        # process's own metrics may differ between ranks.
        self._monitors: list[Monitor] = []
        self._ranks.first(lambda: self._monitors.extend(make_monitors(parts.config)))
        self._recorder = Recorder(folder, parts.config, step) if parts.ranks.leads else SilentRecorder()
        self._control = Control(folder.path)
        self._ranks.first(self._control.clear)
        self._reviewed = int((state or {}).get("reviewed", 0))
        self._waiting = [int(number) for number in (state or {}).get("waiting", ())]
        self._verdicts: Sequence[Valid | Rejected] = ()
        self._findings = Findings(step, self._config.max_records)
        self._wish: Command | None = None
        self._seeds: list[Valid | Rejected] = []
        self._numbers: Numbers = {}
        self.sleep: Callable[[float], None] = time.sleep
        for row in folder.metrics():
            self._replay(row)

    def state(self) -> dict[str, Any]:
        """State for the checkpoint."""
        return {"reviewed": self._reviewed, "waiting": self._waiting}

    def close(self) -> None:
        """Close the files."""
        self._recorder.close()

    # In the order of a step.

    @contextmanager
    def seeding(self) -> Iterator[Review]:
        """Before step 1: yields the review function for seed tasks. Whether seeding succeeds or not, its proposals are
        recorded."""
        try:
            yield self._watch_seeds
        finally:
            self._write(partial(self._recorder.seeds, self._seeds))
        self._wish = self._ranks.first(lambda: _command(self._findings))

    def _watch_seeds(self, verdicts: Sequence[Valid | Rejected]) -> Collection[int]:
        self._show_proposals(0, verdicts, first=len(self._seeds))
        self._seeds += verdicts
        return self._findings.held

    def begun(self, numbers: Numbers) -> None:
        """Metrics of the seed tasks and the starting weights."""
        numbers = {**numbers, **seeded(self._seeds), **self._found(), **self._refusals(0)}
        self._seeds = []
        self._recorder.begin(numbers)
        self._replay({"step": 0, **numbers})

    def begin(self, step: int) -> None:
        """A step begins: new decisions of people take effect."""
        self._findings = Findings(step, self._config.max_records)
        self._numbers = {}
        decisions, self._reviewed, self._waiting = self._ranks.first(
            lambda: self._control.due(step, self._reviewed, self._waiting)
        )
        for review in decisions:
            if review.task is None:
                continue
            if review.decision is Decision.QUARANTINE:
                self._parts.store.hold([review.task])
            else:
                self._parts.store.release(review.task)

    def proposed(self, step: int, verdicts: Sequence[Valid | Rejected]) -> None:
        """Check the proposals, before any of their tasks can be served."""
        self._ranks.first(lambda: self._watch_proposals(step, verdicts))

    def _watch_proposals(self, step: int, verdicts: Sequence[Valid | Rejected]) -> None:
        self._verdicts = verdicts
        self._numbers |= self._alikeness(self._show_proposals(step, verdicts))

    def _show_proposals(self, step: int, verdicts: Sequence[Valid | Rejected], first: int = 0) -> list[Task]:
        """Check proposals and quarantine tasks; returns the new tasks."""
        self._show(views.of_proposals(step, verdicts, self._parts.sandbox, first))
        # Seed tasks beyond the wanted number are not stored, so they are no tasks yet.
        new = [v.task for v in verdicts if isinstance(v, Valid) and v.duplicate_of is None]
        fresh = [task for task in new if task.id is not None]
        for monitor in self._monitors:
            found = self._ask(monitor, partial(monitor.tasks, step, fresh), len(fresh))
            self._note(monitor, found, fresh)
        if self._findings.held:
            self._parts.store.hold(sorted(self._findings.held))
        return fresh

    def answered(self, step: int, answers: Sequence[Sequence[Attempt]], episodes: Sequence[Episode]) -> list[Episode]:
        """Show what was answered; returns the episodes that the update may see.

        Raises:
            OversightError: none are left.
        """
        kept = self._ranks.first(lambda: self._watch_answers(step, answers, episodes))
        return [episodes[place] for place in kept]

    def _watch_answers(self, step: int, answers: Sequence[Sequence[Attempt]], episodes: Sequence[Episode]) -> list[int]:
        """Indices of the episodes that are kept."""
        before = set(self._findings.held)
        for attempts in (placed_trials(self._verdicts), placed_answers(answers)):
            self._show(views.of_attempts(step, attempts, self._parts.sandbox))
        if new := self._findings.held - before:
            self._parts.store.hold(sorted(new))
        dropped = self._findings.dropped
        kept = [place for place, episode in enumerate(episodes) if episode.key not in dropped]
        self._numbers["oversight/dropped"] = float(len(episodes) - len(kept))
        if episodes and not kept:
            # The step cannot finish without episodes, so its findings are recorded now.
            self._write(partial(self._recorder.broken, _untrained(step, self._verdicts, answers)))
            raise OversightError(f"step {step}: oversight dropped all {len(episodes)} episodes; see alarms.jsonl")
        return kept

    def stepped(self, report: StepReport, numbers: Numbers) -> Numbers:
        """The step is done: record its metrics with those of oversight."""
        numbers |= self._refusals(report.step)
        numbers, self._wish = self._ranks.first(lambda: self._watch_step(report, numbers))
        return numbers

    def _watch_step(self, report: StepReport, numbers: Numbers) -> tuple[Numbers, Command | None]:
        """All metrics, and the command for the time until the next step."""
        numbers = numbers | self._numbers
        clean = {name: value for name, value in numbers.items() if math.isfinite(value)}
        for monitor in self._monitors:
            for finding in self._ask(monitor, partial(monitor.step, report, clean)):
                self._findings.add(monitor.name, finding)
        numbers |= self._found()
        self._write(partial(self._recorder.step, report, numbers))
        return numbers, _command(self._findings)

    def goes_on(self, save: Callable[[], None], should_stop: Callable[[], bool]) -> bool:
        """Between two steps: False if a person or a finding stops the run. Waits here while the run is paused."""
        # Rank 0 reads the commands, so that all ranks do the same.
        command, self._wish = strongest(self._ranks.first(self._control.take), self._wish), None
        if command is Command.PAUSE:
            save()
            self._observer.phase("paused")
            command = None
            while command not in (Command.RESUME, Command.STOP):
                self.sleep(POLL_SECONDS)
                if should_stop():
                    return False
                command = self._ranks.first(self._control.take)
        return command is not Command.STOP

    # Helpers.

    def _write(self, record: Callable[[Sequence[Alarm], Flags], None]) -> None:
        """Record the step's findings, and pass them to the observers."""
        alarms = self._findings.alarms()
        record(alarms, self._findings.flags)
        for alarm in alarms:
            self._observer.alarmed(alarm.row())

    def _show(self, seen: Sequence[Seen]) -> None:
        for monitor in self._monitors:
            self._note(monitor, self._look(monitor, seen), seen)

    def _look(self, monitor: Monitor, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        """A monitor's findings in each completion.

        If it fails on the batch, it gets the completions one by one. Those on which it fails get a finding of their
        own, so that a text neither ends the run nor goes unseen. A monitor that fails on all of them is broken.
        """
        try:
            return self._ask(monitor, partial(monitor.completions, seen), len(seen))
        except OversightError as error:
            if len(seen) < 2 or not isinstance(error.__cause__, Exception):
                raise
        found: list[Sequence[Finding]] = []
        failed: OversightError | None = None
        for one in seen:
            try:
                found += self._ask(monitor, partial(monitor.completions, [one]), 1)
            except OversightError as error:
                failed = error
                found.append((Finding(rule=UNSEEN, evidence=str(error)),))
        if failed and all(row and row[0].rule == UNSEEN for row in found):
            raise failed
        return found

    def _note(
        self, monitor: Monitor, found: Iterable[Sequence[Finding]], about: Sequence[Seen] | Sequence[Task]
    ) -> None:
        for index, findings in enumerate(found):
            for finding in findings:
                self._findings.add(monitor.name, finding, about[index])

    def _ask(self, monitor: Monitor, call: Callable[[], Sequence[T]], length: int | None = None) -> Sequence[T]:
        """A monitor's result. A failure ends the run: it would look like no findings."""
        try:
            answer = call()
        except AzrError:
            raise
        except Exception as error:
            raise OversightError(f"the monitor {monitor.name} failed: {error!r}") from error
        if length is not None and len(answer) != length:
            raise OversightError(f"the monitor {monitor.name} gave {len(answer)} answers for {length} items")
        return answer

    def _replay(self, row: Mapping[str, Any]) -> None:
        for monitor in self._monitors:
            monitor.replay({name: value for name, value in row.items() if value is not None})

    def _found(self) -> Numbers:
        """Number of findings and quarantined tasks in this step."""
        found = {
            f"oversight/findings/{monitor.name}": float(self._findings.by_monitor[monitor.name])
            for monitor in self._monitors
        }
        return {"oversight/held": float(len(self._findings.held)), **found}

    def _refusals(self, step: int) -> Numbers:
        every = self._config.refusal.every
        if not every or step % every:
            return {}
        self._observer.phase("probe")
        return {RATE: refusal_rate(self._parts)}

    def _alikeness(self, tasks: Sequence[Task]) -> Numbers:
        """Similarity of the new tasks to the whole buffer."""
        found: Numbers = {}
        for kind in self._parts.config.tasks.kinds:
            ids = [task.id for task in tasks if task.kind is kind and task.id is not None]
            if ids:
                around = self._parts.store.alike(ids)
                found[f"buffer/{kind}/similarity"] = float(np.mean([one.similarity for one in around]))
                found[f"buffer/{kind}/cluster_share"] = float(np.mean([one.share for one in around]))
        return found


def _command(found: Findings) -> Command | None:
    """The command that findings require before the next step."""
    if found.wish is None:
        return None
    return Command.STOP if found.wish is Action.STOP else Command.PAUSE


def _untrained(step: int, verdicts: Sequence[Valid | Rejected], answers: Sequence[Sequence[Attempt]]) -> StepReport:
    """The report of a step without episodes to train on."""
    return StepReport(
        step=step, verdicts=verdicts, answers=answers, stats=nothing(), seconds={}, stored={},
        batch=Batch(episodes=(), advantages=np.empty(0), weights=np.empty(0)),
    )  # fmt: skip
