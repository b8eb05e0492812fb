"""The task kind interface: prompts, parsing, building a task from a run, and checking answers.

A new kind is one class with this protocol. A plain kind needs a line in `azr.tasks.KINDS`; a domain's kind is named in
its `domain.toml` (`azr.domains`).
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
    """Config options of kinds."""

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

    def materialise(self, draft: Draft, completion: Completion, results: Sequence["RunResult"]) -> Task | Reason:
        """Build a task from the sandbox's results, one for each input of the draft."""
        ...

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        """Values of the slots of `solve_<kind>.txt`."""
        ...

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        """Parse a completion's blocks into the answer's text."""
        ...

    def check(self, sandbox: "Sandbox", answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        """One verdict for each (task, answer), in order."""
        ...
