"""`azr report`: from run folders to one HTML file."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from azr.errors import RunError
from azr.oversight.traces import TraceReader
from azr.report.charts import layout
from azr.report.curriculum import Columns, Measured, bin_edges, curriculum, read_tasks
from azr.report.folder import Folder
from azr.report.index import TraceIndex
from azr.report.page import island, page
from azr.report.scan import Scan, comment_columns, pattern_table, phrase_table
from azr.report.select import Chosen, choose
from azr.report.summary import summarise
from azr.run.folder import TRACES
from azr.util.sanitize import one_line

BYTES: Final = 14 << 20
"""Maximum size of the file. Programs beyond it are left out, evenly over the run."""
PAGE: Final = 200_000
"""Upper bound of the page's size without data."""
BLOCK: Final = 50
"""Programs per compressed block."""

Said = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result."""

    html: str
    programs: int
    """Programs and refused proposals in it."""
    of: int
    """Number of programs and refused proposals in the runs."""


def build(paths: Sequence[Path], say: Said = lambda text: None) -> Report:
    """The report of one run, or of several beside each other.

    Raises:
        RunError: a folder is no run, or two runs are one.
    """
    folders = [Folder(path) for path in paths]
    if len({folder.path.resolve() for folder in folders}) < len(folders):
        raise RunError("the same run is given twice: a comparison needs different ones")
    names = distinct_names(folders)
    runs: list[dict[str, Any]] = []
    blocks: dict[str, Any] = {}
    shown = total = 0
    for number, folder in enumerate(folders):
        say(f"reading {folder.path}")
        run, chosen = _read(folder, (BYTES - PAGE) // len(folders))
        run["name"] = names[number]
        run["gallery"], found = _blocks(chosen, number)
        blocks |= found
        runs.append(run)
        shown, total = shown + len(chosen.lines), total + chosen.of
    data = {"live": False, "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "layout": layout(), "runs": runs}
    title = " and ".join(names) + " - azr report"
    return Report(html=page(title, data, blocks), programs=shown, of=total)


def distinct_names(folders: Sequence[Folder]) -> list[str]:
    """Names of the folders, with as many parent folders as needed to make them distinct."""
    parts = [folder.path.resolve().parts for folder in folders]
    depth = 1
    while len({part[-depth:] for part in parts}) < len(parts):
        depth += 1
    return [one_line("/".join(part[-depth:]), 80) for part in parts]


def write(report: Report, path: Path) -> None:
    """Write the report to a file atomically.

    Raises:
        RunError: it cannot be written.
    """
    working = path.with_name(f".{path.name}.writing")
    try:
        working.write_text(report.html, "utf-8")
        os.replace(working, path)
    except OSError as error:
        raise RunError(f"cannot write the report {path}: {error}; name another file by --out") from error


def _read(folder: Folder, budget: int) -> tuple[dict[str, Any], Chosen]:
    """A run's data, and the programs that are shown."""
    reader = TraceReader(folder.path / TRACES)
    if reader.damage:
        folder.notes.add(reader.damage)
    scan = Scan(TraceIndex())
    scan.run(reader)
    stored = folder.stored()
    tasks = read_tasks(stored) if stored is not None else None
    bins: list[float] = []
    columns: Columns = {}
    if stored is not None and tasks is not None:
        bins, columns = curriculum(stored, tasks, Measured())
        columns |= comment_columns(scan.written, bin_edges(tasks.step))
    counts = {"tasks": len(tasks) if tasks else 0, "completions in the trace": len(reader)}
    run = summarise(folder, bins, columns, counts)
    run["patterns"] = pattern_table(scan.written)
    run["phrases"] = phrase_table(scan.written)
    run["read"] = len(scan.written)
    chosen = choose(stored, tasks, scan.index, reader, budget - len(island(run)))
    if stored is not None:
        stored.close()
    return run, chosen


def _blocks(chosen: Chosen, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page loads at once of a gallery, and what it unpacks on demand."""
    starts = range(0, len(chosen.lines), BLOCK)
    blocks = {f"block-{number}-{at}": chosen.details[start : start + BLOCK] for at, start in enumerate(starts)}
    names = ("key", "kind", "step", "verdict", "rate", "title")
    listed = {name: [line[name] for line in chosen.lines] for name in names}
    return {"lines": listed, "block": BLOCK, "of": chosen.of}, blocks
