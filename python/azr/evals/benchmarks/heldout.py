"""The held-out tasks of this package: all kinds of the training, never shown to it.

Source: `azr/evals/heldout.jsonl`, made for the embedded model; MIT. Prompt: the training's own. `--data` takes any file
of the same form: one JSON object a line with kind, program, inputs and, for induction, message.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Benchmark, Item, Row, Source, column
from azr.tasks import KindOptions, make_kinds
from azr.tasks.io import verify
from azr.types import Draft, Kind, Task

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


def _build(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
    drafts = [
        (
            Kind(column(row, number, "kind")),
            Draft(
                program=column(row, number, "program"),
                inputs=tuple(column(row, number, "inputs")),
                message=row.get("message", ""),
            ),
        )
        for number, row in enumerate(rows)
    ]
    items = []
    for number, task in enumerate(verify(drafts, make_kinds(KindOptions()), sandbox)):
        if not isinstance(task, Task):
            raise BenchmarkError(f"row {number}: the sandbox rejects this task: {task}")
        items.append(Item(id=f"{task.kind}/{number}", task=task))
    return items


HELDOUT = Benchmark(
    name="heldout",
    title="Held-out tasks",
    source=Source(hub="", local="heldout", licence="MIT"),
    scorer="task_strict",
    kind=Kind.DEDUCTION,
    build=_build,
    max_tokens=2048,
)
