"""From verdicts and attempts to rewards."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from azr.pipeline.parts import Parts
from azr.propose import ask, step_prompts
from azr.reward import reward, reward_proposals
from azr.solve import solve
from azr.types import Episode, Kind, Reason, Rejected, Role, Valid, valids
from azr.validate import validate

Make = Callable[..., Parts]


def script(right: int, tasks: int = 1000) -> Callable[[object, int], str]:
    """Propose so many different tasks, all with the same output; of four answers, `right` are right."""

    def write(prompt: object, draw: int) -> str:
        if prompt.role is Role.PROPOSE:  # type: ignore[attr-defined]
            program = "def f(a):\n    return [0]"
            return f"</think><answer>```python\n{program}\n```\n```input\n{draw % tasks}\n```</answer>"
        gold = prompt.task.outputs[0].repr  # type: ignore[attr-defined]
        return f"</think><answer>```output\n{gold if draw % 4 < right else None}\n```</answer>"

    return write


def episodes(make_parts: Make, right: int, *overrides: str) -> list[Episode]:
    parts = make_parts(script(right), 'tasks.kinds=["deduction"]', *overrides)
    verdicts = parts.store.admit(validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1))
    rows = iter(
        solve(parts, [valid.task for valid in valids(verdicts)], 4, replace(parts.sampling(1, "trials"), seed=0))
    )
    tried = [replace(v, trials=tuple(next(rows))) if isinstance(v, Valid) else v for v in verdicts]
    return reward(parts, tried, [], 1)


@pytest.mark.parametrize(("right", "expected"), [(0, -0.5), (1, 0.75), (2, 0.5), (3, 0.25), (4, -0.5)])
def test_proposer_as_in_the_published_runs(make_parts: Make, right: int, expected: float) -> None:
    assert [episode.reward for episode in episodes(make_parts, right)] == [expected] * 3


@pytest.mark.parametrize("right", [0, 4])
def test_proposer_as_in_the_papers_text(make_parts: Make, right: int) -> None:
    found = episodes(make_parts, right, "reward.proposer.extremes=0.0")
    assert [episode.reward for episode in found] == [0.0] * 3


def test_invalid_proposals_earn_minus_one(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "nothing")
    found = reward_proposals(parts, validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1), 1)
    assert [episode.reward for episode in found] == [-1.0] * 9


def test_terms_are_bounded_and_added_only_to_learnable_tasks(make_parts: Make) -> None:
    term = 'reward.proposer.terms=[{name="edit_distance", coefficient=100.0, maximum=0.3}]'
    assert [episode.reward for episode in episodes(make_parts, 2, term)] == pytest.approx([0.8] * 3)
    assert [episode.reward for episode in episodes(make_parts, 0, term)] == [-0.5] * 3


def test_terms_can_ask_the_memory(make_parts: Make) -> None:
    term = 'reward.proposer.terms=[{name="answer_diversity"}]'
    (first, *_) = episodes(make_parts, 2, term)
    # Four tasks are stored: the identity one and three with this answer; of the three others, two have it too.
    assert first.reward == pytest.approx(0.5 + 1 - 2 / 3)


def test_duplicates_are_paid_or_rejected_as_the_config_says(make_parts: Make) -> None:
    parts = make_parts(script(2, tasks=1), 'tasks.kinds=["deduction"]', "reward.proposer.duplicates=reject")
    verdicts = parts.store.admit(validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1))
    reasons = [verdict.reason if isinstance(verdict, Rejected) else None for verdict in verdicts]
    assert reasons == [None, Reason.DUPLICATE, Reason.DUPLICATE]
    assert parts.store.count(Kind.DEDUCTION) == 2


def test_paid_duplicates_are_not_stored_twice(make_parts: Make) -> None:
    parts = make_parts(script(2, tasks=1), 'tasks.kinds=["deduction"]')
    first, second, third = parts.store.admit(validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1))
    assert isinstance(first, Valid) and isinstance(second, Valid) and isinstance(third, Valid)
    assert first.duplicate_of is None and second.duplicate_of == third.duplicate_of == first.task.id
    assert parts.store.count(Kind.DEDUCTION) == 2


def test_solver_table_and_groups(make_parts: Make) -> None:
    texts = [
        "</think><answer>```output\n1\n```</answer>",
        "</think><answer>```output\n0\n```</answer>",
        "```output\n1\n```",
    ]
    parts = make_parts(lambda prompt, draw: texts[draw % 3], 'tasks.kinds=["deduction"]', "solve.answers=3")
    tasks = parts.store.serve(1)
    attempts = solve(parts, tasks, 3, replace(parts.sampling(1, "solve"), seed=0))
    found = reward(parts, [], attempts, 1)
    expected = {"'Hello world'": -0.5, "1": 1.0}
    gold = tasks[0].outputs[0].repr
    assert [episode.reward for episode in found[:3]] == [expected[gold] if gold == "1" else -0.5, -0.5, -1.0]
    assert {episode.group for episode in found} == {task.id for task in tasks}


def test_attempts_train_the_solver_only_if_asked(make_parts: Make) -> None:
    assert len(episodes(make_parts, 2)) == 3
    assert len(episodes(make_parts, 2, "solve.train_on_trials=true")) == 3 + 3 * 4


def test_a_frozen_proposer_is_not_trained(make_parts: Make) -> None:
    assert episodes(make_parts, 2, "propose.train=false") == []
