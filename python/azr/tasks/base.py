"""The task kind interface: prompts, parsing, building a task from a run, and checking answers.

A new kind is one class with the protocol `TaskForm`. A plain kind derives from `PlainKind` and needs a line in
`azr.tasks.KINDS`; a domain's kind is named in its `domain.toml` (`azr.domains`), which gives it a sandbox and a quality
score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from azr.tasks.parsing import INPUT, PROGRAM, Block, BlockSyntax, flaw_of
from azr.types import Answer, Draft, Kind, Prompt, Reason, Task, Unparsed

if TYPE_CHECKING:
    from azr.sandbox import (
        Check,
        Limits,
        Mode,
        Outcome,
        ProgramCheck,
        Request,
        RunResult,
        Sandbox,
        Validation,
        Value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOptions:
    """Config options of kinds."""

    inputs: int = 10
    strict: bool = True
    """Compare types too: 1 is not 1.0 and not True."""
    induction_score: str = "binary"

    @property
    def mode(self) -> Literal["strict", "python"]:
        return "strict" if self.strict else "python"


class ProgramSandbox(Protocol):
    """What kinds ask of a sandbox: `azr.sandbox.Sandbox`, or one that a domain wraps around it."""

    @property
    def limits(self) -> "Limits": ...

    def run_batch(self, requests: "Sequence[Request]") -> "list[Outcome]": ...

    def validate(self, items: Sequence[tuple[str, Sequence[str]]]) -> "list[Validation]": ...

    def check_output(
        self, items: "Sequence[tuple[str, Value]]", mode: "Mode" = "python", tolerance: float | None = None
    ) -> "list[Check]": ...

    def check_input(
        self, items: "Sequence[tuple[str, str, Value]]", mode: "Mode" = "python", tolerance: float | None = None
    ) -> "list[Check]": ...

    def check_program(
        self,
        items: "Sequence[tuple[str, Sequence[tuple[str, Value]]]]",
        mode: "Mode" = "python",
        tolerance: float | None = None,
    ) -> "list[ProgramCheck]": ...


class TaskForm(Protocol):
    """One kind of task: its prompts, its answers and their check."""

    @property
    def kind(self) -> Kind:
        """Its name."""
        ...

    @property
    def from_task(self) -> bool:
        """True: a proposal is about a stored task's program. False: it brings its own program."""
        ...

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        """Values of the slots of `propose_<kind>.txt` that only this kind has."""
        ...

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        """A stored task in the form of a reference for the proposer."""
        ...

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        """Parse a proposal's blocks into a draft."""
        ...

    def outputs(self, results: Sequence["RunResult"]) -> Sequence["Value"] | Reason:
        """The task's outputs from the sandbox's results, one for each input; or why this is no task."""
        ...

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        """Values of the slots of `solve_<kind>.txt`."""
        ...

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        """Parse a completion's blocks into the answer's text."""
        ...

    def check(self, sandbox: ProgramSandbox, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        """One verdict for each (task, answer), in order. `sandbox`: where the tasks' programs run."""
        ...


class TaskKind(TaskForm, Protocol):
    """A kind in a run: it knows where its programs run and how its tasks are scored."""

    minimum: float
    """Quality below which a proposal is rejected."""

    def home(self, plain: "Sandbox") -> ProgramSandbox:
        """Where its programs run: `plain`, the run's sandbox, or its domain's."""
        ...

    def quality(self, tasks: Sequence[Task]) -> Sequence[float | None] | None:
        """A quality score for each new task, None where the sandbox failed; None as a whole: it has no scores."""
        ...


class PlainKind:
    """What the kinds over plain Python share: proposals of a program and an input, the run's sandbox, and no quality
    score."""

    minimum: float = 0.0

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        """One program and one input."""
        flaw = flaw_of(blocks, PROGRAM) or flaw_of(blocks, INPUT)
        bodies = {block.tag: block.body for block in blocks}
        return flaw or Draft(program=bodies[PROGRAM], inputs=(bodies[INPUT].strip(),))

    def home(self, plain: "Sandbox") -> "Sandbox":
        return plain

    def quality(self, tasks: Sequence[Task]) -> None:
        return None
