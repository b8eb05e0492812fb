"""`azr bootstrap` from the command line."""

from importlib import resources
from pathlib import Path

import pytest
from azr.cli.bootstrap import bootstrap
from azr.tasks.io import read_tags
from click.testing import CliRunner

pytestmark = pytest.mark.torch


def test_tasks_can_be_made_in_strata(tmp_path: Path) -> None:
    done = CliRunner().invoke(bootstrap, ["tasks", str(tmp_path / "t.jsonl"), "--count", "2", "--lengths", "2-4"])
    assert done.exit_code == 0 and "deduction: 6 tasks" in done.output
    assert read_tags(tmp_path / "t.jsonl", "length") == [length for length in "234" for _ in range(6)]


def test_a_start_that_is_not_there_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(bootstrap, ["model", str(tmp_path / "out"), "--start", "nowhere"])
    assert done.exit_code == 2 and "nowhere: no model is there" in done.output
    assert not (tmp_path / "out").exists()


def test_a_range_that_is_none_is_refused(tmp_path: Path) -> None:
    for lengths in ("two", "6-2", "0-3"):
        done = CliRunner().invoke(bootstrap, ["tasks", str(tmp_path / "t.jsonl"), "--lengths", lengths])
        assert done.exit_code == 2 and "no range such as 2-6" in done.output


def test_reach_is_a_table_by_stratum() -> None:
    model = str(resources.files("azr").joinpath("model"))
    given = ["--samples", "8", "--limit", "1", "--threads", "1"]
    done = CliRunner().invoke(bootstrap, ["reach", model, *given])
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["length", "pass@1", "pass@8"] and [row.split()[0] for row in rows] == list("23456")
    assert all(0.0 <= float(value) <= 100.0 for row in rows for value in row.split()[1:])
    by_size = CliRunner().invoke(bootstrap, ["reach", model, "--by", "operations", *given])
    assert by_size.stdout.split()[0] == "operations"
