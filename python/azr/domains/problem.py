"""Base of kinds whose problems are values: the proposer writes one, the solver answers with one, the verifier scores.

Most new kinds need no more than this base and a few lines:

    class Plan(Problem):
        program = "import planning\\n\\ndef f(field):\\n    return planning.problem(field)"
        propose_text = "Write a field ... $references"
        solve_text = "Here is a field ... $problem"

`f` checks a proposed problem in the guest: it raises if the problem is malformed, and returns it in the form for the
solver and the verifier.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from azr.tasks.base import KindOptions, ProgramSandbox
from azr.tasks.common import answer_of, returned
from azr.tasks.parsing import INPUT, OUTPUT, Block, BlockSyntax, only
from azr.types import Answer, Draft, Kind, Prompt, Task, Unparsed


class Problem:
    """Proposals are one `input` block, answers one `output` block with a literal."""

    kind: ClassVar[Kind] = Kind("problem")
    from_task: ClassVar[bool] = False
    outputs = staticmethod(returned)
    program: ClassVar[str]
    """Defines `f`, which checks a problem and returns what the solver is shown."""
    propose_text: ClassVar[str]
    solve_text: ClassVar[str]

    def __init__(self, options: KindOptions) -> None:
        self._options = options

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        return {}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        return syntax.render(INPUT, task.inputs[0])

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        text = only(blocks, INPUT)
        return text if isinstance(text, Unparsed) else Draft(program=self.program, inputs=(text.strip(),))

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return {"problem": task.outputs[0].repr}

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return only(blocks, OUTPUT)

    def check(self, sandbox: ProgramSandbox, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        """Without a verifier, the problem's own value is the answer."""
        return [answer_of(c) for c in sandbox.check_output([(text, task.outputs[0]) for task, text in answers])]
