"""The tasks of a run over several domains, read as the run knows them."""

from pathlib import Path

from azr.buffer.client import TaskBuffer
from azr.buffer.domains import BITS, Shard, Shards
from azr.oversight.traces import TraceReader
from azr.report.curriculum import Measured, curriculum, read_tasks
from azr.report.gallery import Gallery, Wanted
from azr.report.index import TraceIndex
from azr.report.stored import domain_names, open_stored
from azr.sandbox import Value
from azr.types import Kind, Task


def task(kind: Kind, number: int) -> Task:
    program = f"def f(x):\n    return x + {number}"
    return Task(kind=kind, program=program, inputs=("1",), outputs=(Value.of(number),), step=number)


def made(run: Path, kind: Kind) -> list[int]:
    """A run's buffers as the trainer makes them, with tasks; their ids."""
    buffers = {"": TaskBuffer.open(run / "buffer"), "tables": TaskBuffer.open(run / "buffer-tables")}
    shards = Shards({"": Shard(0, buffers[""], Kind), "tables": Shard(1, buffers["tables"], [kind])})
    found = shards.insert_many([task(Kind.DEDUCTION, 1), task(kind, 2), task(kind, 3)])
    ids = [one.id for one in found]  # type: ignore[union-attr]
    shards.record_solve_rate(ids[2], 0.5, 3, attempts=4)
    shards.checkpoint()
    shards.close()
    return ids


def test_ids_kinds_and_rates_are_the_runs_own(tmp_path: Path) -> None:
    kind = Kind("tables.lookup")
    ids = made(tmp_path, kind)
    stored, notes = open_stored(tmp_path, {"domains": [{"name": "python"}, {"path": "/some/where/tables"}]})
    assert stored is not None and notes == []
    assert list(stored.keys()) == ids == [0, 1 << BITS, (1 << BITS) + 1]
    assert [row[0] for row in stored.rows(reversed(ids))] == ["tables.lookup", "tables.lookup", "deduction"]
    assert stored.state(ids[2]).history[0].rate == 0.5
    assert stored.has(ids[2]) and not stored.has(ids[2] + 1) and not stored.has(2 << BITS)
    tasks = read_tasks(stored)
    assert tasks.kinds == ("deduction", "tables.lookup")
    _, columns = curriculum(stored, tasks, Measured())
    assert columns["tables.lookup/rate/mean"][-1] == 0.5 and columns["deduction/lines/middle"][1] == 2
    stored.close()


def test_the_gallery_shows_a_domains_tasks_as_it_does_plain_ones(tmp_path: Path) -> None:
    ids = made(tmp_path, Kind("tables.lookup"))
    stored, _ = open_stored(tmp_path, {"domains": [{"name": "python"}, {"name": "tables"}]})
    assert stored is not None
    gallery = Gallery(stored, read_tasks(stored), TraceIndex(), TraceReader(tmp_path / "traces.jsonl.zst"))
    lines = gallery.lines(gallery.find(Wanted(kind="tables.lookup")))
    assert [(line["key"], line["kind"]) for line in lines] == [(key, "tables.lookup") for key in ids[1:]]
    assert lines[0]["title"] == "def f(x): return x + 2" and lines[1]["rate"] == 0.5
    shown = gallery.detail(ids[2])
    assert shown is not None and shown["kind"] == "tables.lookup" and shown["program"].endswith("x + 3")
    gallery.close()


def test_a_buffer_that_is_missing_or_damaged_is_noted(tmp_path: Path) -> None:
    made(tmp_path, Kind("tables.deduction"))
    (tmp_path / "buffer-tables" / "kinds.json").write_text("{")
    stored, notes = open_stored(tmp_path, {"domains": [{"name": "tables"}, {"name": "none"}]})
    assert stored is not None and list(stored.keys()) == [0]
    assert "the task buffer buffer-tables cannot be read" in notes[0] and "no task buffer buffer-none" in notes[1]
    stored.close()


def test_plain_python_is_no_domain() -> None:
    assert domain_names({"domains": [{"name": "python"}, {"name": "b"}, {"path": "x/a"}]}) == ["b", "a"]
    assert domain_names({}) == []
