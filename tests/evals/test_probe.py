"""The held-out probe's arithmetic."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from azr.evals.probe import as_numbers, mean_of_kinds, probe
from azr.pipeline.parts import Parts
from azr.tasks.io import verify
from azr.types import Draft, Kind, Prompt, Task

Make = Callable[..., Parts]


def test_sampled_greedy_and_pass_at_k(make_parts: Make) -> None:
    """Task n is solved by the draws whose number is below n: 0, 1 and 2 of 2."""

    def script(prompt: Prompt, draw: int) -> str:
        assert prompt.task is not None
        right = draw % 2 < int(prompt.task.inputs[0])
        return f"</think><answer>```output\n{prompt.task.inputs[0] if right else None}\n```</answer>"

    parts = make_parts(script, "evals.samples=2")
    drafts = [(Kind.DEDUCTION, Draft(program="def f(a):\n    return a", inputs=(str(n),))) for n in range(3)]
    tasks = [task for task in verify(drafts, parts.kinds, parts.sandbox) if isinstance(task, Task)]
    found = probe(parts, tasks)[Kind.DEDUCTION]
    assert found.sampled == pytest.approx(0.5) and found.passed == pytest.approx(2 / 3) and found.tasks == 3
    assert found.error == pytest.approx((1 / 6) ** 0.5 / 3**0.5)


def test_every_kind_counts_the_same(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "")
    drafts = [(Kind.DEDUCTION, Draft(program="def f(a):\n    return a", inputs=("1",)))]
    (task,) = verify(drafts, parts.kinds, parts.sandbox)
    assert isinstance(task, Task)
    one = probe(parts, [task])[Kind.DEDUCTION]
    both = mean_of_kinds(
        {Kind.DEDUCTION: replace(one, sampled=0.2), Kind.ABDUCTION: replace(one, sampled=0.8, tasks=9)}
    )
    assert both.sampled == pytest.approx(0.5) and both.tasks == 10
    assert as_numbers({Kind.DEDUCTION: one})["probe/solve/deduction/sampled"] == 0.0
