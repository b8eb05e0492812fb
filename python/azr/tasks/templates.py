"""Templates: the text around a task's prompt, and the position of the answer in a completion.

A template has a block syntax, wraps a task's text into a prompt, and extracts the answer from a completion. The part of
the answer that the prompt itself already wrote (its opening) is put back before the answer is read.
"""

import re
import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

from azr.tasks.parsing import BlockSyntax, Fenced, Sections
from azr.types import Flaw, Kind, Role, Unparsed


@dataclass(frozen=True, slots=True)
class Reading:
    """A parsed completion. `formatted`: it has exactly the requested format."""

    answer: str | Unparsed
    formatted: bool


@dataclass(frozen=True, slots=True)
class Form:
    """What a config changes in a template of words."""

    short: bool = False
    """Short texts in place of the full ones."""
    opened: bool = False
    """Prompts end with the beginning of the answer, so that there are no thoughts."""


FULL = Form()
FIRST: Mapping[tuple[Role, Kind], str] = {
    (Role.PROPOSE, Kind.DEDUCTION): "python",
    (Role.PROPOSE, Kind.ABDUCTION): "python",
    (Role.PROPOSE, Kind.ERROR): "python",
    (Role.PROPOSE, Kind.INDUCTION): "input",
    (Role.SOLVE, Kind.DEDUCTION): "output",
    (Role.SOLVE, Kind.ABDUCTION): "input",
    (Role.SOLVE, Kind.INDUCTION): "python",
    (Role.SOLVE, Kind.ERROR): "output",
}
"""The tag of the fence that an answer begins with."""


def _answer_opening(role: Role, kind: Kind) -> str:
    """The tag of an answer and the fence of its first block; the tag alone for kinds that only a domain has."""
    tag = FIRST.get((role, kind.base), "")
    return "<answer>\n" + (f"```{tag}\n" if tag else "")


def tagged(blocks: str) -> str:
    """The blocks of an answer between its tags."""
    return f"<answer>\n{blocks}\n</answer>"


class Template(Protocol):
    """One format of conversations."""

    name: str
    syntax: BlockSyntax
    special_tokens: bool
    """Whether the tokenizer adds its special tokens (such as a begin token) to the wrapped text."""
    continues: bool
    """Whether a proposal's prompt ends inside the program, so that it may go on from an earlier one."""
    folder: str
    """Where its prompts stand below `prompts/`."""

    def wrap(self, text: str, role: Role, kind: Kind) -> str:
        """The whole prompt around a task's text."""
        ...

    def read(self, completion: str, role: Role, kind: Kind) -> Reading:
        """The answer in a completion."""
        ...

    def write(self, blocks: str, role: Role, kind: Kind, thoughts: str = "") -> str:
        """A completion that is read as these blocks; thoughts are left out where the prompt leaves no room for them."""
        ...


SHORT = "short"
"""Folder of the short prompts; their blocks are fenced."""


class Tagged(ABC):
    """What the templates with answer tags share."""

    @abstractmethod
    def _opening(self, role: Role, kind: Kind) -> str:
        """The beginning of the answer, where the prompt wrote it."""

    @abstractmethod
    def _is_formatted(self, completion: str) -> bool:
        """Whether a completion has exactly the requested format."""

    def read(self, completion: str, role: Role, kind: Kind) -> Reading:
        """The text after the last opening answer tag, up to the next closing tag, if any."""
        completion = self._opening(role, kind) + completion
        _, tag, rest = completion.rpartition("<answer>")
        answer = rest.partition("</answer>")[0].strip() if tag else Unparsed(flaw=Flaw.NO_ANSWER)
        return Reading(answer, self._is_formatted(completion))


