"""Run benchmarks: sample, score, record, summarise. Sampling and scoring overlap; finished units are not repeated.

The work is cut into units of fixed items and samples. A completion depends only on the seed and its unit, not on
interruptions or the number of processes.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from azr.evals.ask import Asker
from azr.evals.benchmarks import Benchmark, Item
from azr.evals.records import Folder, Line, done
from azr.evals.scorers import Reason, Scorer, Tools, Verdict, make_scorer
from azr.rollouts import Engine, Sampling
from azr.util.randomness import derive

if TYPE_CHECKING:
    from azr.types import Completion, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """Sampling settings."""

    samples: int = 1
    temperature: float = 0.0
    """0: greedy."""
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 0
    """0: the benchmark's own."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The units of this process."""

    rank: int = 0
    world: int = 1


class Watcher(Protocol):
    """Observer of an evaluation's progress."""

    def begun(self, benchmark: Benchmark, total: int, scores: Sequence[float]) -> None:
        """A benchmark begins: completions in this process's share, and the scores of those that exist."""
        ...

    def scored(self, benchmark: Benchmark, lines: Sequence[Line]) -> None:
        """More completions have their verdicts."""
        ...


class Nobody:
    """No observer."""

    def begun(self, benchmark: Benchmark, total: int, scores: Sequence[float]) -> None: ...

    def scored(self, benchmark: Benchmark, lines: Sequence[Line]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Some items, and the samples of each that are drawn together."""

    number: int
    items: tuple[Item, ...]
    first: int
    count: int

    def keys(self) -> list[tuple[str, int]]:
        return [(item.id, self.first + draw) for item in self.items for draw in range(self.count)]


@dataclass(slots=True)
class Evaluation:
    """One model under one set of sampling settings."""

    engine: Engine
    asker: Asker
    tools: Tools
    decoding: Decoding
    context: int = 0
    batch: int = 256
    """Sequences asked for together."""
    share: Share = field(default_factory=Share)
    watcher: Watcher = field(default_factory=Nobody)
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    """Seconds of sampling and scoring of each benchmark in this process; they overlap."""

    def run(self, benchmark: Benchmark, items: Sequence[Item], folder: Folder) -> None:
        """Do the unfinished part of this process's share of a benchmark."""
        present = done(folder.lines(benchmark.name))
        mine = [
            unit
            for unit in units(items, self.decoding.samples, self.batch)
            if unit.number % self.share.world == self.share.rank
        ]
        missing = [unit for unit in mine if not present.keys() >= set(unit.keys())]
        again = {key for unit in missing for key in unit.keys()}  # noqa: SIM118 - a method
        own = {key for unit in mine for key in unit.keys()}  # noqa: SIM118
        self.watcher.begun(benchmark, len(own), [present[key] for key in own - again])
        if not missing:
            return
        scorer = make_scorer(benchmark.scorer, self.tools)
        spent = self.seconds.setdefault(benchmark.name, {"sampling": 0.0, "scoring": 0.0})
        # One thread scores while this one samples; it is never more than one unit behind.
        with ThreadPoolExecutor(1) as pool:
            waiting: Future[list[Line]] | None = None
            try:
                for unit in missing:
                    begin = time.monotonic()
                    sampled = self._sample(benchmark, unit)
                    spent["sampling"] += time.monotonic() - begin
                    last, waiting = waiting, pool.submit(self._score, benchmark, scorer, unit, sampled)
                    self._write(benchmark, folder, last)
            finally:
                # Also after an interruption: what was sampled is kept.
                self._write(benchmark, folder, waiting)

    def _write(self, benchmark: Benchmark, folder: Folder, waiting: "Future[list[Line]] | None") -> None:
        if waiting is not None:
            lines = waiting.result()
            folder.append(lines)
            self.watcher.scored(benchmark, lines)

    def _sample(self, benchmark: Benchmark, unit: Unit) -> "list[tuple[Prompt, list[Completion]]]":
        """Prompts and completions of each item; none of an item whose prompt fills the model's context."""
        prompts = [self.asker.prompt(benchmark, item) for item in unit.items]
        fits = [not self.context or len(prompt.token_ids) < self.context for prompt in prompts]
        fitting = [prompt for prompt, fit in zip(prompts, fits, strict=True) if fit]
        given = self.decoding
        sampling = Sampling(
            seed=derive(given.seed, unit.number, f"eval/{benchmark.name}"),
            temperature=given.temperature,
            top_p=given.top_p,
            top_k=given.top_k,
            max_tokens=given.max_tokens or benchmark.max_tokens,
        )
        drawn = iter(self.engine.sample(fitting, sampling, unit.count) if fitting else [])
        return [(prompt, next(drawn) if fit else []) for prompt, fit in zip(prompts, fits, strict=True)]

    def _score(
        self, benchmark: Benchmark, scorer: Scorer, unit: Unit, sampled: "list[tuple[Prompt, list[Completion]]]"
    ) -> list[Line]:
        begin = time.monotonic()
        rows = [
            (item, self.asker.read(benchmark, item, scorer, completion.text))
            for item, (_, completions) in zip(unit.items, sampled, strict=True)
            for completion in completions
        ]
        answers = [(item, answer) for item, answer in rows if answer is not None]
        checked = iter(scorer.score(answers))
        verdicts = iter(
            (answer, next(checked) if answer is not None else Verdict(score=0.0, reason=Reason.NO_ANSWER))
            for _, answer in rows
        )
        lines: list[Line] = []
        for item, (prompt, completions) in zip(unit.items, sampled, strict=True):
            if not completions:
                lines += [_unasked(benchmark, item, prompt, unit.first + draw) for draw in range(unit.count)]
            for draw, completion in enumerate(completions):
                answer, verdict = next(verdicts)
                lines.append(_line(benchmark, item, unit.first + draw, completion, answer, verdict))
        self.seconds[benchmark.name]["scoring"] += time.monotonic() - begin
        return lines


def units(items: Sequence[Item], samples: int, batch: int) -> Iterator[Unit]:
    """Cut the work: many items with all their samples, or parts of one item's samples where these fill a batch."""
    together, at_once = max(1, batch // samples), min(samples, batch)
    number = 0
    for begin in range(0, len(items), together):
        for first in range(0, samples, at_once):
            count = min(at_once, samples - first)
            yield Unit(number=number, items=tuple(items[begin : begin + together]), first=first, count=count)
            number += 1


def _line(
    benchmark: Benchmark, item: Item, sample: int, completion: "Completion", answer: str | None, verdict: Verdict
) -> Line:
    return Line(
        benchmark=benchmark.name,
        item=item.id,
        sample=sample,
        prompt=completion.prompt.text,
        completion=completion.text,
        tokens=len(completion.token_ids),
        finished=completion.finished,
        answer=answer,
        score=verdict.score,
        reason=str(verdict.reason),
        detail=verdict.detail,
    )


def _unasked(benchmark: Benchmark, item: Item, prompt: "Prompt", sample: int) -> Line:
    return Line(
        benchmark=benchmark.name, item=item.id, sample=sample, prompt=prompt.text, completion="", tokens=0,
        finished=False, answer=None, score=0.0, reason=str(Reason.PROMPT_TOO_LONG),
        detail=f"{len(prompt.token_ids)} tokens",
    )  # fmt: skip
