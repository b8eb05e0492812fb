"""A run that goes on, looked at."""

import json
import shutil
from pathlib import Path

import pytest
from azr.oversight.traces import TraceWriter
from azr.report.folder import Folder
from azr.report.gallery import Wanted
from azr.report.index import Filter
from azr.run.folder import METRICS, TRACES, RunFolder
from azr.watch.live import Live
from synthetic import make


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "one"
    make(path, steps=6, completions=300)
    return path


@pytest.fixture
def run(source: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(source, tmp_path / "run"))


def looked(folder: Path) -> Live:
    live = Live(Folder(folder))
    while live.look():
        pass
    return live


def test_new_steps_and_completions_are_seen(run: Path) -> None:
    live = looked(run)
    before = live.completions(Filter(), "", 0, 1, False)["total"]
    known = live.run("")
    with (run / METRICS).open("a") as file:
        file.write(json.dumps({"step": 7, "update/loss": 0.5}) + "\n")
    with TraceWriter(run / TRACES) as trace:
        row = {"step": 7, "purpose": "answer", "kind": "deduction", "verdict": "wrong"}
        trace.append([row | {"completion": "new words"}])
    live.look()
    assert live.run("")["runs"][0]["steps"][-1] == 7 and live.version() != known["version"]
    found = live.completions(Filter(first_step=7), "", 0, 10, False)
    assert [line["key"] for line in found["lines"]] == [before]
    assert live.completion(before)["completion"] == "new words"  # type: ignore[index]


def test_a_run_that_was_resumed_from_an_earlier_step_is_read_anew(run: Path) -> None:
    live = looked(run)
    first = live.completions(Filter(), "", 0, 1, False)["total"]
    with TraceWriter(run / "other.zst") as trace:
        trace.append([{"step": 1, "purpose": "answer", "kind": "deduction", "verdict": "wrong", "completion": "anew"}])
    shutil.move(run / "other.zst", run / TRACES)
    live.look()
    found = live.completions(Filter(), "", 0, 10, False)
    assert first > 1 and found["total"] == 1 and found["lines"][0]["title"] == "anew"


def test_it_waits_for_a_run_that_has_not_begun(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[run]\nsteps = 5\n")
    live = looked(tmp_path)
    assert live.run("")["runs"][0]["steps"] == [] and live.programs(Wanted(), "", 0, 10, False)["lines"] == []
    assert live.completion(0) is None and live.program(0) is None


def test_until_the_run_is_read_it_says_so_and_not_that_there_is_nothing(run: Path) -> None:
    live = Live(Folder(run))
    unread = live.programs(Wanted(), "", 0, 10, False)
    assert unread["lines"] == [] and unread["reading"]
    assert "tasks" not in live.run("")["runs"][0]["counts"]
    while live.look():
        pass
    read = live.programs(Wanted(), "", 0, 10, False)
    assert read["lines"] and not read["reading"] and live.run("")["runs"][0]["counts"]["tasks"] > 0


def test_the_trainer_keeps_its_lock_and_its_files(run: Path) -> None:
    held = RunFolder.open(run)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    live = looked(run)
    live.run("")
    live.programs(Wanted(), "walk", 0, 50, True)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    held.append(METRICS, [{"step": 7}])
    held.close()


def test_texts_stay_on_the_disk(run: Path) -> None:
    """What is in memory of a row does not depend on how long its texts are."""
    with TraceWriter(run / TRACES) as trace:
        for step in range(7, 27):
            row = {"step": step, "purpose": "answer", "kind": "deduction", "verdict": "wrong", "task": 0}
            trace.append([row | {"completion": "x" * 1_000_000}])
    live = looked(run)
    assert live._scan.index.rows.nbytes < 100_000
    assert sum(len(row["completion"]) for rows in live._reader._cache.values() for row in rows) <= 17_000_000