class Think(Tagged):
    """The paper's plain text: thoughts and answer in tags; the opening think tag is part of the prompt."""

    name = "think"
    special_tokens = True
    continues = False
    _turn = re.compile(r"</think>\s*<answer>")

    def __init__(self, tags: Sequence[str] = (), form: Form = FULL) -> None:
        """`tags`: of blocks that only a domain's kinds have."""
        self.syntax: BlockSyntax = Fenced(tags)
        self._opened = form.opened
        self._outer = "outer_think_short" if form.short else "outer_think"
        self.folder = SHORT if form.short else self.syntax.name

    def wrap(self, text: str, role: Role, kind: Kind) -> str:
        outer = load_text(self._outer).substitute(task=text.rstrip("\n")).removesuffix("\n")
        return outer + self._opening(role, kind)

    def write(self, blocks: str, role: Role, kind: Kind, thoughts: str = "") -> str:
        given = "" if self._opened else thoughts
        return f"{given} </think>\n{tagged(blocks)}".removeprefix(self._opening(role, kind))

    def _opening(self, role: Role, kind: Kind) -> str:
        """No thoughts, and the beginning of the answer."""
        return f" </think>\n{_answer_opening(role, kind)}" if self._opened else ""

    def _is_formatted(self, completion: str) -> bool:
        # A closing tag that follows any turn from thoughts to the answer follows the first one: one search is enough.
        turn = self._turn.search(completion)
        return turn is not None and completion.find("</answer>", turn.end()) >= 0


class Chat(Tagged):
    """The tokenizer's chat template; thoughts are free, the answer stands in one pair of answer tags at the end."""

    name = "chat"
    special_tokens = False
    continues = False

    def __init__(self, render: Callable[[str], str], tags: Sequence[str] = (), form: Form = FULL) -> None:
        """`render` applies the tokenizer's template to one user message, up to the start of the assistant's text."""
        self.syntax: BlockSyntax = Fenced(tags)
        self._render = render
        self._opened = form.opened
        self.folder = SHORT if form.short else self.syntax.name

    def wrap(self, text: str, role: Role, kind: Kind) -> str:
        outer = load_text("outer_chat_opened" if self._opened else "outer_chat")
        message = outer.substitute(task=text.rstrip("\n")).removesuffix("\n")
        return self._render(message) + self._opening(role, kind)

    def write(self, blocks: str, role: Role, kind: Kind, thoughts: str = "") -> str:
        given = "" if self._opened or not thoughts else f"{thoughts}\n"
        return f"{given}{tagged(blocks)}".removeprefix(self._opening(role, kind))

    def _opening(self, role: Role, kind: Kind) -> str:
        """The beginning of the answer, as the assistant's own."""
        return _answer_opening(role, kind) if self._opened else ""

    def _is_formatted(self, completion: str) -> bool:
        _, tag, rest = completion.partition("<answer>")
        return bool(tag) and "<answer>" not in rest and rest.rstrip().endswith("</answer>")


class Terse:
    """No words at all: markers, and the completion is the answer. For models that learnt it, such as the embedded.

    A solver may write a `<think>` block before its answer, so its prompt does not open the answer.
    """

    name = "terse"
    special_tokens = False
    continues = True
    _openings: Mapping[tuple[Role, Kind], str] = {
        (Role.PROPOSE, Kind.DEDUCTION): "<program>\n",
        (Role.PROPOSE, Kind.ABDUCTION): "<program>\n",
        (Role.PROPOSE, Kind.ERROR): "<program>\n",
        (Role.PROPOSE, Kind.INDUCTION): "<input>",
    }

    def __init__(self, tags: Sequence[str] = ()) -> None:
        """`tags`: of blocks that only a domain's kinds have."""
        self.syntax: BlockSyntax = Sections(tags)
        self.folder = self.syntax.name

    def wrap(self, text: str, role: Role, kind: Kind) -> str:
        return text + self._opening(role, kind)

    def read(self, completion: str, role: Role, kind: Kind) -> Reading:
        return Reading(self._opening(role, kind) + completion, True)

    def write(self, blocks: str, role: Role, kind: Kind, thoughts: str = "") -> str:
        given = f"<think>{thoughts}\n" if thoughts and role is Role.SOLVE else ""
        return given + blocks.removeprefix(self._opening(role, kind))

    def _opening(self, role: Role, kind: Kind) -> str:
        """The marker at the prompt's end; none for solvers and for kinds that only a domain has."""
        return self._openings.get((role, kind.base), "")


@cache
def load_text(name: str) -> string.Template:
    """A prompt file by its name below `prompts/`, without `.txt`."""
    folder = resources.files("azr.tasks").joinpath("prompts")
    return string.Template(folder.joinpath(f"{name}.txt").read_text("utf-8"))
