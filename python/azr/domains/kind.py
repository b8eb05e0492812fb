"""A plain kind inside a domain: with the domain's sandbox, verifier and quality score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azr.domains.scoring import NOT_A_LITERAL, qualities, verify
from azr.domains.types import TypedSandbox
from azr.tasks.base import ProgramSandbox, TaskForm
from azr.tasks.common import argument_values, failed_answer
from azr.tasks.parsing import Block, BlockSyntax
from azr.types import Answer, Draft, Kind, Prompt, Reason, Task, Unparsed

if TYPE_CHECKING:
    from azr.sandbox import RunResult, Sandbox, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Shared by all kinds of a domain."""

    sandbox: "Sandbox"
    """Has the domain's modules."""
    typed: bool
    """Whether programs may return instances of the domain's types."""
    banned: str
    """Modules that programs may not import, as a list for the prompt."""
    verifier: str | None
    quality: str | None
    minimum: float
    """Quality below which a proposal is rejected."""


class DomainKind:
    """Delegates to the plain kind, but runs, checks and scores with the domain's sandbox and rules."""

    def __init__(self, kind: Kind, inner: TaskForm, rules: Rules) -> None:
        self.kind = kind
        self.from_task = inner.from_task
        self.minimum = rules.minimum
        self._inner = inner
        self._rules = rules
        self._home: ProgramSandbox = TypedSandbox(rules.sandbox) if rules.typed else rules.sandbox

    def home(self, plain: "Sandbox") -> ProgramSandbox:
        """The domain's sandbox, with its modules and types."""
        return self._home

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        return {"banned": self._rules.banned, **self._inner.propose_slots(syntax, source)}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        return self._inner.show(syntax, task)

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        return self._inner.parse_proposal(blocks, prompt)

    def outputs(self, results: Sequence["RunResult"]) -> Sequence["Value"] | Reason:
        return self._inner.outputs(results)

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return self._inner.solve_slots(syntax, task)

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return self._inner.parse_answer(blocks)

    def check(self, sandbox: ProgramSandbox, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        if self._rules.verifier is not None:
            return verify(self._rules.sandbox, self._rules.verifier, self.kind.base, answers)
        if self.kind.base is Kind.ABDUCTION:
            return self._check_arguments(sandbox, answers)
        return self._inner.check(sandbox, answers)

    def _check_arguments(self, sandbox: ProgramSandbox, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        """Arguments have to be literals: an expression could change the domain's modules before the program uses
        them."""
        from azr.sandbox import Failed, Value

        read = argument_values(self._rules.sandbox, [text for _, text in answers])
        plain = [answer for answer, value in zip(answers, read, strict=True) if isinstance(value, Value)]
        checked = iter(self._inner.check(sandbox, plain))
        verdicts = []
        for value in read:
            if value is None:
                verdicts.append(NOT_A_LITERAL)
            else:
                verdicts.append(failed_answer(value) if isinstance(value, Failed) else next(checked))
        return verdicts

    def quality(self, tasks: Sequence[Task]) -> list[float | None] | None:
        """The domain's quality score of new tasks; None where the sandbox failed. None as a whole: it has none."""
        if self._rules.quality is None:
            return None
        return list(qualities(self._rules.sandbox, self._rules.quality, self.kind.base, tasks))
