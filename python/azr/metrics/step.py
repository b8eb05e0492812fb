"""Metrics of a step, named `stage/role/kind/name`, or `stage/name` where there is no role and kind.

A run over domains also has `domain/<domain>/...`, aggregated over a domain's kinds.

Every proposal is counted as valid or under exactly one reason, every attempt under exactly one reason. Each metric has
its reduction over ranks (`azr.metrics.reductions`). `docs/metrics.md` lists all names; a test compares it with runs.
"""

import re
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azr.config.domain import PYTHON
from azr.distributed.ranks import ONE, Ranks
from azr.metrics.reductions import Count, Deviation, Max, Mean, Metric, Metrics, Min, Numbers, Quantiles, merge, numbers
from azr.tasks import source
from azr.trainer.policy import Learnt, UpdateStats
from azr.types import (
    Attempt,
    Batch,
    Completion,
    Episode,
    Kind,
    Reason,
    Rejected,
    Role,
    Valid,
    solve_rate,
    valids,
    with_verdict,
)

__all__ = ["Numbers", "StepReport", "collect", "measure", "seeded"]

REFLECTION = re.compile(
    r"\b(?:wait|hmm|actually|alternatively|however|mistake|re-?check|double[- ]check|verify|re-?think"
    r"|let me (?:check|try again|think again|reconsider)|on second thought)\b",
    re.IGNORECASE,
)
"""Words with which a model reconsiders its reasoning (algorithm notes: `reflect_ratio`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """Everything that happened in one step."""

    step: int
    verdicts: Sequence[Valid | Rejected]
    """Valid ones have their trials."""
    answers: Sequence[Sequence[Attempt]]
    batch: Batch
    stats: UpdateStats
    seconds: Mapping[str, float]
    """Of each stage."""
    stored: Mapping[Kind, int]
    """Tasks of each kind that can be sampled."""
    dropped: int = 0
    """Trials that were requested and not used (`azr.pipeline.rollout_step`)."""
    engine: Mapping[str, float] = field(default_factory=dict)
    """Metrics of the engine."""
    learnt: Learnt = field(default_factory=Learnt)
    """By supervised steps."""
    staleness: int = 0
    """Updates that the weights which sampled the step have missed (`azr.pipeline.async_rollouts`)."""

    @property
    def trials(self) -> list[tuple[Attempt, ...]]:
        """The trials of each valid proposal, in order."""
        return [valid.trials for valid in valids(self.verdicts)]


def measure(report: StepReport, ranks: Ranks = ONE) -> Numbers:
    """All metrics of a step, as numbers."""
    return numbers(collect(report, ranks))


def collect(report: StepReport, ranks: Ranks = ONE) -> Metrics:
    """All metrics of a step. Every rank has all episodes; a rank's own measurements are merged over ranks."""
    return _known(report) | merge(ranks.gather(_own(report)))


def seeded(verdicts: Sequence[Valid | Rejected]) -> Numbers:
    """Verdicts on the proposals of seed tasks."""
    found: Metrics = {}
    for kind in dict.fromkeys(verdict.proposal.kind for verdict in verdicts):
        of_kind = _proposals([verdict for verdict in verdicts if verdict.proposal.kind is kind])
        shown = [name for name in of_kind if name in ("count", "valid", "duplicates") or name.startswith("rejected/")]
        _add(found, f"seed/propose/{kind}", {name: of_kind[name] for name in shown})
    return numbers(found)


def _own(report: StepReport) -> Metrics:
    """Local measurements of this process: engine, time and memory."""
    found: Metrics = {}
    _add(found, "rollout", {name: Max(value) for name, value in report.engine.items()})
    _add(found, "seconds", {name: Max(spent) for name, spent in report.seconds.items()})
    found["seconds/step"] = Max(sum(report.seconds.values()))
    _add(found, "memory", _memory())
    return found


def _known(report: StepReport) -> Metrics:
    """Equal on every rank, so not merged: a sum over ranks would count it several times."""
    found: Metrics = {}
    for kind in report.stored:
        of_kind = [verdict for verdict in report.verdicts if verdict.proposal.kind is kind]
        _add(found, f"validate/propose/{kind}", _proposals(of_kind))
        trials = [row for row in report.trials if row and row[0].kind is kind]
        _add(found, f"solve/propose/{kind}", _trials(trials))
        flat = [attempt for row in report.answers for attempt in row if attempt.kind is kind]
        _add(found, f"solve/solve/{kind}", _attempts(flat))
        found[f"buffer/{kind}/stored"] = Max(report.stored[kind])
    for role in Role:
        for kind in report.stored:
            own = enumerate(report.batch.episodes)
            rows = [i for i, e in own if e.role is role and e.kind is kind and not e.replayed]
            _add(found, f"update/{role}/{kind}", _episodes(report, rows))
    for domain in _domains(report.stored):
        _add(found, f"domain/{domain}", _domain(report, domain))
    _add(found, "sandbox", _failures(report))
    found["rollout/dropped"] = Count(report.dropped)
    _add(found, "update", _update(report.stats))
    _add(found, "supervised", _learnt(report.learnt))
    if replayed := sum(episode.replayed for episode in report.batch.episodes):
        found["update/replayed"] = Count(replayed)
    found["update/staleness"] = Max(report.staleness)
    _add(found, "tokens", _tokens(report))
    return found


