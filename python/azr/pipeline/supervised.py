"""Verified answers that a step learns by supervised steps, beside the policy gradient (`train.supervised`).

A policy gradient only learns from what the solver finds by itself: a task that no attempt solves teaches nothing. But
who proposes a task has shown its answer: inputs and programs are the proposer's, outputs are the sandbox's. So these
answers are learnt as in supervised fine-tuning:

- tasks of the step: the right attempts, or the answer with thoughts where there are none. Tasks to induce are learnt
  from right attempts alone: pairs and a message of the proposer's may not tell what the program is;
- chains of stored programs, one after another: programs longer than any that the model was shown or would propose.
  Chains to induce are made of tasks whose messages say enough, and their messages follow each other too;
- stored tasks as proposals: without them these steps make the model forget how to propose.

Programs are drawn from the whole store, those with a rare type of input more often than others. A model that learns its
own latest proposals makes the likely ones likelier, until all inputs are lists.

Where the solver has to follow a program, the thoughts before the answer are the values on the way, as the sandbox
traced them: forwards for deduction, backwards for abduction. So long programs come with thoughts as long as they are.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from azr.pipeline.parts import Parts
from azr.tasks import source
from azr.tasks.common import unreadable
from azr.tasks.composite import chained
from azr.tasks.parsing import BlockSyntax
from azr.tasks.trace import TRACED, tracer
from azr.tasks.worked import answer_blocks, proposal_blocks
from azr.types import Attempt, Completion, Episode, Kind, Prompt, Task
from azr.util.randomness import generator

if TYPE_CHECKING:
    from azr.sandbox import Value

T = TypeVar("T")
LONGEST = 48
"""Characters of a traced value; a task with a longer one is learnt without thoughts, a chain not at all."""
MOST = 24
"""Traced values of a task; likewise."""
PLAIN: Final = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
FOLLOWED: Final = (Kind.DEDUCTION, Kind.ABDUCTION)
"""Kinds whose solver has to follow a program."""


def supervised(parts: Parts, tried: Sequence[Sequence[Attempt]], step: int) -> list[Episode]:
    """Up to `train.supervised.examples`: an eighth at most are proposals, a quarter at most tasks of the step.

    Args:
        tried: attempts by task.
    """
    wanted = parts.config.train.supervised.examples
    seed = parts.config.seed
    # A generator of its own: on other ranks than the first, the store leaves it as it is.
    drawn = parts.store.plain(DRAWN, generator(seed, step, "supervised store"))
    stored = _by_type(drawn)
    rng = generator(seed, step, "supervised")
    plain = [row for row in tried if row and row[0].kind in PLAIN]
    clear = _by_type(parts.store.induced(DRAWN, generator(seed, step, "supervised induction")))
    learnt = [
        *_drawn(list(_of_step(parts, plain)), wanted // 4, rng),
        *_proposals(parts, stored, clear, wanted // 8, rng),
    ]
    missing = wanted - len(learnt)
    if Kind.INDUCTION in parts.config.tasks.kinds:
        learnt += islice(_to_induce(parts, clear, missing // 3, rng), missing // 3)
    if kinds := [kind for kind in FOLLOWED if kind in parts.config.tasks.kinds]:
        missing = wanted - len(learnt)
        learnt += islice(_of_chains(parts, stored, kinds, missing, rng), missing)
    longest = parts.config.sampling.longest
    return [episode for episode in learnt if episode.length <= longest]


Stored = Mapping[str, Sequence[Task]]
"""Stored tasks by the type of their input, without those that do nothing."""


def _balanced(stored: Stored, count: int, rng: np.random.Generator) -> list[Task]:
    """Random tasks, with repetition. A type that is twice as common is drawn 1.4 times as often: none takes over, and a
    rare one is not learnt by heart."""
    groups = list(stored.values())
    if not groups:
        return []
    weights = np.sqrt([len(group) for group in groups])
    drawn = rng.choice(len(groups), size=count, p=weights / weights.sum())
    return [_any(groups[at], rng) for at in drawn.tolist()]


def _any(rows: Sequence[T], rng: np.random.Generator) -> T:
    return rows[int(rng.integers(len(rows)))]


def _by_type(tasks: Sequence[Task]) -> Stored:
    found: dict[str, list[Task]] = {}
    for task in tasks:
        if (name := _type_of(task.inputs[0])) and source.size(task.program):
            found.setdefault(name, []).append(task)
    return found


def _type_of(text: str) -> str:
    """The type of the first argument; empty where it is no literal."""
    tree = source.parse(f"f({text})")
    match tree and tree.body:
        case [ast.Expr(ast.Call(args=[first, *_]))]:
            try:
                return type(ast.literal_eval(first)).__name__
            except (ValueError, TypeError, MemoryError, RecursionError):
                return ""
    return ""


def _proposals(parts: Parts, stored: Stored, clear: Stored, count: int, rng: np.random.Generator) -> Iterator[Episode]:
    """Stored tasks as proposals; of kinds that are made from a stored program, those whose messages say enough.

    A message is not run: if any valid one were learnt, messages would end as noise.
    """
    kinds = [kind for kind in parts.config.tasks.kinds if kind in PLAIN]
    for kind in kinds:
        made = parts.kinds[kind].from_task
        for task in _balanced(clear if made else stored, count // max(1, len(kinds)), rng):
            shown = [] if made else _balanced(stored, int(rng.integers(parts.config.propose.references + 1)), rng)
            prompt = parts.renderer.propose(
                kind, [replace(other, kind=kind) for other in shown], task if made else None
            )
            if len(prompt.token_ids) <= parts.config.prompt.max_tokens:
                yield _episode(parts, prompt, proposal_blocks, replace(task, kind=kind))


def _drawn(rows: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    places = rng.permutation(len(rows))[:count]
    return [rows[place] for place in sorted(places.tolist())]


def _of_step(parts: Parts, tried: Sequence[Sequence[Attempt]]) -> Iterator[Episode]:
    """Answers to tasks of the step. The solver's own keep what it can do while the chains teach it more."""
    for row in tried:
        # The shortest: what is longer than it need be would be learnt, and become longer yet.
        right = [attempt.completion for attempt in row if attempt.correct]
        if right:
            yield Episode(completion=min(right, key=lambda done: len(done.token_ids)), reward=1.0)
    asked = [row[0].completion.prompt for row in tried if not any(attempt.correct for attempt in row)]
    prompts = [prompt for prompt in asked if prompt.kind in FOLLOWED]
    tasks = [_task(prompt) for prompt in prompts]
    traced = _traced(parts, [(task.program, task.inputs[0]) for task in tasks])
    for prompt, task, trace in zip(prompts, tasks, traced, strict=True):
        between = trace.between if trace is not None and trace.is_short else ()
        yield _episode(parts, prompt, answer_blocks, task, between)


