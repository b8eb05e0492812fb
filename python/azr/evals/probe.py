"""The held-out probe: the score on tasks that the model never trained on.

Training reward does not measure that: a proposer that makes easier tasks raises it too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azr.config.lineage import OWN
from azr.config.mixture import probed_kinds
from azr.domains.domain import Domain
from azr.evals.estimate import ks, pass_at_k
from azr.pipeline.parts import Parts
from azr.solve import solve
from azr.tasks.io import read_tasks
from azr.types import Kind, Task, with_verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of one kind, or the mean over kinds; all in [0, 1]."""

    sampled: float
    """Mean score of `samples` answers per task, at temperature 1."""
    greedy: float
    passed: float
    """Share of tasks that at least one of the samples solves (pass@samples)."""
    error: float
    """Standard error of `sampled` over tasks."""
    tasks: int
    pass_at: Mapping[int, float] = field(default_factory=dict)
    """Unbiased estimate of the chance that one of k answers solves a task, for each reported k."""


def held_out(parts: Parts, limit: int = 0) -> list[Task]:
    """The config's held-out tasks, or for the embedded model the package's; else none.

    Args:
        limit: of each kind, 0 for all.
    """
    config = parts.config
    path = config.evals.tasks
    if not path and config.model.name in OWN and config.engine.name != "scripted":
        path = str(Path(str(resources.files("azr.evals"))) / "heldout.jsonl")
    tasks = [task for domain in parts.domains for task in domain_held_out(parts, domain)]
    if path:
        tasks += read_tasks(Path(path), parts.kinds, parts.sandbox)
    chosen = []
    for kind in probed_kinds(parts.config):
        of_kind = [task for task in tasks if task.kind is kind]
        chosen += of_kind[: limit or len(of_kind)]
    return chosen


def domain_held_out(parts: Parts, domain: Domain) -> list[Task]:
    """A domain's held-out tasks."""
    file = domain.folder.about.heldout
    if not file:
        return []
    return read_tasks(domain.folder.file(file, "heldout"), parts.kinds, parts.sandbox, domain.name)


def probe(parts: Parts, tasks: Sequence[Task]) -> dict[Kind, Scores]:
    """Score the engine's current weights on the tasks. No side effects on the run; the same draws each time."""
    sampling = replace(parts.sampling(0, "probe"), temperature=1.0, top_p=1.0, top_k=0)
    samples = parts.config.evals.samples
    sampled = solve(parts, tasks, samples, sampling)
    greedy = solve(parts, tasks, 1, replace(sampling, temperature=0.0))
    found = {}
    for kind in probed_kinds(parts.config):
        rows = [index for index, task in enumerate(tasks) if task.kind is kind]
        if not rows:
            continue
        # A task on which the sandbox failed at any answer says nothing about the weights.
        rows = [row for row in rows if len(with_verdict((*sampled[row], *greedy[row]))) == samples + 1]
        if not rows:
            continue
        scores = np.array([[attempt.score for attempt in sampled[row]] for row in rows])
        means = scores.mean(1)
        found[kind] = Scores(
            sampled=float(means.mean()),
            greedy=float(np.mean([greedy[row][0].score for row in rows])),
            passed=float((scores >= 1.0).any(1).mean()),
            error=float(means.std() / np.sqrt(len(rows))),
            tasks=len(rows),
            pass_at=_pass_at(scores >= 1.0),
        )
    return found


def _pass_at(solved: NDArray[np.bool_]) -> dict[int, float]:
    """pass@k of answers [tasks, samples], for powers of two up to the samples."""
    samples = solved.shape[1]
    counts = solved.sum(1)
    return {k: float(np.mean([pass_at_k(samples, int(count), k) for count in counts])) for k in ks(samples)}


def mean_of_kinds(scores: Mapping[Kind, Scores]) -> Scores:
    """Mean over kinds, equally weighted."""
    values = list(scores.values())
    return Scores(
        sampled=float(np.mean([s.sampled for s in values])),
        greedy=float(np.mean([s.greedy for s in values])),
        passed=float(np.mean([s.passed for s in values])),
        error=float(np.sqrt(sum(s.error**2 for s in values)) / len(values)),
        tasks=sum(s.tasks for s in values),
        pass_at={k: float(np.mean([s.pass_at[k] for s in values])) for k in values[0].pass_at},
    )


def as_numbers(scores: Mapping[Kind, Scores], prefix: str = "probe") -> dict[str, float]:
    """For the metrics: `<prefix>/solve/<kind>/<name>`, and `<prefix>/<name>` for the mean of the kinds."""
    if not scores:
        return {}
    named = {f"{prefix}/solve/{kind}": score for kind, score in scores.items()} | {prefix: mean_of_kinds(scores)}
    names = ("sampled", "greedy", "passed", "error", "tasks")
    found = {f"{start}/{name}": float(getattr(score, name)) for start, score in named.items() for name in names}
    return found | {
        f"{start}/pass_at_{k}": value for start, score in named.items() for k, value in score.pass_at.items()
    }
