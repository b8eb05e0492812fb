"""input/output pairs + message -> program."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from azr.tasks.base import KindOptions, PlainKind, ProgramSandbox
from azr.tasks.common import failed_answer, returned
from azr.tasks.parsing import INPUT, MESSAGE, OUTPUT, PROGRAM, Block, BlockSyntax, last, only
from azr.types import Answer, Draft, Kind, Prompt, Task, Unparsed

if TYPE_CHECKING:
    from azr.sandbox import ProgramCheck


class Induction(PlainKind):
    """The solver writes a program. It sees the first half of the pairs and is tested on the rest."""

    kind: ClassVar[Kind] = Kind.INDUCTION
    from_task: ClassVar[bool] = True
    outputs = staticmethod(returned)

    def __init__(self, options: KindOptions) -> None:
        self._options = options

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        assert source is not None, "an induction proposal is about a stored program"
        return {"program": source.program, "count": str(self._options.inputs)}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        return f"{syntax.render(PROGRAM, task.program)}\n{self._pairs(syntax, task, len(task.inputs))}"

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        assert prompt.task is not None, "an induction proposal is about a stored program"
        inputs = last(blocks, INPUT, self._options.inputs)
        if isinstance(inputs, Unparsed):
            return inputs
        message = only(blocks, MESSAGE)
        if isinstance(message, Unparsed):
            return message
        stripped = tuple(text.strip() for text in inputs)
        return Draft(program=prompt.task.program, inputs=stripped, message=message.strip())

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return {"pairs": self._pairs(syntax, task, shown(task)), "message": task.message}

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return only(blocks, PROGRAM)

    def check(self, sandbox: ProgramSandbox, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        items = [
            (text, list(zip(task.inputs[shown(task) :], task.outputs[shown(task) :], strict=True)))
            for task, text in answers
        ]
        return [self._grade(check) for check in sandbox.check_program(items, mode=self._options.mode)]

    def _grade(self, check: "ProgramCheck") -> Answer:
        """The denominator is the number of hidden pairs, including failed ones."""
        if check.failed is not None:
            return failed_answer(check.failed)
        share = sum(check.passed) / len(check.passed)
        score = {"binary": float(share == 1.0), "accuracy": share, "any": float(share > 0.0)}
        graded = score[self._options.induction_score]
        fuel = sum(outcome.fuel_used for outcome in check.outcomes)
        if graded == 1.0:
            return Answer(score=graded, reason="correct", fuel=fuel)
        failed = next(o for o, passed in zip(check.outcomes, check.passed, strict=True) if not passed)
        return Answer(score=graded, reason="wrong" if failed.value is not None else str(failed.kind), fuel=fuel)

    @staticmethod
    def _pairs(syntax: BlockSyntax, task: Task, count: int) -> str:
        pairs = zip(task.inputs[:count], task.outputs[:count], strict=True)
        return "\n".join(f"{syntax.render(INPUT, text)}\n{syntax.render(OUTPUT, value.repr)}" for text, value in pairs)


def shown(task: Task) -> int:
    """Number of pairs that the solver sees: half, rounded down."""
    return len(task.inputs) // 2
