"""`azr report` and `azr watch` from the outside."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from processes import started
from synthetic import make

pytestmark = pytest.mark.slow


def azr(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "azr", *arguments], capture_output=True, text=True, cwd=folder, check=False
    )


def test_a_report_lies_in_its_run(tmp_path: Path) -> None:
    make(tmp_path / "r", steps=3, completions=100)
    done = azr("report", "r", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"r/report\.html: \d\.\d MiB, \d+ programs and refused proposals\n", done.stdout)
    assert (tmp_path / "r" / "report.html").read_text("utf-8").startswith("<!doctype html>")


def test_several_runs_make_a_file_beside_them(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(tmp_path / name, steps=2, completions=50)
    done = azr("report", "a", "b", folder=tmp_path)
    assert done.returncode == 0 and (tmp_path / "report.html").exists(), done.stderr
    done = azr("report", "a", "b", "--out", "c.html", folder=tmp_path)
    assert done.returncode == 0 and (tmp_path / "c.html").exists(), done.stderr


@pytest.mark.parametrize("command", ["report", "watch"])
def test_a_folder_that_is_no_run_is_an_error_in_one_line(tmp_path: Path, command: str) -> None:
    done = azr(command, "nowhere", folder=tmp_path)
    assert done.returncode == 1 and "azr: nowhere is no run folder" in done.stderr
    assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []


def test_what_is_printed_has_no_escapes_of_a_folders_name(tmp_path: Path) -> None:
    name = "run\x1b[2J\u202e"
    make(tmp_path / name, steps=1, completions=20)
    done = azr("report", name, folder=tmp_path)
    assert done.returncode == 0 and "\x1b" not in done.stdout + done.stderr
    assert "\u202e" not in done.stdout + done.stderr and "run\u241b[2J<U+202E>" in done.stdout


def test_a_run_is_watched_until_ctrl_c(tmp_path: Path) -> None:
    make(tmp_path / "r", steps=2, completions=50)
    command = [sys.executable, "-m", "azr", "watch", "r", "--port", "0"]
    with started(command, cwd=tmp_path) as watching:
        said = watching.says("http://")
        found = re.match(r"http://127\.0\.0\.1:\d+/ ", said)
        assert found, said
        with urllib.request.urlopen(f"{found[0].strip()}api/run") as answer:
            assert json.load(answer)["runs"][0]["steps"][-1] == 2
        os.kill(watching.pid, signal.SIGINT)
        assert "Traceback" not in watching.ends()
