"""What a valid proposal earns, by solve rate."""

from dataclasses import replace

import pytest
from azr.errors import RegistryError
from azr.rewards import PROPOSER, ProposalFacts
from azr.types import Kind, Task
from azr.util.registry import resolve

TASK = Task(kind=Kind.DEDUCTION, program="def f(a):\n    return a", inputs=("1",), outputs=())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("azr", {0.0: 0.0, 0.125: 0.875, 0.5: 0.5, 0.875: 0.125, 1.0: 0.0}),
        ("inverse", {0.0: 1.0, 0.25: 0.75, 1.0: 0.0}),
        ("learnability", {0.0: 0.0, 0.25: 0.75, 0.5: 1.0, 0.75: 0.75, 1.0: 0.0}),
        ("rzero", {0.0: 0.0, 0.25: 0.5, 0.5: 1.0, 1.0: 0.0}),
        ("random", {0.0: 0.3, 1.0: 0.3}),
    ],
)
def test_reward_table(name: str, expected: dict[float, float]) -> None:
    reward = resolve(PROPOSER, name, "reward.proposer.name")
    found = {p: reward(ProposalFacts(task=TASK, solve_rate=p, noise=0.3)) for p in expected}
    assert found == expected


def half(facts: ProposalFacts) -> float:
    return facts.solve_rate / 2


def test_a_users_function_is_found_by_its_path() -> None:
    reward = resolve(PROPOSER, f"{__name__}:half", "reward.proposer.name")
    assert reward(ProposalFacts(task=TASK, solve_rate=0.5)) == 0.25


@pytest.mark.parametrize(
    ("name", "message"),
    [("azrr", "did you mean azr"), ("nowhere.module:f", "No module"), ("azr.types:missing", "has no attribute")],
)
def test_a_name_that_is_not_there_is_an_error_of_the_user(name: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        resolve(PROPOSER, name, "reward.proposer.name")


def aimed(program: str, rate: float, target: str | None) -> float:
    made = Task(kind=Kind.DEDUCTION, program=program, inputs=("1",), outputs=())
    wanted = replace(made, program=target) if target is not None else None
    facts = ProposalFacts(task=made, solve_rate=rate, target=wanted)
    return float(resolve(PROPOSER, "stepping_stone", "reward.proposer.name")(facts))


def test_a_stepping_stone_pays_for_what_is_solved_lies_on_the_way_and_is_shorter() -> None:
    target = "def f(a):\n    a = a + 1\n    a = a * 3\n    return a - 4"
    # Two operations of three, three lines of four in common.
    assert aimed("def f(a):\n    a = a + 1\n    a = a * 3\n    return a", 0.5, target) == pytest.approx(0.5 * 3 / 4 / 3)
    assert aimed("def f(a):\n    b = a + 1\n    return b", 0.5, target) == pytest.approx(0.5 * 1 / 4 * 2 / 3)
    assert aimed(target, 1.0, target) == 0.0
    assert aimed("def f(a):\n    return a", 0.0, target) == 0.0


def test_a_proposal_that_aims_at_nothing_is_paid_by_learnability() -> None:
    assert aimed("def f(a):\n    return a", 0.25, None) == pytest.approx(0.75)