def _task(prompt: Prompt) -> Task:
    assert prompt.task is not None, "a solve prompt has its task"
    return prompt.task


def _of_chains(
    parts: Parts, stored: Stored, kinds: Sequence[Kind], count: int, rng: np.random.Generator
) -> Iterator[Episode]:
    """Answers to tasks whose programs are chains of stored ones; fewer where few of them fit each other."""
    wanted = -(-count // len(kinds))
    made = _chains(stored, SPARE * wanted, parts.config.train.supervised.operations, rng)
    # Not its own input: a program that is only seen with one is learnt by heart.
    chains = [(chain.program, _any(stored[chain.takes], rng).inputs[0]) for chain in made]
    for (program, call), trace in zip(chains, _traced(parts, chains), strict=True):
        if trace is None or not trace.is_short or len(trace.result.repr) > LONGEST:
            continue
        if not wanted:
            break
        wanted -= 1
        for kind in kinds:
            task = Task(kind=kind, program=program, inputs=(call,), outputs=(trace.result,))
            prompt = parts.renderer.solve(task)
            if len(prompt.token_ids) <= parts.config.prompt.max_tokens:
                yield _episode(parts, prompt, answer_blocks, task, trace.between)


Call = tuple[str, str]
"""A program, and what it is called with."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Programs one after another, as one."""

    program: str
    takes: str
    """Type of its input."""
    pieces: tuple[Task, ...]
    """What it is made of."""


def _chains(stored: Stored, count: int, most: int, rng: np.random.Generator) -> list[Chain]:
    """Up to `count` chains of stored programs, each as long as a number of operations drawn for it allows.

    Any number is as likely: with long chains alone, a model forgets what short programs do.

    Args:
        most: operations of a chain.
    """
    sizes = {task.program: source.size(task.program) for tasks in stored.values() for task in tasks}
    within = {
        room: _by_type([task for tasks in stored.values() for task in tasks if sizes[task.program] <= room])
        for room in range(1, most + 1)
    }
    made = []
    for room in rng.integers(1, most + 1, size=count).tolist():
        for first in _balanced(within[room], 1, rng):
            program, pieces = first.program, [first]
            for _ in range(PIECES - 1):
                following = stored.get(_type_of(pieces[-1].outputs[0].repr), [])
                if not following:
                    break
                last = _any(following, rng)
                longer = chained(program, last.program)
                if longer is None or source.size(longer) > room:
                    break
                program = longer
                pieces.append(last)
            made.append(Chain(program, _type_of(first.inputs[0]), tuple(pieces)))
    return made


def _to_induce(parts: Parts, stored: Stored, count: int, rng: np.random.Generator) -> Iterator[Episode]:
    """Chains to induce, with the inputs of the first program and the messages of all."""
    from azr.sandbox import Request

    made = _chains(stored, SPARE * count, parts.config.train.supervised.operations, rng)
    requests = [Request(program=chain.program, call=text) for chain in made for text in chain.pieces[0].inputs]
    outcomes = iter(parts.sandbox.run_batch(requests))
    for chain in made:
        first = chain.pieces[0]
        found = list(islice(outcomes, len(first.inputs)))
        values = [outcome.value for outcome in found if outcome.value is not None and not outcome.reads]
        texts = [value.repr for value in values]
        hidden = texts[len(texts) // 2 :]
        if len(values) < len(found) or len(set(hidden)) < 2 or max(map(len, texts)) > LONGEST:
            continue
        message = " ".join(piece.message for piece in chain.pieces)
        task = Task(
            kind=Kind.INDUCTION, program=chain.program, inputs=first.inputs, outputs=tuple(values), message=message
        )
        prompt = parts.renderer.solve(task)
        if len(prompt.token_ids) <= parts.config.prompt.max_tokens:
            yield _episode(parts, prompt, answer_blocks, task)


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


def _traced(parts: Parts, calls: Sequence[Call]) -> list[Trace | None]:
    """Each call's values; None where it did not end with a value that is the same in every run."""
    from azr.sandbox import Request

    rewritten = [tracer(program) for program, _ in calls]
    requests = {
        at: Request(program=text, call=call[1], entry=TRACED)
        for at, (text, call) in enumerate(zip(rewritten, calls, strict=True))
        if text is not None
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
