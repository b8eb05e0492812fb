"""Numbers of a step, named `stage/role/kind/name`, or `stage/name` where there is no role and kind.

A run over domains has `domain/<domain>/...` besides, which its kinds add up to.

Every proposal is counted as valid or under exactly one reason, every attempt under exactly one reason.
"""

import resource
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from azr.config.domain import PYTHON
from azr.trainer.policy import UpdateStats
from azr.types import Attempt, Batch, Episode, Kind, Rejected, Role, Valid, solve_rate

Numbers = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """Everything that one step did."""

    step: int
    verdicts: Sequence[Valid | Rejected]
    trials: Sequence[Sequence[Attempt]]
    attempts: Sequence[Sequence[Attempt]]
    batch: Batch
    stats: UpdateStats
    seconds: Mapping[str, float]
    """Of each stage."""
    stored: Mapping[Kind, int]
    """Tasks of each kind that can be sampled."""
    dropped: int = 0
    """Attempts that were asked for and not used (`azr.flow`)."""


def measure(report: StepReport) -> Numbers:
    """All numbers of a step."""
    found: Numbers = {}
    for kind in report.stored:
        of_kind = [verdict for verdict in report.verdicts if verdict.proposal.kind is kind]
        _add(found, f"validate/propose/{kind}", _proposals(of_kind))
        trials = [row for row in report.trials if row and row[0].task.kind is kind]
        _add(found, f"solve/propose/{kind}", _trials(trials))
        flat = [attempt for row in report.attempts for attempt in row if attempt.task.kind is kind]
        _add(found, f"solve/solve/{kind}", _attempts(flat))
        found[f"buffer/{kind}/stored"] = report.stored[kind]
    for role in Role:
        for kind in report.stored:
            rows = [i for i, e in enumerate(report.batch.episodes) if e.role is role and e.kind is kind]
            _add(found, f"update/{role}/{kind}", _episodes(report, rows))
    for domain in _domains(report.stored):
        _add(found, f"domain/{domain}", _domain(report, domain))
    found["rollout/dropped"] = report.dropped
    _add(found, "update", _update(report.stats))
    _add(found, "seconds", {**report.seconds, "step": sum(report.seconds.values())})
    found["memory/peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found


def _proposals(verdicts: Sequence[Valid | Rejected]) -> Numbers:
    if not verdicts:
        return {}
    reasons = Counter(str(verdict.reason) for verdict in verdicts if isinstance(verdict, Rejected))
    valid = [verdict for verdict in verdicts if isinstance(verdict, Valid)]
    lines = [verdict.task.program.count("\n") + 1 for verdict in valid]
    return {
        "count": len(verdicts),
        "valid": len(valid),
        "valid_rate": len(valid) / len(verdicts),
        "duplicates": sum(verdict.duplicate_of is not None for verdict in valid) + reasons["duplicate"],
        "program_lines": _mean(lines),
        **{f"rejected/{reason}": count for reason, count in sorted(reasons.items())},
    }


def _trials(trials: Sequence[Sequence[Attempt]]) -> Numbers:
    if not trials:
        return {}
    rates = np.array([solve_rate(row) for row in trials])
    return {
        "tasks": len(rates),
        "solve_rate": float(rates.mean()),
        "unsolved_share": float((rates == 0.0).mean()),
        "solved_share": float((rates == 1.0).mean()),
        "learnable_share": float(((rates > 0.0) & (rates < 1.0)).mean()),
    }


def _attempts(attempts: Sequence[Attempt]) -> Numbers:
    if not attempts:
        return {}
    reasons = Counter(attempt.reason for attempt in attempts)
    return {
        "count": len(attempts),
        "score": _mean(attempt.score for attempt in attempts),
        "formatted": _mean(float(attempt.formatted) for attempt in attempts),
        **{f"reason/{reason}": count for reason, count in sorted(reasons.items())},
    }


def _episodes(report: StepReport, rows: Sequence[int]) -> Numbers:
    if not rows:
        return {}
    episodes = [report.batch.episodes[row] for row in rows]
    rewards = [episode.reward for episode in episodes]
    lengths = [episode.length for episode in episodes]
    return {
        "episodes": len(rows),
        "reward": _mean(rewards),
        "reward_max": max(rewards),
        "reward_min": min(rewards),
        "length": _mean(lengths),
        "length_max": max(lengths),
        "prompt_length": _mean(len(episode.completion.prompt.token_ids) for episode in episodes),
        "clipped_share": _mean(float(not episode.completion.finished) for episode in episodes),
        "entropy": float(report.stats.entropy[list(rows)].mean()),
        "advantage_std": float(report.batch.advantages[list(rows)].std()),
        **{f"part/{name}": value for name, value in _parts(episodes).items()},
    }


def _domains(kinds: Iterable[Kind]) -> list[str]:
    """The domains of a run, `python` for plain kinds; none in a run over plain Python alone."""
    found = list(dict.fromkeys(kind.domain for kind in kinds))
    return [name or PYTHON for name in found] if any(found) else []


def _domain(report: StepReport, domain: str) -> Numbers:
    """What a domain's kinds add up to."""
    name = "" if domain == PYTHON else domain
    verdicts = [verdict for verdict in report.verdicts if verdict.proposal.kind.domain == name]
    trials = [row for row in report.trials if row and row[0].task.kind.domain == name]
    answers = [attempt for row in report.attempts for attempt in row if attempt.task.kind.domain == name]
    found: Numbers = {"stored": sum(count for kind, count in report.stored.items() if kind.domain == name)}
    if verdicts:
        found["propose/count"] = len(verdicts)
        found["propose/valid_rate"] = _mean(float(isinstance(verdict, Valid)) for verdict in verdicts)
        scored = [v.quality for v in verdicts if isinstance(v, Valid) and v.quality is not None]
        found |= {"propose/quality": _mean(scored)} if scored else {}
    if trials:
        found["propose/solve_rate"] = _mean(solve_rate(row) for row in trials)
    if answers:
        found["solve/count"] = len(answers)
        found["solve/score"] = _mean(attempt.score for attempt in answers)
    for role in Role:
        rewards = [e.reward for e in report.batch.episodes if e.role is role and e.kind.domain == name]
        found |= {f"{role}/reward": _mean(rewards)} if rewards else {}
    return found


def _parts(episodes: Sequence[Episode]) -> Numbers:
    values: dict[str, list[float]] = {}
    for episode in episodes:
        for name, value in episode.parts.items():
            values.setdefault(name, []).append(value)
    return {name: _mean(found) for name, found in values.items()}


def _update(stats: UpdateStats) -> Numbers:
    names = ("loss", "grad_norm", "lr", "kl", "clip_share", "gap_mean", "gap_max", "tokens", "skipped")
    return {name: float(getattr(stats, name)) for name in names}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(sum(found) / len(found)) if found else 0.0


def _add(found: Numbers, prefix: str, numbers: Mapping[str, float]) -> None:
    found.update({f"{prefix}/{name}": value for name, value in numbers.items()})
