"""Have a model propose tasks and attempt them, and keep what the sandbox verified. Nothing is trained.

A round is a step of the loop without its update: proposals of every kind, shown tasks of earlier rounds; their
validation; attempts at each new task. See `azr.pipeline.rollout_step`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from azr import __version__
from azr.collection.task_file import Row, TaskFile
from azr.errors import RunError
from azr.pipeline.parts import Parts
from azr.pipeline.rollout_step import Rollouts, roll_out
from azr.run.seed import starting_tasks
from azr.tasks.io import read_tasks
from azr.types import Attempt, Rejected, Task, Valid, solve_rate, valids, with_verdict
from azr.util.sanitize import visible

T = TypeVar("T")
BARREN = 3
"""After so many rounds without a new task it is given up."""
SHOWN = 600
"""Characters of a completion in an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round came to."""

    tasks: int
    """In the file by now."""
    new: int
    proposals: int
    valid: int
    """Proposals that are tasks, those that were there already among them."""
    solve_rate: float | None
    """Mean over the new tasks."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Why the others are none."""


def gather(parts: Parts, file: TaskFile, wanted: int, model: str, told: Callable[[Round], None]) -> None:
    """Run rounds until the file has `wanted` tasks; those that it has already count.

    Raises:
        RunError: several rounds brought no new task, or the file cannot be written.
        EngineError: the endpoint failed.
    """
    _start(parts, file)
    step = max((row.step for row in file.rows), default=0)
    barren = 0
    while len(file.rows) < wanted:
        step += 1
        found = roll_out(parts, step, [], _untimed)
        parts.store.record([(valid.task, valid.trials) for valid in valids(found.verdicts)], step)
        rows = chosen(rows_of(found, model), wanted - len(file.rows))
        file.append(rows)
        told(_summary(found, rows, len(file.rows)))
        barren = 0 if rows else barren + 1
        if barren == BARREN:
            raise RunError(_barren(found, model))


def rows_of(found: Rollouts, model: str) -> list[Row]:
    """The round's new tasks, with at least one attempt that has a verdict."""
    return [
        _row(verdict.task, verdict.trials, rate, model)
        for verdict in valids(found.verdicts)
        if verdict.duplicate_of is None and (rate := solve_rate(verdict.trials)) is not None
    ]


def chosen(rows: Sequence[Row], most: int) -> list[Row]:
    """At most so many, of each kind alike, in their order."""
    seen: Counter[str] = Counter()
    turns = []
    for index, row in enumerate(rows):
        turns.append((seen[row.kind], index))
        seen[row.kind] += 1
    return [rows[index] for index in sorted(index for _, index in sorted(turns)[:most])]


def _start(parts: Parts, file: TaskFile) -> None:
    """Fill the buffer with what proposers are shown first: the identity program, seeds of domains, the file's tasks."""
    parts.store.add(starting_tasks(parts.domains, parts.kinds, parts.config.tasks.inputs, parts.sandbox))
    if file.rows:
        parts.store.add(read_tasks(file.path, parts.kinds, parts.sandbox))


def _untimed(name: str, stage: Callable[[], T]) -> T:
    return stage()


def _row(task: Task, trials: Sequence[Attempt], rate: float, model: str) -> Row:
    return Row(
        kind=task.kind, program=task.program, inputs=list(task.inputs), outputs=[value.repr for value in task.outputs],
        message=task.message, attempts=len(with_verdict(trials)), solve_rate=rate, step=task.step, model=model,
        azr=__version__,
    )  # fmt: skip


def _summary(found: Rollouts, rows: Sequence[Row], tasks: int) -> Round:
    reasons = Counter(str(verdict.reason) for verdict in found.verdicts if isinstance(verdict, Rejected))
    return Round(
        tasks=tasks, new=len(rows), proposals=len(found.verdicts),
        valid=sum(isinstance(verdict, Valid) for verdict in found.verdicts),
        solve_rate=sum(row.solve_rate for row in rows) / len(rows) if rows else None,
        reasons=dict(reasons.most_common()),
    )  # fmt: skip


def _barren(found: Rollouts, model: str) -> str:
    rejected = [verdict for verdict in found.verdicts if isinstance(verdict, Rejected)]
    if not rejected:
        return f"the last {BARREN} rounds of {model} brought only tasks that were there already: it repeats itself"
    reasons = Counter(str(verdict.reason) for verdict in rejected).most_common(3)
    last = rejected[-1]
    cut = sum(not verdict.proposal.completion.finished for verdict in rejected)
    return (
        f"the last {BARREN} rounds of {model} brought no new task. The commonest reasons of the last:"
        f" {', '.join(f'{reason} ({count})' for reason, count in reasons)}; {cut} of {len(rejected)} completions were"
        f" cut at their length limit. The last one ({visible(f'{last.reason} {last.detail}', 200)}):\n"
        f"{visible(last.proposal.completion.text, SHOWN)}"
    )
