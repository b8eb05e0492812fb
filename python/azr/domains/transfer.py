"""Transfer between domains: held-out scores before and after training on another domain."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr.config import load_config
from azr.config.domain import PYTHON
from azr.errors import RunError
from azr.types import Kind

FIRST, LAST = "config.toml", "metrics.jsonl"
PREFIX, SCORE, TASKS = "probe/solve/", "/sampled", "/tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """One run: the domains that it trained on, and the held-out scores of each probed domain."""

    run: str
    trained: tuple[str, ...]
    scores: Mapping[str, tuple[float, float]]
    """Domain -> mean score before and after, in [0, 1]; kinds count by their tasks."""


def gains(run: Path) -> Gains:
    """Read a run folder.

    Raises:
        RunError: it is none, or it was probed fewer than two times.
    """
    try:
        rows = [json.loads(line) for line in (run / LAST).read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise RunError(f"{run} is no run folder: {error}") from error
    config = load_config(run / FIRST, written=True)
    return of_rows(run.name, config.tasks.kinds, rows)


def of_rows(name: str, kinds: Sequence[Kind], rows: Sequence[Mapping[str, Any]]) -> Gains:
    """The same from a run's metrics."""
    probed = [row for row in rows if any(key.startswith(PREFIX) for key in row)]
    if len(probed) < 2:
        raise RunError(f"{name} has no held-out scores from before and after training: see evals.every, and heldout")
    before, after = (_by_domain(probed[at]) for at in (0, -1))
    trained = tuple(dict.fromkeys(kind.domain or PYTHON for kind in kinds))
    return Gains(run=name, trained=trained, scores={d: (before[d], after[d]) for d in before if d in after})


def table(runs: Sequence[Gains]) -> str:
    """One row a run, one column a domain: `before -> after`, the domains that it trained on marked by a star."""
    domains = sorted({domain for run in runs for domain in run.scores})
    rows = [["run", "trained on", *domains]]
    for run in runs:
        cells = [_cell(run, domain) for domain in domains]
        rows.append([run.run, ", ".join(run.trained), *cells])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _cell(run: Gains, domain: str) -> str:
    if domain not in run.scores:
        return "-"
    before, after = run.scores[domain]
    star = "*" if domain in run.trained else ""
    return f"{100 * before:.1f} -> {100 * after:.1f} ({100 * (after - before):+.1f}){star}"


def _by_domain(row: Mapping[str, Any]) -> dict[str, float]:
    sums: dict[str, list[float]] = {}
    for key, value in row.items():
        if not (key.startswith(PREFIX) and key.endswith(SCORE)):
            continue
        name = key.removeprefix(PREFIX).removesuffix(SCORE)
        tasks = float(row[PREFIX + name + TASKS])
        total = sums.setdefault(Kind(name).domain or PYTHON, [0.0, 0.0])
        total[0] += value * tasks
        total[1] += tasks
    return {domain: score / tasks for domain, (score, tasks) in sums.items() if tasks}
