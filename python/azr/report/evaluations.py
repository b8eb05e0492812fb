"""Evaluations in a run folder, as written by `azr eval --out RUN/evals/NAME`."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from azr.errors import AzrError
from azr.evals.records import Line, files, read_lines
from azr.report.folder import Folder
from azr.util.sanitize import one_line, visible

EVALS: Final = "evals"
RESULTS: Final = "results.json"
MOST: Final = 500
SHOWN: Final = 12
"""Maximum number of completions per benchmark."""


def evaluations(folder: Folder) -> list[dict[str, Any]]:
    """Rows of the evaluation table: benchmark, model, and named numbers as text."""
    rows: list[dict[str, Any]] = []
    for path in sorted((folder.path / EVALS).glob(f"**/{RESULTS}"))[:MOST]:
        try:
            results = json.loads(path.read_text("utf-8"))
            rows += _rows(results, path.parent)
        except (AzrError, OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            folder.notes.add(f"the evaluation {path.parent.name} cannot be read: {error!r}")
    return rows


def _rows(results: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    name, some = path.name, _some(path)
    model = str(results["settings"]["model"])
    shown = Path(model).name if "checkpoints" in Path(model).parts else model
    for benchmark, found in results["benchmarks"].items():
        low, high = found["interval"]
        numbers = [("score", _percent(found["score"])), ("95% interval", f"{_percent(low)} to {_percent(high)}")]
        numbers += [(f"pass@{k}", _percent(one["value"])) for k, one in found["pass_at"].items() if k != "1"]
        numbers += [("items", str(found["items"])), ("cut", str(found["cut"])), ("tokens", f"{found['tokens']:.0f}")]
        yield _row(benchmark, shown, name, numbers) | {"completions": [_completion(one) for one in some(benchmark)]}
    for average, found in results["averages"].items():
        if "missing" not in found:
            between = f"{_percent(found['low'])} to {_percent(found['high'])}"
            yield _row(average, shown, name, [("score", _percent(found["value"])), ("95% interval", between)])


def _row(benchmark: str, model: str, name: str, numbers: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "benchmark": one_line(benchmark, 60), "model": one_line(model, 80), "folder": one_line(name, 60),
        "numbers": [[one_line(label, 30), one_line(text, 40)] for label, text in numbers], "completions": [],
    }  # fmt: skip


def _some(path: Path) -> Callable[[str], list[Line]]:
    """A few completions of a benchmark, of each reason in turn, so that rare reasons appear."""
    found: dict[str, dict[str, list[Line]]] = {}
    for file in files(path):
        for line in read_lines(file):
            of_reason = found.setdefault(line.benchmark, {}).setdefault(line.reason, [])
            if len(of_reason) < SHOWN:
                of_reason.append(line)

    def some(benchmark: str) -> list[Line]:
        turns = zip_longest(*found.get(benchmark, {}).values())
        return [line for turn in turns for line in turn if line is not None][:SHOWN]

    return some


def _completion(line: Line) -> dict[str, str]:
    detail = f": {line.detail}" if line.detail else ""
    return {
        "head": one_line(f"{line.item}, sample {line.sample}: {line.reason}{detail}", 160),
        "prompt": visible(line.prompt, 4000),
        "text": visible(line.completion, 4000),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
