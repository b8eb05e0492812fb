"""Held-out tasks: programs that the corpus never contains, and answers that cannot be guessed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from azr.bootstrap.corpus import Run, draw_runs, message_of
from azr.bootstrap.grammar import draw_chain, draw_input
from azr.tasks import TaskKind
from azr.types import Kind, Task
from azr.util.randomness import generator

if TYPE_CHECKING:
    from azr.sandbox import Sandbox, Value

LENGTHS = (0.0, 0.5, 0.5)
"""Chain lengths: two and three operations."""
DRAWN = 40
"""Random inputs that estimate how guessable a task is."""
DRAWN_AT_ONCE = 4000
"""Programs that are drawn and run together until there are enough."""
GUESSABLE = 0.05
"""Largest share of random inputs that may give the task's output."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A task and the type of its input, so that random answers of the right type can be drawn."""

    task: Task
    takes: str


def make_tasks(
    seed: int, count: int, inputs: int, sandbox: "Sandbox", *, held_out: bool = True, length: int = 0
) -> list[Measured]:
    """`count` tasks of each of the three kinds, each of another program.

    Args:
        inputs: of an induction task.
        held_out: False: from the part that the corpus is drawn from, under a seed of their own.
        length: operations of every chain, under a seed of their own; 0: two or three, as in `LENGTHS`.
    """
    purpose = "held_out" if held_out else "trained"
    rng = generator(seed, 0, f"{purpose}/{length}" if length else purpose)
    weights = (*[0.0] * (length - 1), 1.0) if length else LENGTHS
    kinds = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
    found: dict[str, Run] = {}
    while len(found) < count * len(kinds):
        drawn = draw_runs(rng, DRAWN_AT_ONCE, inputs, sandbox, weights=weights, held_out=held_out)
        fair = _not_guessable(drawn, rng, sandbox, inputs)
        found |= {run.chain.source: run for run in fair}
    runs = list(found.values())[: count * len(kinds)]
    made = []
    for index, kind in enumerate(kinds):
        for run in runs[index * count : (index + 1) * count]:
            induction = kind is Kind.INDUCTION
            task = run.task(kind, run.rows[: inputs if induction else 1], message_of(run, rng) if induction else "")
            made.append(Measured(task, run.chain.takes))
    return made


def guess(measured: Sequence[Measured], seed: int) -> list[str]:
    """A random answer of the right type for each task: another task's output, a random input or a random program."""
    rng = generator(seed, 0, "guess")
    outputs = [m.task.outputs[0] for m in measured if m.task.kind is Kind.DEDUCTION]
    return [_guess(m, outputs, rng) for m in measured]


def floor(
    measured: Sequence[Measured], kinds: dict[Kind, TaskKind], sandbox: "Sandbox", seed: int
) -> dict[Kind, float]:
    """The score of random answers of the right type, by kind."""
    answers = guess(measured, seed)
    scores = {}
    for kind in (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION):
        items = [(m.task, text) for m, text in zip(measured, answers, strict=True) if m.task.kind is kind]
        scores[kind] = float(np.mean([answer.score for answer in kinds[kind].check(sandbox, items)]))
    return scores


def _guess(measured: Measured, outputs: Sequence["Value"], rng: np.random.Generator) -> str:
    if measured.task.kind is Kind.ABDUCTION:
        return repr(draw_input(measured.takes, rng))
    if measured.task.kind is Kind.DEDUCTION:
        same = [v for v in outputs if type(v.to_python()) is type(measured.task.outputs[0].to_python())]
        return same[rng.integers(len(same))].repr
    while True:
        chain = draw_chain(rng)
        if chain.takes == measured.takes:
            return chain.source


def _not_guessable(runs: Sequence[Run], rng: np.random.Generator, sandbox: "Sandbox", inputs: int) -> list[Run]:
    """Tasks whose first output few random inputs give, and whose hidden pairs differ."""
    from azr.sandbox import Request, whole

    drawn = [[draw_input(run.chain.takes, rng) for _ in range(DRAWN)] for run in runs]
    requests = [Request(program=run.chain.tracer(), call=repr(given)) for run, given in zip(runs, drawn, strict=True)]
    fair = []
    for run, outcome in zip(runs, whole(sandbox.run_batch(requests)), strict=True):
        if outcome.value is None:
            continue
        rows = outcome.value.to_python()
        assert isinstance(rows, list), "a tracer returns rows"
        wanted = run.rows[0][-1].repr
        share = float(np.mean([repr(row[-1]) == wanted for row in rows]))
        hidden = {row[-1].repr for row in run.rows[inputs // 2 : inputs]}
        if share <= GUESSABLE and len(hidden) > 1 and run.rows[0][-1] != run.rows[0][0]:
            fair.append(run)
    return fair
