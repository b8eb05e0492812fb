"""The evaluations in a run folder: what `azr eval --out RUN/evals/NAME` wrote."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from azr.report.folder import Folder
from azr.report.visible import one_line

EVALS: Final = "evals"
RESULTS: Final = "results.json"
MOST: Final = 500


def evaluations(folder: Folder) -> list[dict[str, Any]]:
    """Rows of the evaluation table: benchmark, model, and named numbers as text."""
    rows: list[dict[str, Any]] = []
    for path in sorted((folder.path / EVALS).glob(f"**/{RESULTS}"))[:MOST]:
        try:
            results = json.loads(path.read_text("utf-8"))
            rows += _rows(results, path.parent.name)
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            folder.notes.add(f"the evaluation {path.parent.name} cannot be read: {error!r}")
    return rows


def _rows(results: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    model = str(results["settings"]["model"])
    shown = Path(model).name if "checkpoints" in Path(model).parts else model
    for benchmark, found in results["benchmarks"].items():
        low, high = found["interval"]
        numbers = [("score", _percent(found["score"])), ("95% interval", f"{_percent(low)} to {_percent(high)}")]
        numbers += [(f"pass@{k}", _percent(one["value"])) for k, one in found["pass_at"].items() if k != "1"]
        numbers += [("items", str(found["items"])), ("cut", str(found["cut"])), ("tokens", f"{found['tokens']:.0f}")]
        yield _row(benchmark, shown, name, numbers)
    for average, found in results["averages"].items():
        if "missing" not in found:
            between = f"{_percent(found['low'])} to {_percent(found['high'])}"
            yield _row(average, shown, name, [("score", _percent(found["value"])), ("95% interval", between)])


def _row(benchmark: str, model: str, name: str, numbers: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "benchmark": one_line(benchmark, 60), "model": one_line(model, 80), "folder": one_line(name, 60),
        "numbers": [[one_line(label, 30), one_line(text, 40)] for label, text in numbers],
    }  # fmt: skip


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
