"""TRL: a reward function for `GRPOTrainer(reward_funcs=[...])` and similar trainers, and one for its command line:

    trl grpo --model_name_or_path MODEL --dataset_name DATA --reward_funcs azr.grading.trl.azr_reward

DATA: of `azr export`. TRL calls it with keywords: `prompts`, `completions`, and every other column of the data set as a
list. Domains other than plain Python are named in `AZR_DOMAINS`, separated by `os.pathsep`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from azr.errors import GradingError
from azr.grading.grader import Grader, Row
from azr.grading.messages import text_of
from azr.grading.shared import named_domains, shared
from azr.grading.versions import require_if_installed
from azr.types import Task

COLUMN = "task"
RewardFunction = Callable[..., list[float | None]]
"""None: the row has no verdict; TRL skips it."""


def rows(grader: Grader, tasks: Sequence[Task]) -> list[Row]:
    """Rows for `datasets.Dataset.from_list`: `prompt` (messages) and `task`."""
    return [grader.row(task) for task in tasks]


def reward_function(grader: Grader, column: str = COLUMN) -> RewardFunction:
    """A function that scores each completion in [0, 1] by its row's `column`."""

    def azr_reward(*, completions: Sequence[Any], **columns: Any) -> list[float | None]:
        if column not in columns:
            raise GradingError(f"the data set has no column {column!r}: make its rows by azr.grading.trl.rows")
        if len(columns[column]) != len(completions):
            given = f"{len(completions)} completions and {len(columns[column])} values of {column!r}"
            raise GradingError(f"{given}: each completion needs its own")
        texts = [text_of(completion) for completion in completions]
        answers = grader.grade(list(zip(columns[column], texts, strict=True)))
        return [None if answer.failed else answer.score for answer in answers]

    return azr_reward


def azr_reward(*, completions: Sequence[Any], **columns: Any) -> list[float | None]:
    """The reward function of this process, by its name, for `--reward_funcs`."""
    require_if_installed("trl")
    return reward_function(shared(named_domains()))(completions=completions, **columns)
