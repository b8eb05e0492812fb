"""verl: name this file as `reward.custom_reward_function.path`, with `name=compute_score`.

verl's reward managers call it once an answer by keyword (`data_source, solution_str, ground_truth, extra_info`), and
await it: what one event loop asks at a time is graded in one call of the sandbox. `ground_truth` is the task's text.
Domains other than plain Python are named in `AZR_DOMAINS`, folders or installed names, separated by `os.pathsep`.
"""

from collections.abc import Sequence
from typing import Any

from azr.errors import GradingError
from azr.grading.grader import NOT_A_TASK, Grader
from azr.grading.messages import scores
from azr.grading.shared import named_domains, shared_async
from azr.grading.versions import require_if_installed
from azr.types import Task

DATA_SOURCE = "azr"


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


async def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Any = None, **more: Any
) -> float:
    """The score of one answer, in [0, 1].

    verl has no value for an answer without a verdict: it scores 0, with a warning.
    """
    require_if_installed("verl")
    (answer,) = await shared_async(named_domains()).grade([(ground_truth, solution_str)])
    if answer.reason == NOT_A_TASK:
        raise GradingError(answer.error)
    return scores([answer])[0]
