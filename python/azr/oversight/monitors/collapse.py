"""Alarms on a run's metrics: signs of collapse or reward hacking, one function each.

Each yields where something is wrong now, and why. An alarm is raised when the condition begins, and again only after it
has ended. The baseline is the run's own beginning: the first `window` steps. Sources of the limits: docs/oversight.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from azr.config import Config
from azr.config.oversight import (
    AlarmConfig,
    ClustersAlarm,
    DeclineAlarm,
    DuplicatesAlarm,
    EntropyAlarm,
    GapAlarm,
    LearnableAlarm,
    LengthAlarm,
    MemoryAlarm,
    NarrowingAlarm,
    NoveltyAlarm,
    SandboxAlarm,
    SandboxIllAlarm,
    TimeAlarm,
    ValidAlarm,
)
from azr.metrics.step import Numbers, StepReport
from azr.oversight.base import Finding, Monitor
from azr.oversight.history import History
from azr.types import Kind, Role

LEAK_BYTES = 512 << 20
"""Least growth of the resident memory that is an alarm: small processes grow by large shares."""
Signs = Iterator[tuple[str, str]]
"""(where, evidence): `where` is a role and kind, a kind, or empty."""


def duplicates(past: History, config: DuplicatesAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """Most proposals are duplicates."""
    name, steps = "validate/propose/{}/duplicate_share", window
    share = past.over_kinds(name, steps)
    if share is not None and share >= config.limit:
        yield "", f"{share:.0%} of the valid proposals of the last {steps} steps are duplicates"
        return
    for kind in kinds:
        share = past.recent(name.format(kind), steps)
        if share is not None and share >= max(config.kind, config.limit):
            yield str(kind), f"{share:.0%} of the valid {kind} proposals of the last {steps} steps are duplicates"


def clusters(past: History, config: ClustersAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """New programs are near duplicates of much of the buffer: loss of diversity."""
    for kind in kinds:
        share = past.recent(f"buffer/{kind}/cluster_share", window)
        if share is not None and share >= config.limit:
            yield str(kind), f"a new {kind} program has {share:.0%} of all stored programs as near copies"


def novelty(past: History, config: NoveltyAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """Every new program resembles a stored one. Skips induction, whose programs are stored ones."""
    for kind in (kind for kind in kinds if kind.base is not Kind.INDUCTION):
        similarity = past.recent(f"buffer/{kind}/similarity", window)
        if similarity is not None and similarity >= config.limit:
            yield str(kind), f"new {kind} programs are {similarity:.2f} similar to the nearest of the whole memory"


def entropy(past: History, config: EntropyAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """The policy became almost deterministic."""
    for where, now, usual in _cells(past, "entropy", window, kinds):
        if usual > 0.0 and now < config.limit * usual:
            yield where, f"entropy of {where} fell from {usual:.3f} to {now:.3f}"


def valid(past: History, config: ValidAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """Few proposals are valid."""
    for kind in kinds:
        name = f"validate/propose/{kind}/valid_rate"
        now, usual = past.recent(name, window), past.early(name, window)
        if now is not None and usual is not None and now < max(config.limit * usual, config.floor):
            yield str(kind), f"{now:.1%} of the {kind} proposals are valid; in the beginning it was {usual:.1%}"


def learnable(past: History, config: LearnableAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """Tasks are always or never solved: no learning signal."""
    for kind in kinds:
        share = past.recent(f"solve/propose/{kind}/learnable_share", window)
        if share is not None and share < config.limit:
            yield str(kind), f"{share:.1%} of the new {kind} tasks are solved sometimes but not always"


def length(past: History, config: LengthAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """Completions grow, or are truncated."""
    for where, now, usual in _cells(past, "length", window, kinds):
        if usual > 0.0 and now > config.limit * usual:
            yield where, f"completions of {where} grew from {usual:.0f} to {now:.0f} tokens"
    for where, now, usual in _cells(past, "truncated_share", window, kinds):
        if now > config.truncated >= usual:
            yield f"{where} truncated", f"{now:.0%} of the completions of {where} are cut at the token limit"


def gap(past: History, config: GapAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """The score on own tasks rises, the held-out score does not: reward hacking, or tasks that got too easy."""
    probes = [probe for probe in past.probes if probe.own == probe.own]
    if len(probes) < 2:
        return
    first, last = probes[0], probes[-1]
    grown = (last.own - last.sampled) - (first.own - first.sampled)
    if grown >= config.limit:
        yield (
            "",
            (
                f"own tasks {first.own:.2f} -> {last.own:.2f}, held-out {first.sampled:.2f} -> {last.sampled:.2f}:"
                f" the gap grew by {grown:.2f} since step {first.step}"
            ),
        )


def decline(past: History, config: DeclineAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """The held-out score is below its best: the run unlearns, whatever its rewards say."""
    if len(past.probes) < 2:
        return
    best, last = max(past.probes, key=lambda probe: probe.sampled), past.probes[-1]
    # With few tasks the best of many probes is a lucky one, so falls within the error do not count.
    if best.sampled - last.sampled >= max(config.limit, 3.0 * last.error):
        yield "", f"the held-out score fell from {best.sampled:.3f} (step {best.step}) to {last.sampled:.3f}"


def narrowing(past: History, config: NarrowingAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """pass@k falls while the mean holds: less diverse answers."""
    if len(past.probes) < 2:
        return
    best, last = max(past.probes, key=lambda probe: probe.passed), past.probes[-1]
    if best.passed - last.passed >= config.limit and last.sampled >= best.sampled - 0.02:
        yield (
            "",
            (
                f"pass@k on held-out tasks fell from {best.passed:.2f} (step {best.step}) to {last.passed:.2f},"
                f" the mean score went from {best.sampled:.2f} to {last.sampled:.2f}"
            ),
        )


def time(past: History, config: TimeAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """Steps get slower."""
    now = past.middle("seconds/step", window, early=False)
    usual = past.middle("seconds/step", window, early=True)
    if now is not None and usual is not None and usual > 0.0 and now > config.limit * usual:
        yield "", f"a step takes {now:.1f} s; in the beginning it took {usual:.1f} s"


def memory(past: History, config: MemoryAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """The process grows."""
    now = past.middle("memory/resident_bytes", window, early=False)
    usual = past.middle("memory/resident_bytes", window, early=True)
    if now is not None and usual is not None and now > config.limit * usual and now - usual > LEAK_BYTES:
        yield "", f"resident memory grew from {usual / 2**20:.0f} to {now / 2**20:.0f} MiB"


def sandbox(past: History, config: SandboxAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """The sandbox failed on rows of the last steps: they have no verdict and no reward."""
    share = past.recent("sandbox/failed_share", window)
    if share is not None and share > config.limit:
        yield "", f"the sandbox gave no verdict on {share:.1%} of what was proposed and answered"


def sandbox_ill(past: History, config: SandboxIllAlarm, kinds: Sequence[Kind], window: int) -> Signs:
    """The sandbox fails on so many rows that single texts cannot be the cause."""
    share = past.recent("sandbox/failed_share", window)
    if share is not None and share >= config.limit:
        yield "", f"the sandbox failed at {share:.0%} of all rows: it is ill, and no verdicts can be had (azr doctor)"


Alarm = Callable[[History, Any, Sequence[Kind], int], Signs]

ALARMS: Final[Mapping[str, Alarm]] = {
    "duplicates": duplicates, "clusters": clusters, "novelty": novelty, "entropy": entropy, "valid": valid,
    "learnable": learnable, "length": length, "gap": gap, "decline": decline, "narrowing": narrowing,
    "time": time, "memory": memory, "sandbox": sandbox, "sandbox_ill": sandbox_ill,
}  # fmt: skip


OWN_WINDOW: Final[Mapping[str, int]] = {"sandbox": 1, "sandbox_ill": 3}
"""Steps that the sandbox's alarms average: its failures are rare, so one step is enough."""

