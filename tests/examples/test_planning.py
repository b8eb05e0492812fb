"""The planning domain: what a plan earns, and what attacks on its verifier earn."""

from collections.abc import Callable, Sequence

import pytest
from azr.domains.domain import Domain
from azr.tasks.io import verify
from azr.types import Answer, Draft, Kind, Reason, Task

NAME = "planning"
PROGRAM = "import planning\n\ndef f(field):\n    return planning.problem(field)"
FIELD = {
    "seasons": 2, "yields": {"wheat": [5, 3], "beans": [2, 4]}, "family": {"wheat": "grass", "beans": "pulse"},
    "most": 1,
}  # fmt: skip
Check = Callable[[Task, Sequence[str]], list[Answer]]


def propose(example: Domain, field: object) -> Task | Reason:
    draft = Draft(program=PROGRAM, inputs=(repr(field),))
    (made,) = verify([(Kind("planning.plan"), draft)], example.kinds, example.sandbox)
    return made


@pytest.fixture
def task(example: Domain) -> Task:
    made = propose(example, FIELD)
    assert isinstance(made, Task)
    return made


def test_a_plan_earns_its_share_of_the_best_yield(task: Task, check: Check) -> None:
    assert task.outputs[0].to_python()["best"] == 14  # type: ignore[index]
    best, half, nothing = check(
        task, ["[['wheat', 'beans'], ['beans', 'wheat']]", "[['beans', ''], ['wheat', '']]", "[['', ''], ['', '']]"]
    )
    assert (best.score, half.score, nothing.score) == (1.0, 0.5, 0.0)
    assert (best.reason, half.reason, nothing.reason) == ("correct", "graded", "wrong")


ATTACKS = {
    "a season too many": "[['wheat', 'beans'], ['beans', 'wheat'], ['wheat', 'beans']]",
    "one family twice running": "[['wheat', ''], ['wheat', '']]",
    "one crop on too many plots": "[['wheat', 'wheat'], ['beans', '']]",
    "a plot too many": "[['wheat', 'beans', 'wheat'], ['beans', 'wheat', 'beans']]",
    "a crop that there is not": "[['gold', 'gold'], ['', '']]",
    "numbers for crops": "[[5, 4], [2, 3]]",
    "the score itself": "1.0",
    "an object that says it is equal": "type('E', (), {'__eq__': lambda s, o: True})()",
    "code for a plan": "__import__('planning').__dict__.update(total=lambda f, p: 14) or [['', ''], ['', '']]",
    "a task of one's own": "{'outputs': [{'best': 1}], 'plan': [['wheat', 'beans']]}",
    "text that ends the call": "[['', ''], ['', '']]) or 1.0 #",
    "a plan without end": "[" * 200 + "]" * 200,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_verifier_scores_0(task: Task, check: Check, name: str) -> None:
    (answer,) = check(task, [ATTACKS[name]])
    assert answer.score == 0.0, answer


@pytest.mark.parametrize(
    "change",
    [
        {"seasons": 0}, {"seasons": True}, {"seasons": 9}, {"yields": {}}, {"yields": {"wheat": [5.5, 1]}},
        {"yields": {"wheat": [0, 0], "beans": [0, 0]}}, {"yields": {"wheat": [1], "beans": [1, 2]}}, {"most": 0},
        {"family": {"wheat": "grass"}}, {"best": 1}, {"yields": {"wheat": [10**9, 1], "beans": [1, 1]}},
    ],
    ids=str,
)  # fmt: skip
def test_a_field_that_is_none_is_no_task(example: Domain, change: dict[str, object]) -> None:
    assert propose(example, FIELD | change) is Reason.RAISED


def test_the_best_yield_is_the_best_of_all_plans(example: Domain, check: Check) -> None:
    """Against trying every plan of a small field."""
    from itertools import product

    field = {"seasons": 2, "yields": {"rye": [4, 6], "beet": [3, 7]}, "family": {"rye": "a", "beet": "b"}, "most": 1}
    made = propose(example, field)
    assert isinstance(made, Task)
    seasons = [list(crops) for crops in product(["", "rye", "beet"], repeat=2)]
    plans = [repr([first, second]) for first in seasons for second in seasons]
    assert max(answer.score for answer in check(made, plans)) == 1.0
