"""Verified answers that a step learns by supervised steps, beside the policy gradient (`train.supervised`).

A policy gradient only learns from what the solver finds by itself: a task that no attempt solves teaches nothing. But
who proposes a task has shown its answer: inputs and programs are the proposer's, outputs are the sandbox's. So these
answers are learnt as in supervised fine-tuning:

- tasks of the step that not every attempt solved;
- chains of stored programs, one after another: programs longer than any that the model was shown or would propose. As
  many of each kind: steps on one kind alone make the model forget the others;
- stored tasks as proposals: without them these steps make the model forget how to propose.

Programs are drawn from the whole store, as many for each type of input. A model that learns its own latest proposals
makes the likely ones likelier, until all inputs are lists.

The thoughts before an answer are the values of the program's lines, as the sandbox traced them: forwards for deduction,
backwards for abduction, those of the first pair for induction. So long programs come with thoughts as long as they are.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np

from azr.pipeline.parts import Parts
from azr.tasks import source
from azr.tasks.common import unreadable
from azr.tasks.composite import chained
from azr.tasks.parsing import BlockSyntax
from azr.tasks.trace import TRACED, tracer
from azr.tasks.worked import answer_blocks, proposal_blocks
from azr.types import Attempt, Completion, Episode, Kind, Prompt, Rejected, Task, Valid, solve_rate, valids
from azr.util.randomness import generator

if TYPE_CHECKING:
    from azr.sandbox import Value

T = TypeVar("T")
LONGEST = 48
"""Characters of a traced value; a task with a longer one is learnt without thoughts, a chain not at all."""
MOST = 24
"""Traced values of a task; likewise."""
PLAIN: Final = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)


def supervised(
    parts: Parts, verdicts: Sequence[Valid | Rejected], tried: Sequence[Sequence[Attempt]], step: int
) -> list[Episode]:
    """Up to `train.supervised.examples`: an eighth at most are proposals, a half at most tasks of the step.

    Args:
        tried: attempts by task.
    """
    wanted = parts.config.train.supervised.examples
    seed = parts.config.seed
    stored = _stored(parts, parts.store.pool(""), step)
    rng = generator(seed, step, "supervised")
    own = _drawn([row[0].completion.prompt for row in tried if _is_open(row)], wanted // 2, rng)
    learnt = [*_of_step(parts, own), *_proposals(parts, verdicts, stored, wanted // 8, rng)]
    kinds = [kind for kind in PLAIN if kind in parts.config.tasks.kinds]
    each = (wanted - len(learnt)) // max(1, len(kinds))
    for kind in kinds:
        # Of induction's own tasks, which have the proposer's messages.
        pieces = _stored(parts, [kind], step) if kind is Kind.INDUCTION else stored
        learnt += islice(_of_chains(parts, pieces, kind, each, rng), each)
    longest = parts.config.sampling.longest
    return [episode for episode in learnt if episode.length <= longest]


Stored = Mapping[str, Sequence[Task]]
"""Stored tasks by the type of their input."""


def _balanced(stored: Stored, count: int, rng: np.random.Generator) -> list[Task]:
    """Random tasks, with repetition, equally many for each type of input."""
    groups = list(stored.values())
    return [_any(groups[at], rng) for at in rng.integers(len(groups), size=count).tolist()] if groups else []


def _any(tasks: Sequence[Task], rng: np.random.Generator) -> Task:
    return tasks[int(rng.integers(len(tasks)))]


def _stored(parts: Parts, kinds: Sequence[Kind], step: int) -> Stored:
    """Of the kinds, tasks whose programs do something."""
    # A generator of its own: on other ranks than the first, the store leaves it as it is.
    drawn = parts.store.plain(kinds, DRAWN, generator(parts.config.seed, step, f"supervised {' '.join(kinds)}"))
    return _by_type([task for task in drawn if source.size(task.program)])


def _by_type(tasks: Sequence[Task]) -> Stored:
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(_type_of(task.inputs[0]), []).append(task)
    return found


def _type_of(text: str) -> str:
    """The type of the first argument, as far as its text shows it."""
    tree = source.parse(f"f({text})")
    match tree and tree.body[0]:
        case ast.Expr(ast.Call(args=[ast.Constant(value), *_])):
            return type(value).__name__
        case ast.Expr(ast.Call(args=[first, *_])):
            return type(first).__name__
    return ""


def _proposals(
    parts: Parts, verdicts: Sequence[Valid | Rejected], stored: Stored, count: int, rng: np.random.Generator
) -> Iterator[Episode]:
    """Stored tasks as proposals; of kinds that are made from a stored program, the step's own valid ones."""
    kinds = [kind for kind in parts.config.tasks.kinds if kind in PLAIN]
    share = count // max(1, len(kinds))
    for kind in kinds:
        if parts.kinds[kind].from_task:
            own = [verdict.proposal.completion for verdict in valids(verdicts) if verdict.proposal.kind is kind]
            yield from (Episode(completion=done, reward=1.0) for done in _drawn(own, share, rng))
            continue
        for task in _balanced(stored, share, rng):
            shown = _balanced(stored, int(rng.integers(parts.config.propose.references + 1)), rng)
            prompt = parts.renderer.propose(kind, [replace(other, kind=kind) for other in shown], None)
            if len(prompt.token_ids) <= parts.config.prompt.max_tokens:
                yield _episode(parts, prompt, proposal_blocks, replace(task, kind=kind))


def _is_open(attempts: Sequence[Attempt]) -> bool:
    """Whether the task has a program of plain Python, and not every attempt solved it."""
    return bool(attempts) and attempts[0].kind in PLAIN and (solve_rate(attempts) or 0.0) < 1.0


