"""Micro-batches dealt to ranks: everything once, the same number for all, about the same work."""

import numpy as np
import pytest
from azr.trainer.balance import cost, deal
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role

pytestmark = pytest.mark.torch


def batch(lengths: list[int]) -> Batch:
    episodes = tuple(
        Episode(
            completion=Completion(
                prompt=Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=(n, *range(9))),
                text="", token_ids=(1,) * length, log_probs=(0.0,) * length, finished=True,
            ),
            reward=0.0,
        )
        for n, length in enumerate(lengths)
    )  # fmt: skip
    return Batch(episodes=episodes, advantages=np.zeros(len(lengths)), weights=np.zeros(len(lengths)))


@pytest.mark.parametrize("world", [1, 2, 4, 7])
def test_every_episode_is_dealt_once_and_all_get_the_same_number(world: int) -> None:
    given = batch(list(np.random.default_rng(0).integers(1, 4000, 60)))
    dealt = deal(given, 8192, world)
    assert sorted(row for cuts in dealt for rows in cuts for row in rows) == list(range(60))
    assert len(dealt) == world and len({len(cuts) for cuts in dealt}) == 1


def test_no_rank_has_much_more_work_than_the_others() -> None:
    given = batch(list(np.random.default_rng(1).integers(1, 4000, 400)))
    loads = [sum(cost(given, rows) for rows in cuts if rows) for cuts in deal(given, 8192, 4)]
    assert max(loads) < 1.1 * min(loads)


def test_more_ranks_than_episodes_leave_some_with_nothing() -> None:
    dealt = deal(batch([5, 5]), 8192, 4)
    assert sorted(len(rows) for cuts in dealt for rows in cuts) == [0, 0, 1, 1]


def test_long_sequences_cost_more_than_their_tokens() -> None:
    given = batch([8182, *[2038] * 4])
    assert cost(given, [0]) > 2 * cost(given, [1, 2, 3, 4])
