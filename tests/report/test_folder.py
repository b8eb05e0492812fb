"""Reading a run folder without touching it."""

import json
from pathlib import Path

import pytest
from azr.errors import RunError
from azr.report.build import build
from azr.report.folder import Folder
from azr.run.folder import METRICS, RunFolder
from synthetic import make


def test_what_is_no_run_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no such folder"):
        Folder(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"has no config\.toml; azr train --run"):
        Folder(tmp_path)


def test_a_config_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("= =")
    with pytest.raises(RunError, match=r"cannot read .*config\.toml"):
        Folder(tmp_path).config()


def test_a_torn_end_waits_and_a_damaged_line_is_noted(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    damaged = ["{broken", "[" * 100_000, '{"step": ' + "9" * 5000 + "}", '"text"']
    lines = [json.dumps({"step": 1}), *damaged, json.dumps({"step": 2})]
    (tmp_path / METRICS).write_text("\n".join(lines) + '\n{"step": 3, "half')
    folder = Folder(tmp_path)
    assert [row["step"] for row in folder.metrics()] == [1, 2]
    assert [f"line {number} " in " ".join(folder.notes.texts) for number in range(1, 8)] == [
        False, True, True, True, True, False, False,
    ]  # fmt: skip


def test_a_step_that_stands_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    rows = [{"step": 2, "a": 1}, {"step": 1, "a": 2}, {"step": 2, "a": 3}]
    (tmp_path / METRICS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert Folder(tmp_path).metrics() == [{"step": 1, "a": 2}, {"step": 2, "a": 3}]


def test_a_run_that_goes_on_is_read_without_a_trace_of_it(tmp_path: Path) -> None:
    """The trainer holds the lock and the buffer; nothing in the folder is written, made or removed."""
    make(tmp_path / "run", steps=6, completions=200)
    held = RunFolder.open(tmp_path / "run")
    before = _state(tmp_path / "run")
    report = build([tmp_path / "run"])
    assert report.programs > 10 and _state(tmp_path / "run") == before
    held.append(METRICS, [{"step": 7}])
    held.close()


def _state(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_numbers_of_an_older_run_are_shown_under_the_names_of_today(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[solve]\nattempts = 3\n")
    (tmp_path / METRICS).write_text('{"step": 1, "update/gap_mean": 0.5}\n')
    folder = Folder(tmp_path)
    assert folder.metrics() == [{"step": 1, "update/mismatch_mean": 0.5}]
    assert folder.config() == {"solve": {"trials": 3}}