def _failures(report: StepReport) -> Metrics:
    """Proposals and attempts on which the sandbox failed."""
    attempts = [attempt for rows in (report.trials, report.answers) for row in rows for attempt in row]
    failed = sum(isinstance(verdict, Rejected) and verdict.failed for verdict in report.verdicts)
    failed += sum(attempt.failed for attempt in attempts)
    rows = len(report.verdicts) + len(attempts)
    return {"failed": Count(failed), "failed_share": Mean(failed, rows)}


def _proposals(verdicts: Sequence[Valid | Rejected]) -> Metrics:
    if not verdicts:
        return {}
    reasons = Counter(str(verdict.reason) for verdict in verdicts if isinstance(verdict, Rejected))
    levels = Counter(verdict.duplicate_level for verdict in verdicts if verdict.duplicate_level)
    valid = [verdict for verdict in verdicts if isinstance(verdict, Valid)]
    raised = {v.detail for v in verdicts if isinstance(v, Rejected) and v.reason is Reason.RAISED}
    repeated = sum(verdict.duplicate_of is not None for verdict in valid) + reasons[Reason.DUPLICATE]
    trees = [tree for verdict in valid if (tree := source.parse(verdict.task.program)) is not None]
    sizes = [source.operations(tree) for tree in trees]
    found: Metrics = {
        "count": Count(len(verdicts)),
        "valid": Count(len(valid)),
        "valid_rate": Mean(len(valid), len(verdicts) - sum(isinstance(v, Rejected) and v.failed for v in verdicts)),
        "duplicates": Count(repeated),
        "duplicate_share": Mean(repeated, len(valid) + reasons[Reason.DUPLICATE]),
        "program_lines": Mean.of(verdict.task.program.count("\n") + 1 for verdict in valid),
        "operations": Mean.of(sizes),
        "fuel": Mean.of(verdict.fuel for verdict in verdicts if verdict.fuel),
        "exceptions": Count(len(raised)),
        "output_types": Count(len({type(value.to_python()) for v in valid for value in v.task.outputs})),
    }
    if fuel := [verdict.fuel for verdict in verdicts if verdict.fuel]:
        found["fuel_max"] = Max(max(fuel))
    if sizes:
        found["operations_max"] = Max(max(sizes))
    found |= {f"duplicate/{level}": Count(count) for level, count in sorted(levels.items())}
    return found | {f"rejected/{reason}": Count(count) for reason, count in sorted(reasons.items())}


def _trials(trials: Sequence[Sequence[Attempt]]) -> Metrics:
    if not trials:
        return {}
    rates = [rate for row in trials if (rate := solve_rate(row)) is not None]
    bins = Counter(_bin(rate) for rate in rates)
    found: Metrics = {
        "tasks": Count(len(rates)),
        "solve_rate": Mean.of(rates),
        "unsolved_share": Mean(bins[0], len(rates)),
        "solved_share": Mean(bins[10], len(rates)),
        "learnable_share": Mean(len(rates) - bins[0] - bins[10], len(rates)),
    }
    return found | {f"solve_rates/{number}": Count(bins[number]) for number in range(11)}


def _bin(rate: float) -> int:
    """Bins 0 and 10 are exactly 0 and 1; bins 1 to 9 are the ninths between."""
    if rate <= 0.0 or rate >= 1.0:
        return 10 if rate >= 1.0 else 0
    return min(1 + int(rate * 9), 9)


def _attempts(attempts: Sequence[Attempt]) -> Metrics:
    if not attempts:
        return {}
    reasons, known = Counter(attempt.reason for attempt in attempts), with_verdict(attempts)
    fuel = [attempt.fuel for attempt in attempts if attempt.fuel]
    found: Metrics = {
        "count": Count(len(attempts)),
        "score": Mean.of(attempt.score for attempt in known),
        "formatted": Mean.of(float(attempt.formatted) for attempt in attempts),
        "fuel": Mean.of(fuel),
        "length_correct": Mean.of(len(a.completion.token_ids) for a in known if a.correct),
        "length_incorrect": Mean.of(len(a.completion.token_ids) for a in known if not a.correct),
    }
    if fuel:
        found["fuel_max"] = Max(max(fuel))
    return found | {f"reason/{reason}": Count(count) for reason, count in sorted(reasons.items())}


