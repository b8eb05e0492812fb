"""Comparison of evaluations: scores, differences with paired intervals, changed items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr.errors import BenchmarkError
from azr.evals.benchmarks import BENCHMARKS, find
from azr.evals.estimate import Estimate, difference, estimate
from azr.evals.records import RESULTS, files, read_json, read_lines
from azr.evals.summary import AVERAGES, averages, scores_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One evaluation on one benchmark, or on an average of several."""

    score: Estimate
    delta: Estimate | None = None
    """Difference to the first evaluation over shared items; None for the first, and without shared items."""
    shared: int = 0
    """Items of both."""
    gained: int = 0
    """Items on which it scores higher than the first; `lost`: lower."""
    lost: int = 0
    apart: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One evaluation."""

    name: str
    settings: Mapping[str, Any]
    cells: Mapping[str, Cell]
    """By benchmark or average; missing where not evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All evaluations. Rows are benchmarks in their order, then averages."""

    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    warnings: tuple[str, ...]
    """Differences between the evaluations other than the model."""


def open_results(path: Path) -> Mapping[str, Any]:
    """The summary of a finished evaluation.

    Raises:
        BenchmarkError: there is none.
    """
    if not (path / RESULTS).is_file():
        raise BenchmarkError(f"{path} has no {RESULTS}: it is no evaluation, or one that is not finished")
    results: Mapping[str, Any] = read_json(path / RESULTS)
    return results


def compare(paths: Sequence[Path], names: Sequence[str], seed: int = 0) -> Comparison:
    """Compare finished evaluations with the first of them.

    Raises:
        BenchmarkError: one has no results.
    """
    found = [open_results(path) for path in paths]
    seen = {name for results in found for name in results["benchmarks"]}
    rows = [*(name for name in BENCHMARKS if name in seen), *AVERAGES]
    columns = [
        Column(name=name, settings=results["settings"], cells=_cells(results, found[0], first=at == 0, seed=seed))
        for at, (name, results) in enumerate(zip(names, found, strict=True))
    ]
    shown = [row for row in rows if any(row in column.cells for column in columns)]
    return Comparison(rows=tuple(shown), columns=tuple(columns), warnings=tuple(_warnings(names, found)))


def _cells(results: Mapping[str, Any], base: Mapping[str, Any], first: bool, seed: int) -> dict[str, Cell]:
    cells = {}
    for name, summary in results["benchmarks"].items():
        other = None if first else base["benchmarks"].get(name)
        score = estimate(scores_of(summary["counts"]), seed)
        cells[name] = _paired(summary, other, score, seed) if other else Cell(score=score, apart=len(summary["apart"]))
    for name, value in averages(results["benchmarks"], seed).items():
        if "missing" not in value:
            cells[name] = Cell(score=Estimate(**value))
    return cells


def _paired(summary: Mapping[str, Any], base: Mapping[str, Any], score: Estimate, seed: int) -> Cell:
    shared = [item for item in base["counts"] if item in summary["counts"]]
    if not shared:
        return Cell(score=score, apart=len(summary["apart"]))
    ours = scores_of({item: summary["counts"][item] for item in shared})
    theirs = scores_of({item: base["counts"][item] for item in shared})
    return Cell(
        score=score,
        delta=difference(theirs, ours, seed),
        shared=len(shared),
        gained=int((ours > theirs).sum()),
        lost=int((ours < theirs).sum()),
        apart=len(summary["apart"]),
    )


def _warnings(names: Sequence[str], found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Differences between evaluations other than the model."""
    warnings = []
    first = found[0]
    for name, results in zip(names[1:], found[1:], strict=True):
        for key in ("template", "prompt", "decoding", "engine"):
            if results["settings"].get(key) != first["settings"].get(key):
                warnings.append(
                    f"{name}: {key} is {results['settings'].get(key)}, of {names[0]} {first['settings'].get(key)}"
                )
        for row, summary in results["benchmarks"].items():
            other = first["benchmarks"].get(row)
            if other and set(summary["counts"]) != set(other["counts"]):
                warnings.append(
                    f"{name}: {row} has other items than {names[0]}; only shared ones are in the difference"
                )
    return warnings


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One completion that two evaluations score differently."""

    benchmark: str
    item: str
    sample: int
    answers: tuple[str | None, str | None]
    reasons: tuple[str, str]
    same_text: bool
    """Whether the completions are identical, so that only the verdict differs."""


def changes(first: Path, second: Path) -> list[Change]:
    """Completions of the same item and number that score differently, in the order of the first."""
    others = {(line.benchmark, line.item, line.sample): line for path in files(second) for line in read_lines(path)}
    found = []
    for path in files(first):
        for line in read_lines(path):
            other = others.get((line.benchmark, line.item, line.sample))
            if other is not None and other.score != line.score:
                found.append(
                    Change(
                        benchmark=line.benchmark,
                        item=line.item,
                        sample=line.sample,
                        answers=(line.answer, other.answer),
                        reasons=(line.reason, other.reason),
                        same_text=line.completion == other.completion,
                    )
                )
    return found


def title(row: str) -> str:
    """What a row is called in tables."""
    return find(row).title if row in BENCHMARKS else row