def _drawn(rows: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    places = rng.permutation(len(rows))[:count]
    return [rows[place] for place in sorted(places.tolist())]


def _of_step(parts: Parts, prompts: Sequence[Prompt]) -> Iterator[Episode]:
    """The answers to tasks of the step."""
    tasks = [_task(prompt) for prompt in prompts]
    traced = _traced(parts, [(task.program, task.inputs[0]) for task in tasks])
    for prompt, task, trace in zip(prompts, tasks, traced, strict=True):
        between = trace.between if trace is not None and trace.is_short else ()
        yield _episode(parts, prompt, answer_blocks, task, between)


def _task(prompt: Prompt) -> Task:
    assert prompt.task is not None, "a solve prompt has its task"
    return prompt.task


def _of_chains(parts: Parts, stored: Stored, kind: Kind, count: int, rng: np.random.Generator) -> Iterator[Episode]:
    """Answers to tasks of a kind whose programs are chains of stored ones; fewer where few of them fit each other."""
    inputs = parts.config.tasks.inputs if kind is Kind.INDUCTION else 1
    chains = _chains(stored, SPARE * count, parts.config.train.supervised.operations, inputs, rng)
    traced = iter(_traced(parts, [(chain.program, text) for chain in chains for text in chain.inputs]))
    for chain in chains:
        runs = list(islice(traced, inputs))
        ended = [trace for trace in runs if trace is not None and trace.is_short and len(trace.result.repr) <= LONGEST]
        outputs = tuple(trace.result for trace in ended)
        # Pairs that all have one output tell nothing of the program.
        if len(ended) < len(runs) or (inputs > 1 and len({value.repr for value in outputs}) == 1):
            continue
        task = Task(kind=kind, program=chain.program, inputs=chain.inputs, outputs=outputs, message=chain.message)
        prompt = parts.renderer.solve(task)
        if len(prompt.token_ids) <= parts.config.prompt.max_tokens:
            yield _episode(parts, prompt, answer_blocks, task, ended[0].between)


class Chain(NamedTuple):
    """Stored programs, one after another."""

    program: str
    inputs: tuple[str, ...]
    message: str
    """Those of its programs."""


def _chains(stored: Stored, count: int, most: int, inputs: int, rng: np.random.Generator) -> list[Chain]:
    """Chains of stored programs, each as long as a number of operations drawn for it allows.

    Args:
        most: operations.
        inputs: of each chain, distinct.
    """
    made = []
    taken = {name: sorted({text for task in tasks for text in task.inputs}) for name, tasks in stored.items()}
    for first in _balanced(stored, count, rng):
        # Not its own: a program that is only seen with one input is learnt by heart.
        texts = taken[_type_of(first.inputs[0])]
        if len(texts) < inputs:
            continue
        room, program, pieces = rng.integers(1, most + 1), first.program, [first]
        while len(pieces) < PIECES and (following := stored.get(_type_of(pieces[-1].outputs[0].repr))):
            piece = _any(following, rng)
            if source.size(program) + source.size(piece.program) > room:
                break
            longer = chained(program, piece.program)
            if longer is None:
                break
            program, pieces = longer, [*pieces, piece]
        given = tuple(texts[at] for at in rng.permutation(len(texts))[:inputs].tolist())
        made.append(Chain(program, given, " ".join(piece.message for piece in pieces if piece.message)))
    return made


DRAWN = 512
"""Stored programs that a step's chains are made of."""
PIECES = 4
"""Most programs of a chain."""
SPARE = 2
"""Chains made for each that is wanted: some fail, since a program takes not every value of a type."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The values of a run."""

    between: tuple[str, ...]
    """Before the result."""
    result: "Value"

    @property
    def is_short(self) -> bool:
        """Whether the values can be written down as thoughts."""
        return len(self.between) <= MOST and all(len(text) <= LONGEST for text in self.between)


def _traced(parts: Parts, calls: Sequence[tuple[str, str]]) -> list[Trace | None]:
    """The values of each call of a program; None where it did not end with a value that is the same in every run."""
    from azr.sandbox import Request

    rewritten = {program: tracer(program) for program, _ in calls}
    requests = {
        at: Request(program=text, call=call, entry=TRACED)
        for at, (program, call) in enumerate(calls)
        if (text := rewritten[program]) is not None
    }
    found: list[Trace | None] = [None] * len(calls)
    for at, outcome in zip(requests, parts.sandbox.run_batch(list(requests.values())), strict=True):
        if outcome.value is not None and not outcome.reads:
            found[at] = _read(outcome.value)
    return found


def _read(value: "Value") -> Trace | None:
    """What the tracer returned. A program can reach into it, so anything may come back."""
    from azr.sandbox import Value

    match value.to_python():
        case [[*between], result]:
            texts = tuple(text for text in between if isinstance(text, str) and not unreadable(text))
            return Trace(texts, Value.of(result)) if len(texts) == len(between) else None
    return None


Blocks = Callable[[BlockSyntax, Task], str]


def _episode(parts: Parts, prompt: Prompt, blocks: Blocks, task: Task, between: Sequence[str] = ()) -> Episode:
    """The blocks that are right behind a prompt, after thoughts."""
    template = parts.renderer.template
    thoughts = "\n".join(reversed(between) if task.kind is Kind.ABDUCTION else between)
    text = template.write(blocks(template.syntax, task), prompt.role, task.kind, thoughts)
    answer = (*parts.engine.tokenizer.encode(text, special_tokens=False), parts.engine.tokenizer.end_id)
    return Episode(completion=Completion.unsampled(prompt, text, answer), reward=1.0)