AT_ONCE: Final = frozenset({"gap", "decline", "narrowing", "sandbox", "sandbox_ill"})
"""Alarms without a baseline, or with their own."""


class Collapse(Monitor):
    """All alarms of the config over the history of the run."""

    name = "collapse"

    def __init__(self, config: Config) -> None:
        given = config.oversight.alarms
        self._alarms: list[tuple[str, Alarm, AlarmConfig, int]] = [
            (name, alarm, getattr(given, name), OWN_WINDOW.get(name, given.window)) for name, alarm in ALARMS.items()
        ]
        self._kinds = config.tasks.kinds
        longest = max(window for *_, window in self._alarms)
        self._past = History(max(longest, 10), self._kinds)
        self._raised: set[tuple[str, str]] = set()

    def step(self, report: StepReport, numbers: Numbers) -> Sequence[Finding]:
        return self.feed({"step": report.step, **numbers})

    def replay(self, row: Mapping[str, Any]) -> None:
        self.feed(row)

    def feed(self, row: Mapping[str, Any]) -> list[Finding]:
        """Conditions that begin at this step."""
        self._past.add(row)
        found = []
        now: set[tuple[str, str]] = set()
        for name, alarm, config, window in self._alarms:
            # Before two windows have passed, the baseline and the recent steps overlap.
            if self._past.steps < 2 * window and name not in AT_ONCE:
                continue
            for where, evidence in alarm(self._past, config, self._kinds, window):
                now.add((name, where))
                if (name, where) not in self._raised:
                    found.append(Finding(rule=name, evidence=evidence, action=config.action))
        self._raised = now
        return found


def _cells(past: History, name: str, window: int, kinds: Sequence[Kind]) -> Iterator[tuple[str, float, float]]:
    """(role and kind, recent, baseline) where both are known."""
    for role in Role:
        for kind in kinds:
            full = f"update/{role}/{kind}/{name}"
            now, usual = past.recent(full, window), past.early(full, window)
            if now is not None and usual is not None:
                yield f"{role} {kind}", now, usual
