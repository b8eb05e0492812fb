"""A composite's program really uses the earlier programs."""

import pytest
from azr.config.schema import CompositeConfig
from azr.tasks.composite import fits, knobs_at, rename
from azr.types import Kind, Task


@pytest.mark.parametrize(
    ("program", "count", "good"),
    [
        ("def f(x):\n    return g_0(x) + 1", 1, True),
        ("def f(x):\n    y = x + 1\n    return g_0(y) + g_1([z for z in x])", 2, True),
        ("def f(x):\n    return g_0(len(x))", 1, True),
        ("def f(x):\n    return g_0(3) + x", 1, False),
        ("def f(x):\n    return g_0(x)", 2, False),
        ("def f(x):\n    return g_0(outer)", 1, False),
        ("def g_0(x):\n    return 1\ndef f(x):\n    return g_0(x)", 1, False),
        ("def f(x):\n    g_0 = len\n    return g_0(x)", 1, False),
        ("def h(x):\n    return g_0(x)\ndef f(x):\n    return x", 1, False),
        ("def f(x:", 1, False),
    ],
)
def test_fits(program: str, count: int, good: bool) -> None:
    assert fits(program, count) is good


def test_rename_changes_the_definition_and_its_calls() -> None:
    task = Task(kind=Kind.DEDUCTION, program="def f(n):\n    return n and f(n - 1)", inputs=("3",), outputs=())
    renamed = rename(task, 2)
    assert renamed is not None and renamed.program == "def g_2(n):\n    return n and g_2(n - 1)"


def test_schedule_rises_from_step_101_every_50_steps_to_its_top() -> None:
    config = CompositeConfig(at_most=1, schedule=True)
    at = {step: knobs_at(config, step) for step in (100, 101, 150, 151, 10_000)}
    assert [at[step].at_most for step in at] == [1, 2, 2, 3, 3]
    assert [round(at[step].chance, 3) for step in at] == [0.5, 0.51, 0.51, 0.52, 0.8]


def test_off_by_default_and_before_the_start_step() -> None:
    assert knobs_at(CompositeConfig(), 50).chance == 0.0
    assert knobs_at(CompositeConfig(at_most=3, start_step=10), 9).chance == 0.0
    assert knobs_at(CompositeConfig(at_most=3, start_step=10), 10).chance == 0.5
