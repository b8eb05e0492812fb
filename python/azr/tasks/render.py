"""Prompts from role, kind and tasks: text from named slots, then token ids."""

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from azr.tasks import composite
from azr.tasks.base import TaskKind
from azr.tasks.parsing import PROGRAM, BlockSyntax
from azr.tasks.templates import Template, load_text, tagged
from azr.tasks.worked import answer_blocks, proposal_blocks
from azr.types import Kind, Prompt, Role, Task

Encode = Callable[[str, bool], list[int]]
"""(text, whether to add the tokenizer's special tokens) -> ids."""
Texts = Mapping[tuple[str, Role, Kind], string.Template]
"""(block syntax, role, kind) -> the text of a domain's kind."""
NONE: Texts = {}


class Renderer:
    """Writes all prompts of a run."""

    def __init__(
        self,
        template: Template,
        kinds: Mapping[Kind, TaskKind],
        encode: Encode,
        banned: Sequence[str],
        texts: Texts = NONE,
        *,
        examples: Sequence[Task] = (),
        count: int = 0,
    ) -> None:
        """`examples`: verified tasks, of which each prompt shows `count` of its kind with their answers."""
        self.template = template
        self._kinds = kinds
        self._encode = encode
        self._banned = ", ".join(banned)
        self._texts = texts
        self._examples, self._count = examples, count

    def propose(
        self,
        kind: Kind,
        references: Sequence[Task] = (),
        source: Task | None = None,
        composites: Sequence[Task] = (),
    ) -> Prompt:
        """Ask for a task.

        Args:
            source: the stored task that an induction proposal is about.
            composites: earlier programs to call; where the template goes on from one instead, that one, and behind it
                the task that the proposal aims at, if there is one.
        """
        syntax = self.template.syntax
        start = composite.head(composites[0].program) or "" if composites and self.template.continues else ""
        slots = {
            "banned": self._banned,
            **self._kinds[kind].propose_slots(syntax, source),
            "references": self._references(kind, references),
            "composites": "" if start else self._composites(composites),
        }
        return replace(
            self._prompt(Role.PROPOSE, kind, slots, task=source, start=start),
            references=tuple(references),
            composites=tuple(composites[:1] if start else composites),
            target=composites[1] if start and len(composites) > 1 else None,
        )

    def solve(self, task: Task) -> Prompt:
        """A solve prompt."""
        slots = self._kinds[task.kind].solve_slots(self.template.syntax, task)
        return self._prompt(Role.SOLVE, task.kind, dict(slots), task=task)

    def _prompt(
        self,
        role: Role,
        kind: Kind,
        slots: dict[str, str],
        *,
        task: Task | None,
        start: str = "",
    ) -> Prompt:
        words = self._words(role, kind).substitute(slots)
        text = self.template.wrap(self._worked(role, kind, task) + words, role, kind) + start
        return Prompt(
            role=role,
            kind=kind,
            text=text,
            token_ids=tuple(self._encode(text, self.template.special_tokens)),
            task=task,
            start=start,
        )

    def _words(self, role: Role, kind: Kind) -> string.Template:
        own = self._texts.get((self.template.syntax.name, role, kind))
        return own or load_text(f"{self.template.folder}/{role}_{kind}")

    def _worked(self, role: Role, kind: Kind, asked: Task | None) -> str:
        """Worked examples, none of them about the program that is asked about. They come first: a prefix that all
        prompts of a kind share is read once by engines that keep it."""
        others = [task for task in self._examples if task.kind is kind and (not asked or task.program != asked.program)]
        shown = [f"Example {n}:\n\n{self._example(role, task)}" for n, task in enumerate(others[: self._count], 1)]
        return "".join(f"{text}\n\n" for text in [*shown, "What is asked:"]) if shown else ""

    def _example(self, role: Role, task: Task) -> str:
        """A question with its answer; of a proposal that nothing was asked about, the answer alone."""
        syntax, kind = self.template.syntax, self._kinds[task.kind]
        blocks = answer_blocks(syntax, task) if role is Role.SOLVE else proposal_blocks(syntax, task)
        if role is Role.PROPOSE and not kind.from_task:
            return tagged(blocks)
        slots = kind.solve_slots(syntax, task) if role is Role.SOLVE else kind.propose_slots(syntax, task)
        return f"{self._words(role, task.kind).substitute(slots).rstrip()}\n\n{tagged(blocks)}"

    def _references(self, kind: Kind, references: Sequence[Task]) -> str:
        shown = [self._kinds[kind].show(self.template.syntax, task) for task in references]
        return NUMBERING[self.template.syntax.name](shown)

    def _composites(self, composites: Sequence[Task]) -> str:
        if not composites:
            return ""
        return COMPOSITES[self.template.syntax.name](self.template.syntax, composites)


def _numbered(shown: Sequence[str]) -> str:
    if not shown:
        return ""
    snippets = [f"<snippet_{n}>\n{text}\n</snippet_{n}>" for n, text in enumerate(shown)]
    return "\n\nPrograms that exist already, with their inputs and outputs:\n\n" + "\n\n".join(snippets)


def _bare(shown: Sequence[str]) -> str:
    return "".join(text + "\n" for text in shown)


def _order_composites(syntax: BlockSyntax, composites: Sequence[Task]) -> str:
    names = ", ".join(f"g_{index}" for index in range(len(composites)))
    blocks = "\n\n".join(syntax.render(PROGRAM, task.program) for task in composites)
    return (
        f"\n\nYour f must call each of these functions, which exist already: {names}. Do not define them again, and"
        f" do more than pass their results on.\n\n{blocks}"
    )


def _bare_composites(syntax: BlockSyntax, composites: Sequence[Task]) -> str:
    return "".join(syntax.render(PROGRAM, task.program) + "\n" for task in composites)


# Differences by syntax beyond the files: joining of references and composites.
NUMBERING: dict[str, Callable[[Sequence[str]], str]] = {"fenced": _numbered, "terse": _bare}
COMPOSITES: dict[str, Callable[[BlockSyntax, Sequence[Task]], str]] = {
    "fenced": _order_composites,
    "terse": _bare_composites,
}
