"""Verified answers that a step learns by supervised steps, beside the policy gradient (`train.supervised`).

A policy gradient only learns from what the solver finds by itself: a task that no attempt solves teaches nothing. But
who proposes a task has shown its answer: inputs and programs are the proposer's, outputs are the sandbox's. So these
answers are learnt as in supervised fine-tuning:

- tasks of the step that not every attempt solved;
- chains of stored programs, one after another: programs longer than any that the model was shown or would propose;
- the step's valid proposals as they were sampled: without them these steps make the model forget how to propose.

Where the solver has to follow a program, the thoughts before the answer are the values between its steps, as the
sandbox traced them: forwards for deduction, backwards for abduction. So long programs come with thoughts as long as
they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import nan
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from azr.pipeline.parts import Parts
from azr.tasks import source
from azr.tasks.composite import chained
from azr.tasks.trace import TRACED, tracer
from azr.tasks.worked import answer_blocks
from azr.types import Attempt, Completion, Episode, Kind, Prompt, Rejected, Role, Task, Valid, solve_rate, valids
from azr.util.randomness import generator

if TYPE_CHECKING:
    from azr.sandbox import Value

T = TypeVar("T")
LONGEST = 48
"""Characters of a traced value; a task with a longer one is learnt without thoughts, a chain not at all."""
MOST = 24
"""Traced values of a task; likewise."""
FOLLOWED: Final = (Kind.DEDUCTION, Kind.ABDUCTION)
"""Kinds whose solver has to follow a program."""


def supervised(
    parts: Parts, verdicts: Sequence[Valid | Rejected], tried: Sequence[Sequence[Attempt]], step: int
) -> list[Episode]:
    """Up to `train.supervised.examples`: an eighth at most are proposals, a half at most tasks of the step.

    Args:
        tried: attempts by task.
    """
    wanted = parts.config.train.supervised.examples
    if not wanted:
        return []
    rng = generator(parts.config.seed, step, "supervised")
    new = [valid.proposal.completion for valid in valids(verdicts) if valid.duplicate_of is None]
    proposed = [Episode(completion=done, reward=1.0) for done in _drawn(new, wanted // 8, rng)]
    own = _drawn([row[0].completion.prompt for row in tried if _is_open(row)], wanted // 2, rng)
    answers = list(_of_step(parts, own))
    if kinds := [kind for kind in FOLLOWED if kind in parts.config.tasks.kinds]:
        missing = wanted - len(proposed) - len(answers)
        answers += islice(_of_chains(parts, kinds, missing, rng), missing)
    longest = parts.config.sampling.of(Role.SOLVE).max_tokens
    return [*proposed, *(episode for episode in answers if episode.length <= longest)]


def _is_open(attempts: Sequence[Attempt]) -> bool:
    """Whether the task has a program of plain Python, and not every attempt solved it."""
    plain = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
    return bool(attempts) and attempts[0].kind in plain and (solve_rate(attempts) or 0.0) < 1.0


def _drawn(rows: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    places = rng.permutation(len(rows))[:count]
    return [rows[place] for place in sorted(places.tolist())]


def _of_step(parts: Parts, prompts: Sequence[Prompt]) -> Iterator[Episode]:
    """The answers to tasks of the step."""
    tasks = [_task(prompt) for prompt in prompts]
    traced = _traced(parts, [(task.program, task.inputs[0]) if task.kind in FOLLOWED else None for task in tasks])
    for prompt, task, trace in zip(prompts, tasks, traced, strict=True):
        yield _episode(parts, prompt, task, trace.between if trace is not None and trace.is_short else ())


def _task(prompt: Prompt) -> Task:
    assert prompt.task is not None, "a solve prompt has its task"
    return prompt.task


def _of_chains(parts: Parts, kinds: Sequence[Kind], count: int, rng: np.random.Generator) -> Iterator[Episode]:
    """Answers to tasks whose programs are chains of stored ones; fewer where few of them fit each other."""
    wanted = -(-count // len(kinds))
    chains = _chains(parts, SPARE * wanted, rng)
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
                yield _episode(parts, prompt, task, trace.between)


Call = tuple[str, str]
"""A program, and what it is called with."""


def _chains(parts: Parts, count: int, rng: np.random.Generator) -> list[Call]:
    """Chains of stored programs, each as long as a number of operations drawn for it allows."""
    most = parts.config.train.supervised.operations
    stored = [task for task in parts.store.plain(DRAWN, rng) if operations(task.program)]
    if not stored:
        return []
    made = []
    for room in rng.integers(1, most + 1, size=count).tolist():
        pieces = [stored[place] for place in rng.integers(len(stored), size=PIECES).tolist()]
        program = pieces[0].program
        for piece in pieces[1:]:
            if operations(program) + operations(piece.program) > room:
                break
            program = chained(program, piece.program) or program
        made.append((program, pieces[0].inputs[0]))
    return made


DRAWN = 512
"""Stored programs that a step's chains are made of."""
PIECES = 4
"""Most programs of a chain."""
SPARE = 3
"""Chains made for each that is wanted: where a program's result is no input of the next one, there is no answer."""


def operations(program: str) -> int:
    """Of a program; none if it cannot be read."""
    tree = source.parse(program)
    return source.operations(tree) if tree is not None else 0


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


def _traced(parts: Parts, calls: Sequence[Call | None]) -> list[Trace | None]:
    """Each call's values; None where there is no call, or it did not end with a value that is the same in every run."""
    from azr.sandbox import Request

    rewritten = [tracer(call[0]) if call is not None else None for call in calls]
    requests = {
        at: Request(program=text, call=call[1], entry=TRACED)
        for at, (text, call) in enumerate(zip(rewritten, calls, strict=True))
        if text is not None and call is not None
    }
    found: list[Trace | None] = [None] * len(calls)
    for at, outcome in zip(requests, parts.sandbox.run_batch(list(requests.values())), strict=True):
        if outcome.value is not None and not outcome.reads:
            found[at] = _read(outcome.value)
    return found


def _read(value: "Value") -> Trace:
    """What the tracer returned."""
    from azr.sandbox import Value

    match value.to_python():
        case [[*between], result]:
            return Trace(tuple(str(text) for text in between), Value.of(result))
    raise AssertionError("a tracer returns texts and a result")


def _episode(parts: Parts, prompt: Prompt, task: Task, between: Sequence[str]) -> Episode:
    """The task's right answer behind its thoughts."""
    template = parts.renderer.template
    thoughts = "\n".join(reversed(between) if task.kind is Kind.ABDUCTION else between)
    text = template.write(answer_blocks(template.syntax, task), Role.SOLVE, task.kind, thoughts)
    answer = (*parts.engine.tokenizer.encode(text, special_tokens=False), parts.engine.tokenizer.end_id)
    # Nobody sampled it: no token has a probability to be compared with.
    done = Completion(prompt=prompt, text=text, token_ids=answer, log_probs=(nan,) * len(answer), finished=True)
    return Episode(completion=done, reward=1.0)
