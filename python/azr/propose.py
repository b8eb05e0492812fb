"""Stage 1: references from the buffer -> prompts -> proposals.

All kinds go to the engine together, so that it sees one queue (`azr.pipeline.rollout_step`). Proposers of deduction
and abduction tasks are shown up to K stored tasks of their kind; those of induction tasks get one stored program.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from azr.config.mixture import shares
from azr.pipeline.parts import Parts
from azr.tasks import composite
from azr.tasks.common import unreadable
from azr.types import Completion, Kind, Prompt, Proposal, Role, Task, Unparsed
from azr.util.randomness import generator


def step_prompts(parts: Parts, step: int) -> list[Prompt]:
    """The step's propose prompts: each kind's share."""
    return [prompt for kind in parts.config.tasks.kinds for prompt in propose_prompts(parts, kind, step)]


def ask(parts: Parts, prompts: Sequence[Prompt], step: int, purpose: str) -> list[Proposal]:
    """One proposal for each prompt, in order."""
    completions = parts.engine.sample(prompts, parts.sampling(step, purpose, Role.PROPOSE))
    return [read_proposal(parts, completion) for (completion,) in completions]


def propose_prompts(parts: Parts, kind: Kind, step: int, purpose: str = "references") -> list[Prompt]:
    """The propose prompts of one kind, from the current buffer."""
    rng = generator(parts.config.seed, step, f"{purpose}/{kind}")
    count = shares(parts.config).proposals[kind] if kind in parts.config.tasks.kinds else parts.config.propose.batch
    if parts.kinds[kind].from_task:
        return [fitting_prompt(parts, kind, (), source) for source in parts.store.sources(count, rng, kind.domain)]
    return [
        fitting_prompt(parts, kind, parts.store.references(kind, rng), None, _composites(parts, kind, step, rng))
        for _ in range(count)
    ]


def fitting_prompt(
    parts: Parts, kind: Kind, references: Sequence[Task], source: Task | None, composites: Sequence[Task] = ()
) -> Prompt:
    """The prompt with as many references as fit its maximum length."""
    while True:
        prompt = parts.renderer.propose(kind, references, source, composites)
        if len(prompt.token_ids) <= parts.config.prompt.max_tokens or not (references or composites):
            return prompt
        references, composites = (references[:-1], composites) if references else ((), ())


def read_proposal(parts: Parts, completion: Completion) -> Proposal:
    """Parse a completion into a proposal, or the reason why it cannot be read."""
    prompt = completion.prompt
    if flaw := unreadable(completion.text):
        return Proposal(completion=completion, draft=Unparsed(flaw=flaw), formatted=False)
    template = parts.renderer.template
    # A truncated completion lacks its end and is read as it is.
    reading = template.read(prompt.start + completion.text, prompt.role, prompt.kind)
    if isinstance(reading.answer, Unparsed):
        return Proposal(completion=completion, draft=reading.answer, formatted=reading.formatted)
    blocks = template.syntax.split(reading.answer)
    draft = blocks if isinstance(blocks, Unparsed) else parts.kinds[prompt.kind].parse_proposal(blocks, prompt)
    return Proposal(completion=completion, draft=draft, formatted=reading.formatted)


def _composites(parts: Parts, kind: Kind, step: int, rng: np.random.Generator) -> list[Task]:
    """Earlier programs that this prompt tells the model to call; usually none."""
    given = parts.config.tasks.composite
    # Seed tasks, of step 0, are built on nothing.
    if step < 1 or not given.at_most or not given.chance or rng.random() >= given.chance:
        return []
    if parts.renderer.template.continues:
        return _beginning(parts, kind, rng)
    wanted = int(rng.integers(1, given.at_most + 1))
    chosen = parts.store.plain(wanted, rng, kind.domain)
    renamed = [composite.rename(task, index) for index, task in enumerate(chosen)]
    return [task for task in renamed if task is not None] if all(renamed) else []


def _beginning(parts: Parts, kind: Kind, rng: np.random.Generator) -> list[Task]:
    """The program to extend: a solved one; or the first half of an unsolved one, followed by that one; or nothing."""
    aimed = parts.config.tasks.composite.aimed
    if aimed and rng.random() < aimed:
        for task in parts.store.unsolved(rng, kind.domain):
            if (half := composite.halved(task.program)) is not None:
                return [replace(task, program=half), task]
    return [task for task in parts.store.mastered(rng, kind.domain) if composite.head(task.program)]
