"""The files that a person steps through run from top to bottom and show what their headings say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = Path(__file__).parents[2] / "examples" / "steps"
SHOWN = {
    "look_at_a_run": ("'traces.jsonl.zst'", "def f(", "completions:", "<answer>"),
    "score_answers": (
        "deduction, right: 1.0 correct",
        "deduction, an expression: 0.0 not_a_literal",
        "abduction, another input: 1.0 correct",
        "induction, only the shown pairs: 0.0 wrong",
        "solved 2 of 8: learnability 0.75",
        "solved 8 of 8: learnability 0.0",
    ),
    "make_a_domain": ("2 1.0 correct", "3 0.67 graded", "8 0.0 wrong", "steps: 2"),
}


def test_every_file_is_run() -> None:
    assert {path.stem for path in STEPS.glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_file_of_steps_runs_and_shows_its_results(name: str, tmp_path: Path) -> None:
    file = STEPS / f"{name}.py"
    assert file.read_text("utf-8").count("\n# %% ") >= 4, "cells to step through"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, str(file)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for text in SHOWN[name]:
        assert text in done.stdout, done.stdout
