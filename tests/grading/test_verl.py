"""The verl adapter, called as verl's naive and batch reward managers call it."""

import subprocess
import sys
from pathlib import Path

import azr.grading.verl as adapter
import pytest
from azr.errors import GradingError
from azr.grading import Grader
from azr.types import Kind, Task


def test_one_answer_by_keyword(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    """verl/workers/reward_manager/naive.py"""
    for row, task in zip(adapter.rows(grader, tasks), tasks, strict=True):
        for text, score in ((right[task.kind], 1.0), ("nothing", 0.0)):
            found = adapter.compute_score(
                data_source=row["data_source"],
                solution_str=text,
                ground_truth=row["reward_model"]["ground_truth"],
                extra_info=row["extra_info"],
            )
            assert found == score and isinstance(found, float)


def test_a_batch_by_keyword(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    """verl/workers/reward_manager/batch.py hands in arrays of objects, and newer ones more keywords."""
    import numpy as np

    made = adapter.rows(grader, tasks)
    found = adapter.compute_scores(
        data_sources=np.array([row["data_source"] for row in made], dtype=object),
        solution_strs=[right[task.kind] for task in tasks],
        ground_truths=[row["reward_model"]["ground_truth"] for row in made],
        extra_infos=np.array([row["extra_info"] for row in made], dtype=object),
        reward_router_address=None,
    )
    assert found == [1.0] * len(tasks) and all(isinstance(score, float) for score in found)


def test_rows_have_what_verls_data_set_reads(grader: Grader, tasks: list[Task]) -> None:
    for row in adapter.rows(grader, tasks):
        assert set(row) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
        assert row["prompt"][0]["role"] == "user" and row["reward_model"]["style"] == "rule"


def test_verl_loads_it_by_the_path_of_its_file(tasks: list[Task], grader: Grader) -> None:
    """`custom_reward_function.path` is loaded by its file, outside of its package, in a worker process."""
    row = adapter.rows(grader, tasks[:1])[0]
    code = (
        "import importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('custom_module', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "print(module.compute_score('azr', '<answer>\\n```output\\n[7, 7]\\n```\\n</answer>', sys.argv[2]))"
    )
    path = str(Path(adapter.__file__))
    done = subprocess.run(
        [sys.executable, "-c", code, path, row["reward_model"]["ground_truth"]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1.0"


def test_rows_of_another_source_are_an_error_and_no_score() -> None:
    with pytest.raises(GradingError):
        adapter.compute_score("gsm8k", "#### 42", "42")
