"""Everything about one run that the page shows, except its programs: plain data with sanitised texts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from azr.config.domain import PYTHON
from azr.domains.transfer import of_rows
from azr.errors import RunError
from azr.report.curriculum import Columns
from azr.report.evaluations import evaluations
from azr.report.folder import Folder
from azr.types import Kind
from azr.util.sanitize import one_line, visible

POINTS: Final = 1000
"""Points per curve. Longer runs are condensed: each point is the mean of several steps."""
COLUMNS: Final = 2000
"""Maximum number of metrics. Their names never come from a model, but a damaged file may contain anything."""
ALARMS: Final = 2000

Rows = Sequence[Mapping[str, Any]]


def summarise(folder: Folder, bins: Sequence[float], columns: Columns, counts: Mapping[str, int]) -> dict[str, Any]:
    """One run.

    Args:
        bins: middle steps of the curriculum's bins.
        columns: the curriculum, one value a bin.
        counts: of tasks, episodes and the like, for the page's header.
    """
    rows = folder.metrics()
    config = folder.config()
    steps, metrics, width = condensed(rows)
    if width > 1:
        folder.notes.add(f"each point of a curve is the mean of {width} steps")
    return {
        "name": one_line(folder.name, 80),
        "facts": facts(config, rows, counts),
        "config": [[one_line(key, 80), one_line(text, 300)] for key, text in flat(config)],
        "kinds": kinds(metrics, columns),
        "steps": steps,
        "metrics": metrics,
        "bins": [short(value) for value in bins],
        "curriculum": {one_line(name, 80): [short(value) for value in values] for name, values in columns.items()},
        "alarms": alarms(folder.alarms()),
        "evaluations": evaluations(folder),
        "transfer": transfer(config, rows),
        "counts": dict(counts),
        "notes": [visible(note, 500) for note in folder.notes.texts],
    }


def condensed(rows: Rows) -> tuple[list[float], dict[str, list[float | int | None]], int]:
    """(steps, columns, steps per point). Only finite numbers are kept; None for missing ones."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "step"))[:COLUMNS]
    width = max(1, -(-len(rows) // POINTS))
    groups = [rows[start : start + width] for start in range(0, len(rows), width)]
    steps = [float(_mean([row["step"] for row in group]) or 0) for group in groups]
    columns = {
        one_line(name, 120): [short(_mean([row.get(name) for row in group])) for group in groups] for name in names
    }
    columns = {name: column for name, column in columns.items() if any(value is not None for value in column)}
    return [short(step) or 0 for step in steps], columns, width


def kinds(metrics: Mapping[str, Any], columns: Columns) -> list[str]:
    """The kinds in the metrics; plain Python's first."""
    found = [name.split("/")[1] for name in metrics if name.startswith("buffer/") and name.endswith("/stored")]
    found += [name.split("/")[0] for name in columns if name.endswith("/rate/mean")]
    plain = [str(kind) for kind in Kind if kind in found]
    return plain + sorted(one_line(name, 60) for name in set(found) - set(plain))


def facts(config: Mapping[str, Any], rows: Rows, counts: Mapping[str, int]) -> list[list[str]]:
    """Key facts, as (label, text)."""
    last = rows[-1] if rows else {}
    seconds = sum(value for row in rows if isinstance(value := row.get("seconds/step"), int | float))
    model, engine = _under(config, "model", "name"), _under(config, "engine", "name")
    found = [
        ("model", "none: a script answers" if engine == "scripted" else model or "embedded"),
        ("engine", engine or "transformers"),
        ("steps", f"{last.get('step', 0)} of {_under(config, 'run', 'steps') or '?'}"),
        ("time in steps", duration(seconds)),
        *((label, f"{count:,}") for label, count in counts.items()),
    ]
    return [[label, one_line(str(text), 80)] for label, text in found]


def alarms(rows: Rows) -> list[dict[str, Any]]:
    """The last alarms: id, step, name, what was done, and the evidence as text.

    A row needs `step`. Of `azr.oversight` it has `id`, `monitor`, `rule`, `action`, `evidence`, `count`, and where it
    was found; a hook of somebody's own may have `name` and anything else, which is shown as evidence.
    """
    known = ("id", "step", "monitor", "rule", "name", "action", "evidence")
    found = []
    for row in rows[-ALARMS:]:
        name = ": ".join(str(row[key]) for key in ("monitor", "rule") if row.get(key)) or str(row.get("name", "alarm"))
        more = [f"{key}: {value}" for key, value in row.items() if key not in known and value not in (None, "")]
        evidence = [_said(row["evidence"])] if row.get("evidence") else []
        found.append(
            {
                "id": one_line(str(row.get("id", "")), 40), "step": row["step"], "name": one_line(name, 80),
                "action": one_line(str(row.get("action", "")), 40), "text": visible("\n".join(evidence + more), 2000),
            }
        )  # fmt: skip
    return found


def transfer(config: Mapping[str, Any], rows: Rows) -> list[dict[str, Any]]:
    """Held-out scores before and after, for trained and probed domains; none for plain Python alone."""
    try:
        found = of_rows("", [Kind(name) for name in config["tasks"]["kinds"]], rows)
    except (RunError, KeyError, TypeError, ValueError):
        return []  # a run that was probed once, or with damaged files, has nothing to compare
    if set(found.scores) <= {PYTHON}:
        return []
    return [
        {
            "domain": one_line(domain, 60),
            "before": short(before),
            "after": short(after),
            "trained": domain in found.trained,
        }
        for domain, (before, after) in sorted(found.scores.items())
    ]


def flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A tree of tables as (dotted key, text)."""
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found += flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", str(value)))
    return found


def short(value: float | int | None) -> float | int | None:
    """Five digits, enough for a curve; None for what JSON does not have."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(f"{value:.5g}")


def duration(seconds: float) -> str:
    """A duration in words."""
    if not math.isfinite(seconds) or seconds < 0:
        return "?"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _said(evidence: object) -> str:
    if isinstance(evidence, Mapping):
        return "\n".join(f"{key}: {value}" for key, value in evidence.items())
    return str(evidence)


def _mean(values: Sequence[object]) -> float | None:
    """Of the finite numbers among the values."""
    found = [v for value in values if (v := _number(value)) is not None]
    return sum(found) / len(found) if found else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _under(tree: Mapping[str, Any], table: str, key: str) -> Any:
    found = tree.get(table)
    return found.get(key) if isinstance(found, Mapping) else None
