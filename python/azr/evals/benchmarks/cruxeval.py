"""CRUXEval: predict what a short function returns (-O), or find an input for an output (-I). 800 functions.

Source: cruxeval-org/cruxeval, split test; MIT; Gu et al., arXiv 2401.03065. Prompt: the training's own prompts for
deduction and abduction; plain: an assertion to complete. Any input that gives the output is right. Values compare as
Python's `==` does, as in the original. Two differences from it, both stricter: an answer has to be a literal, where the
original evaluates any expression, and no answer of the model is ever evaluated outside the sandbox.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Benchmark, Item, Row, Source, column
from azr.types import Kind, Task

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

SOURCE = Source(
    hub="cruxeval-org/cruxeval",
    local="cruxeval",
    licence="MIT",
    revision="b96af0450242eb4da433032b90998f25588a5d0f",
)


def items_of(rows: Sequence[tuple[str, str, str, str]], kind: Kind, sandbox: "Sandbox", name: str = "f") -> list[Item]:
    """Items of (id, program, argument text, output's literal); `name`: of the function in the plain template's text.

    Raises:
        BenchmarkError: an output is no literal of plain data.
    """
    from azr.sandbox import SyntaxProblem, read

    items = []
    outputs = read(sandbox.literals([output for _, _, _, output in rows]))
    for number, ((row_id, program, call, output), value) in enumerate(zip(rows, outputs, strict=True)):
        if isinstance(value, SyntaxProblem):
            raise BenchmarkError(f"row {number} ({row_id}): the output {output[:60]!r} is no literal: {value.message}")
        task = Task(kind=kind, program=program, inputs=(call,), outputs=(value,))
        ends = {Kind.DEDUCTION: f"assert {name}({call}) == ", Kind.ABDUCTION: f"assert {output} == {name}("}
        items.append(Item(id=row_id, stem=f"{program}\n\n{ends[kind]}", task=task))
    return items


def _build(kind: Kind) -> Callable[[Sequence[Row], "Sandbox"], list[Item]]:
    def build(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
        read = [
            (str(row.get("id", n)), column(row, n, "code"), column(row, n, "input"), column(row, n, "output"))
            for n, row in enumerate(rows)
        ]
        return items_of(read, kind, sandbox)

    return build


CRUXEVAL_I = Benchmark(
    name="cruxeval_i",
    title="CRUXEval-I",
    source=SOURCE,
    scorer="task",
    kind=Kind.ABDUCTION,
    build=_build(Kind.ABDUCTION),
    max_tokens=2048,
    stops=("\n",),
)
CRUXEVAL_O = Benchmark(
    name="cruxeval_o",
    title="CRUXEval-O",
    source=SOURCE,
    scorer="task",
    kind=Kind.DEDUCTION,
    build=_build(Kind.DEDUCTION),
    max_tokens=2048,
    stops=("\n",),
)
