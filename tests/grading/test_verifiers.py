"""The adapter for prime-rl's verifiers, called as `verifiers.Rubric` calls reward functions."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from azr.grading import Grader
from azr.grading.verifiers import group_reward_function, reward_function, rows
from azr.types import Kind, Task

# Parameter names by which a rubric knows a group function; see verifiers/rubrics/rubric.py.
GROUP_WORDS = {"states", "prompts", "completions", "answers", "tasks", "infos"}


def call(function: Callable[..., Any], offered: dict[str, Any]) -> Any:
    """Hand in what the parameters name, and await the result, as a rubric does."""
    wanted = inspect.signature(function).parameters
    assert all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in wanted.values())
    return asyncio.run(function(**{name: value for name, value in offered.items() if name in wanted}))


def state(row: dict[str, Any], text: str) -> dict[str, Any]:
    """What a rubric knows of a rollout."""
    completion = [{"role": "assistant", "content": text}]
    given = {"prompt": row["prompt"], "completion": completion, "answer": row["answer"]}
    return given | {"state": {}, "info": {}, "task": ""}


def test_single_rollouts(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    function = reward_function(grader)
    assert not set(inspect.signature(function).parameters) & GROUP_WORDS
    assert function.__name__ == "azr_reward"
    for row, task in zip(rows(grader, tasks), tasks, strict=True):
        assert call(function, state(row, right[task.kind])) == 1.0
        assert call(function, state(row, "nothing")) == 0.0


def test_groups(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    function = group_reward_function(grader)
    assert set(inspect.signature(function).parameters) <= GROUP_WORDS
    states = [state(row, right[t.kind]) for row, t in zip(rows(grader, tasks), tasks, strict=True)]
    states[1]["completion"] = [{"role": "assistant", "content": "nothing"}]
    offered = {f"{name}s": [s[name] for s in states] for name in ("prompt", "completion", "answer", "state", "info")}
    assert call(function, offered) == [1.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "completion",
    [
        "<answer>\n```output\n[7, 7]\n```\n</answer>",
        [{"role": "assistant", "content": [{"type": "text", "text": "<answer>\n```output\n[7, 7]\n```\n</answer>"}]}],
        [
            {"role": "assistant", "content": "a first try"},
            {"role": "user", "content": "<answer>\n```output\n0\n```\n</answer>"},
            {"role": "assistant", "content": "<answer>\n```output\n[7, 7]\n```\n</answer>"},
        ],
    ],
    ids=["text", "parts", "turns"],
)
def test_every_form_of_a_completion_is_read(grader: Grader, tasks: list[Task], completion: Any) -> None:
    row = rows(grader, tasks)[0]
    assert call(reward_function(grader), state(row, "") | {"completion": completion}) == 1.0


def test_many_rollouts_at_once_do_not_wait_for_each_other(
    grader: Grader, tasks: list[Task], right: dict[Kind, str]
) -> None:
    function, row = reward_function(grader), rows(grader, tasks)[0]

    async def all_at_once() -> list[float]:
        return await asyncio.gather(*[function(right[Kind.DEDUCTION], row["answer"]) for _ in range(32)])

    assert asyncio.run(all_at_once()) == [1.0] * 32
