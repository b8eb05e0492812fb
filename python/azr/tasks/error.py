"""program + input -> name of the exception, or NoError. The paper's ablation; off by default."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from azr.tasks.base import KindOptions, PlainKind, ProgramSandbox
from azr.tasks.parsing import INPUT, OUTPUT, PROGRAM, Block, BlockSyntax, only
from azr.types import Answer, Kind, Reason, Task, Unparsed

if TYPE_CHECKING:
    from azr.sandbox import RunResult, Value

NO_ERROR = "NoError"


class ErrorPrediction(PlainKind):
    """The solver names the exception's class. A program that ends without one, or with the same one each time,
    counts."""

    kind: ClassVar[Kind] = Kind.ERROR
    from_task: ClassVar[bool] = False

    def __init__(self, options: KindOptions) -> None:
        self._options = options

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        return {}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        parts = ((PROGRAM, task.program), (INPUT, task.inputs[0]), (OUTPUT, label(task)))
        return "\n".join(syntax.render(tag, body) for tag, body in parts)

    def outputs(self, results: Sequence["RunResult"]) -> Sequence["Value"] | Reason:
        from azr.sandbox import InvalidRun, Value

        (result,) = results
        if not isinstance(result, InvalidRun):
            return [Value.of(NO_ERROR)]
        reason = Reason(result.reason.value)
        if reason is not Reason.RAISED or result.outcome is None or result.outcome.exception is None:
            return reason
        return [Value.of(result.outcome.exception)]

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return {"program": task.program, "input": task.inputs[0]}

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return only(blocks, OUTPUT)

    def check(self, sandbox: ProgramSandbox, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        """The first word up to a colon, compared without case; plain text, so nothing runs."""
        verdicts = []
        for task, text in answers:
            named = text.split(":", 1)[0].split()
            right = bool(named) and named[0].casefold() == label(task).casefold()
            verdicts.append(Answer(score=float(right), reason="correct" if right else "wrong"))
        return verdicts


def label(task: Task) -> str:
    """The name of the exception's class, or `NoError`."""
    return str(task.outputs[0].to_python())
