"""Advantages against small cases worked out by hand."""

import itertools
import math

import numpy as np
import pytest
from azr.trainer.advantages import ADVANTAGES, AdvantageInputs
from azr.util.registry import resolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def compute(
    name: str,
    rewards: list[float],
    lengths: list[int] | None = None,
    cells: list[int] | None = None,
    groups: list[int] | None = None,
    answers: list[bool] | None = None,
    k: int = 1,
) -> list[float]:
    count = len(rewards)
    inputs = AdvantageInputs(
        rewards=np.array(rewards, dtype=np.float64),
        lengths=np.array(lengths or [1] * count),
        cells=np.array(cells or [0] * count),
        groups=np.array(groups or [0] * count),
        answers=np.array(answers or [True] * count),
        k=k,
    )
    return [round(float(a), 6) for a in resolve(ADVANTAGES, name, "train.advantage")(inputs)]


def test_trr_sequence_whitens_each_cell_by_itself() -> None:
    # Cell 0: mean 0, unbiased variance 2. Cell 1: mean 3, variance 2.
    assert compute("trr_sequence", [1, -1, 4, 2], cells=[0, 0, 1, 1]) == [0.707107, -0.707107, 0.707107, -0.707107]


def test_trr_token_weighs_by_length() -> None:
    # T = 4, mean = (1*1 + 3*0)/4 = 0.25, variance = (0.5625 + 3*0.0625)/4 * 4/3 = 0.25, deviation 0.5.
    assert compute("trr_token", [1, 0], lengths=[1, 3]) == [1.5, -0.5]


def test_hierarchical_takes_the_tasks_mean_and_the_cells_for_single_answers() -> None:
    # Groups 5 (mean 0.5) and 6 (mean 0); the single one of group 7 against its cell's mean 0.4.
    assert compute("hierarchical", [1, 0, 0, 0, 1], groups=[5, 5, 6, 6, 7]) == [0.5, -0.5, 0.0, 0.0, 0.6]


def test_grpo_divides_by_the_groups_deviation() -> None:
    # Mean 0.5, unbiased deviation 0.57735.
    assert compute("grpo", [1, 0, 1, 0]) == [0.865875, -0.865875, 0.865875, -0.865875]


def test_dr_grpo_only_centres() -> None:
    assert compute("dr_grpo", [1, 0, 0, 0]) == [0.75, -0.25, -0.25, -0.25]


def test_rloo_leaves_the_own_reward_out() -> None:
    # 1 - mean(0, 0, 2) and so on.
    assert compute("rloo", [1, 0, 0, 2]) == [0.333333, -1.0, -1.0, 1.666667]


def test_maxrl_divides_by_the_share_of_right_answers() -> None:
    # One of four is right: (1 - 1/4) / (1/4) and (0 - 1/4) / (1/4).
    assert compute("maxrl", [1, -0.5, -1, -0.5]) == [3.0, -1.0, -1.0, -1.0]
    assert compute("maxrl", [-0.5, -1, -0.5, -0.5]) == [0.0] * 4


def test_reinforce_half_learns_only_right_answers_to_tasks_that_are_not_mastered() -> None:
    assert compute("reinforce_half", [1, -0.5, 1, -0.5]) == [1.0, 0.0, 1.0, 0.0]
    assert compute("reinforce_half", [1, 1, 1, -0.5]) == [0.0] * 4


@pytest.mark.parametrize("name", ["maxrl", "pass_at_k", "reinforce_half"])
def test_objectives_for_reach_compare_proposals_of_a_kind_by_their_rewards(name: str) -> None:
    found = compute(
        name, [0.5, -0.5, 1, 0], cells=[0, 0, 1, 1], groups=[0, 0, 1, 1], answers=[False, False, True, True]
    )
    assert found[:2] == [0.5, -0.5]


def test_a_fraction_of_a_right_answer_is_not_right() -> None:
    assert compute("maxrl", [1.0, 0.5]) == [1.0, -1.0]


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("chance", [0.1, 0.5, 0.8])
def test_pass_at_k_is_the_gradient_without_bias(k: int, chance: float) -> None:
    """The expectation over all outcomes of four answers against the derivative of 1 - (1 - p)^k, both by p."""
    n, found = 4, 0.0
    for outcome in itertools.product([0, 1], repeat=n):
        likely = math.prod(chance if right else 1 - chance for right in outcome)
        slopes = [1 / chance if right else -1 / (1 - chance) for right in outcome]
        found += likely * float(np.dot(compute("pass_at_k", list(outcome), k=k), slopes)) / n
    assert found == pytest.approx(k * (1 - chance) ** (k - 1), abs=1e-4)


def test_pass_at_1_is_rloo() -> None:
    assert compute("pass_at_k", [1, 0, 0, 1], k=1) == compute("rloo", [1, 0, 0, 1])


def test_pass_at_k_asks_no_more_than_a_group_has() -> None:
    assert compute("pass_at_k", [1, 0], k=9) == compute("pass_at_k", [1, 0], k=1)


@pytest.mark.parametrize("name", ADVANTAGES)
def test_constant_rewards_give_zeros(name: str) -> None:
    assert (
        compute(name, [0.3] * 6, lengths=[1, 2, 3, 4, 5, 6], cells=[0, 0, 0, 1, 1, 1], groups=[0, 0, 0, 1, 1, 1])
        == [0.0] * 6
    )


@pytest.mark.parametrize("name", sorted({*ADVANTAGES} - {"hierarchical"}))
def test_a_single_episode_gives_zero(name: str) -> None:
    assert compute(name, [1.0], lengths=[7]) == [0.0]


@given(
    hnp.arrays(np.float64, 24, elements=st.floats(-1, 1)),
    hnp.arrays(np.int64, 24, elements=st.integers(1, 50)),
)
@pytest.mark.parametrize(("name", "by_token"), [("trr_token", True), ("trr_sequence", False)])
def test_whitened_cells_have_mean_zero_and_variance_one(
    name: str, by_token: bool, rewards: np.ndarray, lengths: np.ndarray
) -> None:
    cells = np.repeat([0, 1, 2], 8)
    inputs = AdvantageInputs(
        rewards=rewards, lengths=lengths, cells=cells, groups=np.arange(24), answers=np.full(24, True)
    )
    result = resolve(ADVANTAGES, name, "train.advantage")(inputs)
    for cell in range(3):
        a, w = result[cells == cell], (lengths if by_token else np.ones(24))[cells == cell]
        if np.ptp(rewards[cells == cell]) < 1e-3:
            continue
        mean = (w * a).sum() / w.sum()
        assert mean == pytest.approx(0.0, abs=1e-6)
        assert (w * (a - mean) ** 2).sum() / (w.sum() - 1) == pytest.approx(1.0, rel=0.1)


@pytest.mark.torch
def test_group_advantages_equal_those_of_trl() -> None:
    """TRL's GRPO: rewards in rows of one prompt; centred, divided by the row's deviation + 1e-4."""
    import torch

    rewards = torch.tensor([[1.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1.0]])
    expected = (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)
    found = compute("grpo", rewards.flatten().tolist(), groups=[0, 0, 0, 0, 1, 1, 1, 1])
    assert found == pytest.approx(expected.flatten().tolist(), abs=1e-5)
