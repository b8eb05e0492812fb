"""Extra terms of the proposer's reward."""

import pytest
from azr.rewards import TERMS, ProposalFacts
from azr.types import Kind, Task
from azr.util.registry import resolve

BRANCHY = "def f(a):\n    for x in a:\n        if x > 1:\n            if x > 2:\n                return x\n    return 0"
FLAT = "def f(a):\n    return a"


def task(program: str) -> Task:
    return Task(kind=Kind.DEDUCTION, program=program, inputs=("1",), outputs=())


def value(name: str, program: str, *references: str) -> float:
    facts = ProposalFacts(task=task(program), solve_rate=0.5, references=[task(r) for r in references])
    return float(resolve(TERMS, name, "terms")(facts))


def test_complexity_counts_nesting() -> None:
    # Cognitive complexity: for 1, if 2 (nested once), if 3 (nested twice).
    assert value("complexity", BRANCHY) == pytest.approx(6 / 15)
    assert value("complexity", FLAT) == 0.0


def test_edit_distance_is_the_mean_over_references() -> None:
    assert value("edit_distance", FLAT, FLAT) == 0.0
    far = value("edit_distance", BRANCHY, FLAT)
    assert 0.3 < far < 1.0
    assert value("edit_distance", BRANCHY, FLAT, BRANCHY) == pytest.approx(far / 2)
    assert value("edit_distance", FLAT) == 0.0


def test_halstead_grows_with_the_program_and_stays_below_one() -> None:
    # FLAT has no operators, so only the cyclomatic part counts: 0.3 * 1/10.
    assert value("halstead", FLAT) == pytest.approx(0.03)
    assert value("halstead", FLAT) < value("halstead", BRANCHY) < 1.0


@pytest.mark.parametrize("name", ["complexity", "edit_distance", "halstead"])
def test_hostile_nesting_costs_nothing(name: str) -> None:
    assert value(name, "x = " + "not " * 15_000 + "1", "(" * 9000) == 0.0


class Memory:
    def surprise(self, task: Task) -> float:
        return 0.75

    def nearest(self, task: Task) -> float:
        return 0.25

    def cluster_share(self, task: Task) -> float:
        return 0.5


def test_terms_that_ask_the_memory() -> None:
    facts = ProposalFacts(task=task(FLAT), solve_rate=0.5, history=Memory())
    found = {name: resolve(TERMS, name, "t")(facts) for name in ("answer_diversity", "novelty", "cluster_share")}
    assert found == {"answer_diversity": 0.75, "novelty": 0.75, "cluster_share": 0.5}
