"""Verified examples: programs of the grammar, run in the sandbox, as prompts and right completions in a template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

from azr.buffer.client import canonical
from azr.config import Config
from azr.errors import ConfigError
from azr.tasks import IDENTITY_PROGRAM, TaskKind
from azr.tasks.io import verify
from azr.tasks.render import Renderer
from azr.tasks.worked import answer_blocks, proposal_blocks
from azr.types import Draft, Kind, Prompt, Role, Task
from azr.util.randomness import generator
from azr.warmup.grammar import Program, draw_arguments, draw_program

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

LONGEST = 60
"""Characters of an output; tasks with longer ones are left out."""
PROGRAM_CHARACTERS = 420
SHARE: Final = 8
"""One program in this many is held out, by a hash of its canonical form."""
IDENTITY = 0.15
"""Share of propose prompts that show the identity program, with which self-play starts."""
STEPS = 4
"""Parts of a program that a message names."""


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and the text of a right completion."""

    prompt: Prompt
    completion: str


MADE: Final = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
"""Kinds that azr makes tasks of by itself."""


def refuse_others(config: Config, why: str) -> None:
    """Refuse kinds of which azr makes no tasks by itself.

    Raises:
        ConfigError: names the first of them.
    """
    if others := [kind for kind in config.tasks.kinds if kind not in MADE]:
        raise ConfigError(f"{why}: azr makes no tasks of the kind {others[0]} by itself; leave it out of tasks.kinds")


def worked_examples(config: Config, kinds: Mapping[Kind, TaskKind], sandbox: "Sandbox") -> list[Task]:
    """The tasks that prompts show with their answers (`prompt.examples`), and one more: one may be what is asked."""
    if not config.prompt.examples:
        return []
    wanted = dict.fromkeys(config.tasks.kinds, config.prompt.examples + 1)
    drawn = draw_tasks(config.seed, "worked", wanted, kinds, sandbox, config.tasks.inputs)
    return [task for own in drawn.values() for task in own]


def is_held_out(program: str) -> bool:
    """Whether a program is kept for measuring. Names and formatting do not matter."""
    text, _ = canonical(program)
    return blake2b(text.encode("utf-8"), digest_size=4).digest()[0] % SHARE == 0


def draw_tasks(
    seed: int, purpose: str, wanted: Mapping[Kind, int], kinds: Mapping[Kind, TaskKind], sandbox: "Sandbox",
    inputs: int, *, held_out: bool = False,
) -> dict[Kind, list[Task]]:  # fmt: skip
    """Verified tasks of each kind, each of another program; a function of the seed and the purpose.

    Args:
        inputs: of an induction task.
        held_out: from the part of the grammar that no example shows; else from the rest.
    """
    rng = generator(seed, 0, purpose)
    found: dict[Kind, list[Task]] = {kind: [] for kind in wanted}
    seen: set[str] = set()
    while missing := [kind for kind, count in wanted.items() for _ in range(count - len(found[kind]))]:
        drafts = []
        for kind in missing:
            program = draw_program(rng)
            draft = _draft(program, kind, inputs, rng)
            if program.source not in seen and is_held_out(program.source) == held_out:
                seen.add(program.source)
                drafts.append((kind, draft))
        for (kind, _), made in zip(drafts, verify(drafts, kinds, sandbox), strict=True):
            if isinstance(made, Task) and _fair(made) and len(found[kind]) < wanted[kind]:
                found[kind].append(made)
    return found


def examples(
    tasks: Mapping[Kind, Sequence[Task]],
    renderer: Renderer,
    kinds: Mapping[Kind, TaskKind],
    references: int,
    rng: np.random.Generator,
) -> Iterator[Example]:
    """A proposal and an answer of each task. References in propose prompts are other tasks of the kind."""
    for kind, own in tasks.items():
        for at, task in enumerate(own):
            yield solved(renderer, task)
            others = [own[i] for i in rng.permutation(len(own))[: rng.integers(references + 1)] if i != at]
            if others and rng.random() < IDENTITY:
                others[0] = _identity(others[0])
            yield proposed(renderer, kinds[kind].from_task, task, others)


def solved(renderer: Renderer, task: Task) -> Example:
    """A task with its right answer."""
    template, prompt = renderer.template, renderer.solve(task)
    return Example(prompt, template.write(answer_blocks(template.syntax, task), Role.SOLVE, task.kind, task.message))


def proposed(renderer: Renderer, from_task: bool, task: Task, references: Sequence[Task] = ()) -> Example:
    """A prompt that asks for a task, and the task as a proposal."""
    template = renderer.template
    source = task if from_task else None
    prompt = renderer.propose(task.kind, () if from_task else references, source)
    return Example(
        prompt, template.write(proposal_blocks(template.syntax, task), Role.PROPOSE, task.kind, task.message)
    )


def _draft(program: Program, kind: Kind, inputs: int, rng: np.random.Generator) -> Draft:
    several = kind.base is Kind.INDUCTION
    drawn = tuple(draw_arguments(program.takes, rng) for _ in range(inputs if several else 1))
    return Draft(program=program.source, inputs=drawn, message=_message(program) if several else "")


def _message(program: Program) -> str:
    """What the program does, in the words of its first parts."""
    said = list(dict.fromkeys(program.words))[:STEPS]
    return f"What f may do: {', '.join(said)}."


def _fair(task: Task) -> bool:
    """Short enough to be shown, and of an induction task's outputs not all are the same."""
    texts = [output.repr for output in task.outputs]
    short = max(map(len, texts)) <= LONGEST and len(task.program) <= PROGRAM_CHARACTERS
    return short and (len(texts) == 1 or (len(set(texts)) > 1 and len(set(task.inputs)) == len(task.inputs)))


def _identity(task: Task) -> Task:
    """The identity program with the task's output for its input: what the buffers hold before the first seed task."""
    return replace(task, program=IDENTITY_PROGRAM, inputs=(task.outputs[0].repr,))
