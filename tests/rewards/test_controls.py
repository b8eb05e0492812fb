"""The control configs: what is earned must not depend on what a control holds back."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from azr.pipeline.parts import Parts
from azr.propose import ask, step_prompts
from azr.reward import reward
from azr.solve import solve
from azr.types import Episode, Role, Valid, valids
from azr.validate import validate

CONTROLS = Path(__file__).parents[2] / "configs" / "controls"
Make = Callable[..., Parts]


def overrides(name: str) -> list[str]:
    """The file's keys as `a.b=c`."""

    def walk(tree: dict[str, Any], prefix: str) -> list[str]:
        found = []
        for key, value in tree.items():
            found += walk(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}={value}"]
        return found

    return walk(tomllib.loads((CONTROLS / f"{name}.toml").read_text("utf-8")), "")


def episodes(
    make_parts: Make, control: str, right: int, form: str = "</think><answer>", draws: int = 3
) -> list[Episode]:
    """Of proposals and of answers; of four answers to a task `right` are right."""

    def write(prompt: Any, draw: int) -> str:
        if prompt.role is Role.PROPOSE:
            body = f"```python\ndef f(a):\n    return [0]\n```\n```input\n{draw}\n```"
        else:
            body = f"```output\n{prompt.task.outputs[0].repr if draw % 4 < right else None}\n```"
        return f"{form if prompt.role is Role.SOLVE else '</think><answer>'}{body}</answer>"

    settings = [*overrides(control), 'tasks.kinds=["deduction"]', f"propose.batch={draws}"]
    parts = make_parts(write, *settings)
    verdicts = parts.store.admit(validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1))
    trials = solve(parts, [valid.task for valid in valids(verdicts)], 4, replace(parts.sampling(1, "trials"), seed=0))
    rows = iter(trials)
    tried = [replace(v, trials=tuple(next(rows))) if isinstance(v, Valid) else v for v in verdicts]
    return reward(parts, tried, trials, 1)


@pytest.mark.parametrize("control", ["random_reward", "format_only_reward"])
def test_neither_difficulty_nor_correctness_is_paid(make_parts: Make, control: str) -> None:
    paid = [[episode.reward for episode in episodes(make_parts, control, right)] for right in (0, 2, 4)]
    assert paid[0] == paid[1] == paid[2]
    assert any(value != paid[0][0] for value in paid[0]) == (control == "random_reward")


def test_random_rewards_are_the_same_on_average_for_valid_and_invalid_proposals(make_parts: Make) -> None:
    valid = [e.reward for e in episodes(make_parts, "random_reward", 2, draws=64) if e.role is Role.PROPOSE]
    parts = make_parts(lambda prompt, draw: "nothing", *overrides("random_reward"), "propose.batch=64")
    invalid = [
        e.reward for e in reward(parts, validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1), [], 1)
    ]
    assert set(invalid) == {0.5} and np.mean(valid) == pytest.approx(0.5, abs=0.12) and len(set(valid)) == 64


def test_the_form_alone_is_paid(make_parts: Make) -> None:
    well = [e.reward for e in episodes(make_parts, "format_only_reward", 0) if e.role is Role.SOLVE]
    badly = [e.reward for e in episodes(make_parts, "format_only_reward", 4, form="<answer>") if e.role is Role.SOLVE]
    assert set(well) == {1.0} and set(badly) == {-1.0}
