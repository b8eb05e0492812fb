"""What the embedded model learns from: programs of the grammar, run in the sandbox, as prompts and completions.

Where a corpus has both ways to solve a task, with the answer alone and with the intermediate values written down first,
self-play decides which of the two pays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from azr.bootstrap.grammar import WEIGHTS, Chain, draw_chain, draw_input
from azr.bootstrap.split import is_held_out
from azr.tasks import IDENTITY_PROGRAM
from azr.tasks.render import Renderer
from azr.types import Kind, Role, Task

if TYPE_CHECKING:
    from azr.sandbox import Sandbox, Value


@dataclass(frozen=True, slots=True)
class Corpus:
    """What differs between the starts."""

    lengths: tuple[float, ...]
    """Share of chains with one, two, three ... operations."""
    thoughts: Mapping[Kind, float]
    """Share of the solve samples of a kind that write the intermediate values first."""


CORPORA: Mapping[str, Corpus] = {
    "both": Corpus(WEIGHTS, dict.fromkeys((Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION), 0.4)),
    # Who follows a program step by step can follow a longer one; a message is followed without values.
    "steps": Corpus((0.2, 0.35, 0.45), {Kind.DEDUCTION: 0.95, Kind.ABDUCTION: 0.95, Kind.INDUCTION: 0.0}),
}
"""The corpus of the embedded start, and of `embedded-steps`."""
HINTED = 0.9
"""Share of the operations that a message names; the others appear as `?`."""
REFERENCES = 2
"""Maximum number of references in a propose prompt."""
IDENTITY = 0.1
"""Share of the propose prompts with references that show the identity program, with which self-play starts."""
LONGEST = 48
"""Maximum length of a value's text in characters; programs with longer values are skipped."""
DRAWN = 14
"""Inputs drawn for each program; duplicates are removed."""
SOLVED = 3
"""Deduction and abduction samples of each program, each with another input."""
PROPOSED = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
"""Each program gives one proposal, of one of these kinds."""

Row = tuple["Value", ...]
"""The values before, between and after the steps for one input."""


