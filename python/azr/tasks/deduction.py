"""program + input -> output."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from azr.tasks.base import KindOptions, PlainKind
from azr.tasks.common import answer_of, first_failure, make_task, parse_program_and_input, values
from azr.tasks.parsing import INPUT, OUTPUT, PROGRAM, Block, BlockSyntax, only
from azr.types import Answer, Completion, Draft, Kind, Prompt, Reason, Task, Unparsed

if TYPE_CHECKING:
    from azr.sandbox import RunResult, Sandbox


class Deduction(PlainKind):
    """The solver predicts what a program returns."""

    kind: ClassVar[Kind] = Kind.DEDUCTION
    from_task: ClassVar[bool] = False

    def __init__(self, options: KindOptions) -> None:
        self._options = options

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        return {}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        parts = ((PROGRAM, task.program), (INPUT, task.inputs[0]), (OUTPUT, task.outputs[0].repr))
        return "\n".join(syntax.render(tag, body) for tag, body in parts)

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        return parse_program_and_input(blocks)

    def materialise(self, draft: Draft, completion: Completion, results: Sequence["RunResult"]) -> Task | Reason:
        failure = first_failure(results)
        return failure or make_task(self.kind, draft, completion, values(results))

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return {"program": task.program, "input": task.inputs[0]}

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return only(blocks, OUTPUT)

    def check(self, sandbox: "Sandbox", answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        items = [(text, task.outputs[0]) for task, text in answers]
        return [answer_of(check) for check in sandbox.check_output(items, mode=self._options.mode)]
