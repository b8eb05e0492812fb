"""verl: name this file as `custom_reward_function.path`, with `name=compute_score`.

verl's reward managers call it once an answer by keyword (`data_source, solution_str, ground_truth, extra_info`); its
batch manager calls `compute_scores` with the plural names. `ground_truth` is the task's text. Domains other than plain
Python are named in `AZR_DOMAINS`, folders or installed names, separated by `os.pathsep`.
"""

import os
from collections.abc import Sequence
from typing import Any

from azr.grading.grader import Grader
from azr.grading.messages import scores
from azr.types import Task

DATA_SOURCE = "azr"
DOMAINS = "AZR_DOMAINS"

_graders: dict[int, Grader] = {}


def rows(grader: Grader, tasks: Sequence[Task], split: str = "train") -> list[dict[str, Any]]:
    """Rows of verl's parquet files."""
    made = []
    for index, task in enumerate(tasks):
        row = grader.row(task)
        made.append(
            {
                "data_source": DATA_SOURCE,
                "prompt": row["prompt"],
                "ability": str(task.kind),
                "reward_model": {"style": "rule", "ground_truth": row["task"]},
                "extra_info": {"split": split, "index": index},
            }
        )
    return made


def compute_score(data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, **more: Any) -> float:
    """The score of one answer, in [0, 1]."""
    return compute_scores([data_source], [solution_str], [ground_truth], [extra_info])[0]


def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[str],
    extra_infos: Any = None,
    **more: Any,
) -> list[float]:
    """The scores of a batch, in order: one call of the sandbox, on every core.

    verl has no value for an answer without a verdict: it scores 0, and a warning has their number.
    """
    items = list(zip(map(str, ground_truths), map(str, solution_strs), strict=True))
    return scores(_grader().grade(items))


def _grader() -> Grader:
    """One grader for each process: a sandbox does not survive a fork, and verl's workers are processes."""
    process = os.getpid()
    if process not in _graders:
        named = [name for name in os.environ.get(DOMAINS, "").split(os.pathsep) if name]
        _graders.clear()
        _graders[process] = Grader(domains=named)
    return _graders[process]
