"""From episodes to a batch."""

import numpy as np
import pytest
from azr.config import resolve
from azr.types import Completion, Episode, Kind, Prompt, Role
from azr.update import make_batch


def episode(role: Role, kind: Kind, reward: float, length: int = 2, group: int = 0) -> Episode:
    prompt = Prompt(role=role, kind=kind, text="", token_ids=(1,))
    completion = Completion(prompt=prompt, text="", token_ids=(1,) * length, log_probs=(0.0,) * length, finished=True)
    return Episode(completion=completion, reward=reward, group=group)


def test_baselines_are_per_role_and_kind() -> None:
    """Six cells of very different rewards: each is centred by itself."""
    episodes = [
        episode(role, kind, 10.0 * cell + offset)
        for cell, (role, kind) in enumerate(
            (r, k) for r in Role for k in (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
        )
        for offset in (-1.0, 1.0)
    ]
    batch = make_batch(episodes, resolve({}))
    assert batch.advantages == pytest.approx([-np.sqrt(3) / 2, np.sqrt(3) / 2] * 6)
    assert batch.weights == pytest.approx([1 / 24] * 12)


def test_attempts_at_one_task_are_a_group_and_kinds_do_not_mix() -> None:
    episodes = [
        episode(Role.SOLVE, Kind.DEDUCTION, 1.0, group=5),
        episode(Role.SOLVE, Kind.DEDUCTION, 0.0, group=5),
        episode(Role.SOLVE, Kind.DEDUCTION, 1.0, group=6),
        episode(Role.SOLVE, Kind.DEDUCTION, 1.0, group=6),
        episode(Role.SOLVE, Kind.ABDUCTION, 3.0, group=5),
        episode(Role.SOLVE, Kind.ABDUCTION, 1.0, group=5),
    ]
    batch = make_batch(episodes, resolve({}, ["train.advantage=dr_grpo", "solve.answers=2"]))
    assert batch.advantages.tolist() == [0.5, -0.5, 0.0, 0.0, 1.0, -1.0]


def test_constant_aggregation_divides_by_the_token_limit() -> None:
    config = resolve({}, ["train.loss.aggregation=constant", "sampling.max_tokens=50"])
    batch = make_batch([episode(Role.SOLVE, Kind.DEDUCTION, 1.0)] * 4, config)
    assert batch.weights.tolist() == [1 / 200] * 4