@dataclass(frozen=True, slots=True)
class Run:
    """A program of the grammar and what it does."""

    chain: Chain
    rows: tuple[Row, ...]
    """One for each distinct input."""

    def task(self, kind: Kind, rows: Sequence[Row], message: str = "") -> Task:
        """A task from some of the rows."""
        return Task(
            kind=kind,
            program=self.chain.source,
            inputs=tuple(row[0].repr for row in rows),
            outputs=tuple(row[-1] for row in rows),
            message=message,
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """A prompt and a completion, as text."""

    role: Role
    kind: Kind
    prompt: str
    completion: str


def draw_runs(
    rng: np.random.Generator,
    count: int,
    inputs: int,
    sandbox: "Sandbox",
    *,
    weights: Sequence[float] = WEIGHTS,
    held_out: bool = False,
) -> list[Run]:
    """About `count` programs that run without error, have `inputs` distinct inputs and more than one distinct output.

    Args:
        held_out: from the part of the grammar that is kept for measuring; else from the rest.
    """
    from azr.sandbox import Request, Value, whole

    chains = [chain for chain in (draw_chain(rng, weights) for _ in range(count)) if is_held_out(chain) == held_out]
    given = [[draw_input(chain.takes, rng) for _ in range(max(DRAWN, 2 * inputs))] for chain in chains]
    requests = [Request(program=chain.tracer(), call=repr(values)) for chain, values in zip(chains, given, strict=True)]
    runs = []
    for chain, outcome in zip(chains, whole(sandbox.run_batch(requests)), strict=True):
        if outcome.value is None:
            continue
        found = outcome.value.to_python()
        assert isinstance(found, list), "a tracer returns rows"
        rows = {repr(row[0]): row for row in found if max(len(repr(value)) for value in row) <= LONGEST}
        if len(rows) >= inputs and len({repr(row[-1]) for row in rows.values()}) > 1:
            runs.append(Run(chain, tuple(tuple(Value.of(value) for value in row) for row in rows.values())))
    return runs


def samples(
    runs: Sequence[Run], renderer: Renderer, rng: np.random.Generator, inputs: int, corpus: Corpus = CORPORA["both"]
) -> Iterator[Sample]:
    """All samples of the programs; references in propose prompts are other programs of `runs`.

    Args:
        inputs: of an induction task.
    """
    for run in runs:
        for row in run.rows[:SOLVED]:
            yield _deduction(run, row, renderer, rng, corpus)
            yield _abduction(run, row, renderer, rng, corpus)
        yield _induction(run, renderer, rng, inputs, corpus)
        yield _proposal(run, PROPOSED[rng.integers(len(PROPOSED))], runs, renderer, rng, inputs)


def message_of(run: Run, rng: np.random.Generator) -> str:
    """A hint: the operations in order, with some left out."""
    return " ".join(step.word if rng.random() < HINTED else "?" for step in run.chain.steps)


def _deduction(run: Run, row: Row, renderer: Renderer, rng: np.random.Generator, corpus: Corpus) -> Sample:
    prompt = renderer.solve(run.task(Kind.DEDUCTION, [row])).text
    thoughts = _thoughts(row[1:-1], rng, corpus.thoughts[Kind.DEDUCTION])
    return Sample(Role.SOLVE, Kind.DEDUCTION, prompt, f"{thoughts}<output>{row[-1].repr}")


def _abduction(run: Run, row: Row, renderer: Renderer, rng: np.random.Generator, corpus: Corpus) -> Sample:
    prompt = renderer.solve(run.task(Kind.ABDUCTION, [row])).text
    thoughts = _thoughts(row[-2:0:-1], rng, corpus.thoughts[Kind.ABDUCTION])
    return Sample(Role.SOLVE, Kind.ABDUCTION, prompt, f"{thoughts}<input>{row[0].repr}")


def _induction(run: Run, renderer: Renderer, rng: np.random.Generator, inputs: int, corpus: Corpus) -> Sample:
    task = run.task(Kind.INDUCTION, run.rows[:inputs], message_of(run, rng))
    answer = f"{_thoughts(run.rows[0][1:-1], rng, corpus.thoughts[Kind.INDUCTION])}<program>\n{task.program}"
    return Sample(Role.SOLVE, Kind.INDUCTION, renderer.solve(task).text, answer)


def _proposal(
    run: Run, kind: Kind, runs: Sequence[Run], renderer: Renderer, rng: np.random.Generator, inputs: int
) -> Sample:
    if kind is Kind.INDUCTION:
        prompt = renderer.propose(kind, source=run.task(Kind.DEDUCTION, run.rows[:1])).text
        texts = "\n<input>".join(row[0].repr for row in run.rows[:inputs])
        return Sample(Role.PROPOSE, kind, prompt, f"{texts}\n<message>{message_of(run, rng)}")
    others = [runs[i] for i in rng.integers(len(runs), size=rng.integers(REFERENCES + 1))]
    shown = [other.task(kind, other.rows[:1]) for other in others]
    if shown and rng.random() < IDENTITY:
        shown[rng.integers(len(shown))] = _identity(kind)
    prompt = renderer.propose(kind, shown).text
    return Sample(Role.PROPOSE, kind, prompt, f"{run.chain.source}\n<input>{run.rows[0][0].repr}")


def _identity(kind: Kind) -> Task:
    """What the buffers hold before the first seed task (see `azr.run.seed`)."""
    from azr.sandbox import Value

    return Task(kind=kind, program=IDENTITY_PROGRAM, inputs=("'Hello world'",), outputs=(Value.of("Hello world"),))


def _thoughts(values: Sequence["Value"], rng: np.random.Generator, share: float) -> str:
    """The intermediate values, one a line; empty where there are none or the sample answers at once."""
    if not values or rng.random() >= share:
        return ""
    return "<think>" + "\n".join(value.repr for value in values) + "\n"
