"""What an answer earns."""

import pytest
from azr.rewards import SOLVER, AttemptFacts
from azr.util.registry import resolve


@pytest.mark.parametrize(
    ("name", "unformatted_right", "formatted_wrong", "formatted_right", "graded"),
    [("conditional", -1.0, -0.5, 1.0, 0.4), ("addition", 1.0, 0.5, 1.5, 0.9), ("multiply", 0.0, 0.0, 1.0, 0.4)],
)
def test_reward_table(
    name: str, unformatted_right: float, formatted_wrong: float, formatted_right: float, graded: float
) -> None:
    reward = resolve(SOLVER, name, "reward.solver.name")
    assert reward(AttemptFacts(score=1.0, formatted=False)) == unformatted_right
    assert reward(AttemptFacts(score=0.0, formatted=True)) == formatted_wrong
    assert reward(AttemptFacts(score=1.0, formatted=True)) == formatted_right
    assert reward(AttemptFacts(score=0.4, formatted=True)) == graded


def test_random_does_not_look_at_the_answer() -> None:
    reward = resolve(SOLVER, "random", "reward.solver.name")
    for noise, expected in ((0.49, 1.0), (0.51, -0.5)):
        assert {reward(AttemptFacts(score=s, formatted=f, noise=noise)) for s in (0, 1) for f in (0, 1)} == {expected}
