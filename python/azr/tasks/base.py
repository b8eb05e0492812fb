"""What a kind of task has to know: how to ask for one, read one, make one of a run, ask for its answer and check it.

A new kind is one class with this protocol: a plain one has a line in `azr.tasks.KINDS`, that of a domain stands in its
`domain.toml` (`azr.domains`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from azr.tasks.parsing import Block, BlockSyntax
from azr.types import Answer, Completion, Draft, Kind, Prompt, Reason, Task, Unparsed

if TYPE_CHECKING:
    from azr.sandbox import RunResult, Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOptions:
    """What the config says about kinds."""

    inputs: int = 10
    strict: bool = True
    """Compare types too: 1 is not 1.0 and not True."""
    induction_score: str = "binary"

    @property
    def mode(self) -> Literal["strict", "python"]:
        return "strict" if self.strict else "python"


class TaskKind(Protocol):
    """One kind of task."""

    @property
    def kind(self) -> Kind:
        """Its name."""
        ...

    @property
    def from_task(self) -> bool:
        """True: a proposal is about the program of a stored task of another kind; False: it brings its own program."""
        ...

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        """Values of the slots of `propose_<kind>.txt` that only this kind has."""
        ...

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        """A stored task as a reference for the proposer."""
        ...

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        """The draft in a proposal's blocks."""
        ...

    def materialise(self, draft: Draft, completion: Completion, results: Sequence["RunResult"]) -> Task | Reason:
        """The task that the sandbox's results (one for each input of the draft) make of it."""
        ...

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        """Values of the slots of `solve_<kind>.txt`."""
        ...

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        """The answer's text in a completion's blocks."""
        ...

    def check(self, sandbox: "Sandbox", answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        """One verdict for each (task, answer), in order."""
        ...
