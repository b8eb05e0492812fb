"""prime-rl's verifiers: reward functions for `vf.Rubric(funcs=[...])`.

An answer without a verdict scores 0 with a warning, since rubrics have no value for it.

A rubric looks at a function's parameters and hands in what they name: `completion` and `answer` for one rollout,
`completions` and `answers` for a group. The task's text is the data set's `answer`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from azr.grading.grader import Grader
from azr.grading.messages import scores, text_of
from azr.types import Task

RewardFunction = Callable[..., Awaitable[float]]
GroupRewardFunction = Callable[..., Awaitable[list[float]]]


def rows(grader: Grader, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Rows for `datasets.Dataset.from_list`: `prompt` (messages) and `answer`."""
    made = [grader.row(task) for task in tasks]
    return [{"prompt": row["prompt"], "answer": row["task"]} for row in made]


def reward_function(grader: Grader) -> RewardFunction:
    """Scores one rollout in [0, 1], beside the event loop."""

    async def azr_reward(completion: Any, answer: str) -> float:
        (found,) = await asyncio.to_thread(grader.grade, [(answer, text_of(completion))])
        return scores([found])[0]

    return azr_reward


def group_reward_function(grader: Grader) -> GroupRewardFunction:
    """Scores a group of rollouts in one call of the sandbox."""

    async def azr_group_reward(completions: list[Any], answers: list[str]) -> list[float]:
        items = [(answer, text_of(completion)) for answer, completion in zip(answers, completions, strict=True)]
        return scores(await asyncio.to_thread(grader.grade, items))

    return azr_group_reward
