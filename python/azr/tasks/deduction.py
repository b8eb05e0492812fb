"""program + input -> output."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from azr.tasks.base import KindOptions, PlainKind, ProgramSandbox
from azr.tasks.common import answer_of, returned
from azr.tasks.parsing import INPUT, OUTPUT, PROGRAM, Block, BlockSyntax, only
from azr.types import Answer, Kind, Task, Unparsed


class Deduction(PlainKind):
    """The solver predicts what a program returns."""

    kind: ClassVar[Kind] = Kind.DEDUCTION
    from_task: ClassVar[bool] = False
    outputs = staticmethod(returned)

    def __init__(self, options: KindOptions) -> None:
        self._options = options

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        return {}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        parts = ((PROGRAM, task.program), (INPUT, task.inputs[0]), (OUTPUT, task.outputs[0].repr))
        return "\n".join(syntax.render(tag, body) for tag, body in parts)

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return {"program": task.program, "input": task.inputs[0]}

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return only(blocks, OUTPUT)

    def check(self, sandbox: ProgramSandbox, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        items = [(text, task.outputs[0]) for task, text in answers]
        return [answer_of(check) for check in sandbox.check_output(items, mode=self._options.mode)]