def _episodes(report: StepReport, rows: Sequence[int]) -> Metrics:
    if not rows:
        return {}
    episodes = [report.batch.episodes[row] for row in rows]
    rewards = [float(episode.reward) for episode in episodes]
    lengths = [float(episode.length) for episode in episodes]
    advantages = report.batch.advantages[list(rows)]
    found: Metrics = {
        "episodes": Count(len(rows)),
        "reward": Mean.of(rewards),
        "reward_max": Max(max(rewards)),
        "reward_min": Min(min(rewards)),
        "length": Mean.of(lengths),
        "length_max": Max(max(lengths)),
        "lengths": Quantiles(tuple(lengths)),
        "prompt_length": Mean.of(len(episode.completion.prompt.token_ids) for episode in episodes),
        "truncated_share": Mean.of(float(not episode.completion.finished) for episode in episodes),
        "reflection_share": Mean.of(float(_reflects(episode.completion)) for episode in episodes),
        "entropy": Mean.of(report.stats.entropy[list(rows)].tolist()),
        "advantage_std": Deviation.of(advantages.tolist()),
        "advantage_max": Max(float(advantages.max())),
        "advantage_min": Min(float(advantages.min())),
    }
    return found | {f"part/{name}": Mean.of(values) for name, values in _parts(episodes).items()}


def _learnt(learnt: Learnt) -> Metrics:
    """Of the supervised steps, if there were any."""
    if not learnt.examples:
        return {}
    return {"examples": Count(learnt.examples), "tokens": Count(learnt.tokens), "loss": Mean(learnt.loss, 1)}


def _domains(kinds: Iterable[Kind]) -> list[str]:
    """The domains of a run, `python` for plain kinds; none in a run over plain Python alone."""
    found = list(dict.fromkeys(kind.domain for kind in kinds))
    return [name or PYTHON for name in found] if any(found) else []


def _domain(report: StepReport, domain: str) -> Metrics:
    """Metrics over all kinds of a domain."""
    name = "" if domain == PYTHON else domain
    verdicts = [verdict for verdict in report.verdicts if verdict.proposal.kind.domain == name]
    trials = [row for row in report.trials if row and row[0].kind.domain == name]
    answers = [attempt for row in report.answers for attempt in row if attempt.kind.domain == name]
    found: Metrics = {"stored": Max(sum(count for kind, count in report.stored.items() if kind.domain == name))}
    if verdicts:
        found["propose/count"] = Count(len(verdicts))
        known = [v for v in verdicts if isinstance(v, Valid) or not v.failed]
        found["propose/valid_rate"] = Mean.of(float(isinstance(verdict, Valid)) for verdict in known)
        scored = [v.quality for v in verdicts if isinstance(v, Valid) and v.quality is not None]
        found |= {"propose/quality": Mean.of(scored)} if scored else {}
    if trials:
        found["propose/solve_rate"] = Mean.of(rate for row in trials if (rate := solve_rate(row)) is not None)
    if answers:
        found["solve/count"] = Count(len(answers))
        found["solve/score"] = Mean.of(attempt.score for attempt in with_verdict(answers))
    for role in Role:
        rewards = [
            e.reward for e in report.batch.episodes if e.role is role and e.kind.domain == name and not e.replayed
        ]
        found |= {f"{role}/reward": Mean.of(rewards)} if rewards else {}
    return found


def _reflects(completion: Completion) -> bool:
    return REFLECTION.search(completion.text) is not None


def _parts(episodes: Sequence[Episode]) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for episode in episodes:
        for name, value in episode.parts.items():
            values.setdefault(name, []).append(value)
    return values


def _update(stats: UpdateStats) -> Metrics:
    weight = max(stats.tokens, 1)

    def mean(value: float) -> Mean:
        return Mean(float(value) * weight, weight)

    return {
        "loss": mean(stats.loss),
        "grad_norm": Max(float(stats.grad_norm)),
        "lr": Max(float(stats.lr)),
        "kl": mean(stats.kl),
        "clip_share": mean(stats.clip_share),
        "mismatch_mean": mean(stats.mismatch_mean),
        "mismatch_max": Max(float(stats.mismatch_max)),
        "mismatch_kl": mean(stats.mismatch_kl),
        "masked_share": mean(stats.masked_share),
        "tokens": Count(float(stats.tokens)),
        "skipped": Count(float(stats.skipped)),
    }


def _tokens(report: StepReport) -> Metrics:
    """Completion tokens of each phase."""
    sampled = {
        "propose": sum(len(verdict.proposal.completion.token_ids) for verdict in report.verdicts),
        "trials": _length(report.trials),
        "solve": _length(report.answers),
    }
    return {name: Count(count) for name, count in sampled.items()}


def _length(attempts: Sequence[Sequence[Attempt]]) -> int:
    return sum(len(attempt.completion.token_ids) for row in attempts for attempt in row)


def _memory() -> Metrics:
    """Memory of this process, and of the GPU if torch uses one."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found: Metrics = {"peak_bytes": Max(peak)}
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        found["resident_bytes"] = Max(pages * resource.getpagesize())
    except OSError:
        found["resident_bytes"] = Max(peak)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        found["gpu_bytes"] = Max(torch.cuda.memory_allocated())
        found["gpu_peak_bytes"] = Max(torch.cuda.max_memory_allocated())
    return found


def _add(found: Metrics, prefix: str, metrics: Mapping[str, Metric]) -> None:
    found.update({f"{prefix}/{name}": metric for name, metric in metrics.items()})
