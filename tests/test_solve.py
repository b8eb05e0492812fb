"""Answers are checked, each by what its kind asks for."""

from collections.abc import Callable

import pytest
from azr.pipeline.parts import Parts
from azr.solve import solve
from azr.tasks.io import verify
from azr.types import Draft, Kind, Task

Make = Callable[..., Parts]
DOUBLE = "def f(a):\n    return a * 2"


def task(parts: Parts, kind: Kind, program: str = DOUBLE, inputs: tuple[str, ...] = ("3",)) -> Task:
    (made,) = verify([(kind, Draft(program=program, inputs=inputs, message="m"))], parts.kinds, parts.sandbox)
    assert isinstance(made, Task)
    return made


def result(make_parts: Make, kind: Kind, answer: str, *overrides: str, **shape: object) -> tuple[float, str]:
    tag = {Kind.ABDUCTION: "input", Kind.INDUCTION: "python"}.get(kind, "output")
    parts = make_parts(lambda prompt, draw: f"</think><answer>```{tag}\n{answer}\n```</answer>", *overrides)
    ((attempt,),) = solve(parts, [task(parts, kind, **shape)], 1, parts.sampling(1, "solve"))  # type: ignore[arg-type]
    assert attempt.formatted
    return attempt.score, attempt.reason


@pytest.mark.parametrize(("answer", "score"), [("6", 1.0), (" 6 ", 1.0), ("7", 0.0), ("six", 0.0), ("3 * 2", 0.0)])
def test_deduction(make_parts: Make, answer: str, score: float) -> None:
    assert result(make_parts, Kind.DEDUCTION, answer)[0] == score


def test_types_count_unless_the_reproducing_switch_is_on(make_parts: Make) -> None:
    assert result(make_parts, Kind.DEDUCTION, "6.0")[0] == 0.0
    assert result(make_parts, Kind.DEDUCTION, "6.0", "tasks.comparison=python")[0] == 1.0


@pytest.mark.parametrize(("program", "answer"), [("def f(a):\n    return a * a", "-3"), (DOUBLE, "4.5")])
def test_any_input_that_gives_the_output_is_right(make_parts: Make, program: str, answer: str) -> None:
    switch = "tasks.comparison=python"
    assert (
        result(
            make_parts, Kind.ABDUCTION, answer, switch, program=program, inputs=("3",) if "-" in answer else ("4.5",)
        )[0]
        == 1.0
    )


def test_a_multi_line_input_is_read_whole(make_parts: Make) -> None:
    program = "def f(a, b):\n    return a + b"
    assert result(make_parts, Kind.ABDUCTION, "[1,\n 2],\n[3]", program=program, inputs=("[1], [2, 3]",))[0] == 1.0


HALF = "def f(a):\n    return a * 2 if a < 3 else None"


@pytest.mark.parametrize(
    ("answer", "mode", "score"),
    [
        (DOUBLE, "binary", 1.0),
        ("def f(x): return x + x", "binary", 1.0),
        (HALF, "binary", 0.0),
        (HALF, "accuracy", 0.5),
        (HALF, "any", 1.0),
        ("def f(x): return {0: 0, 1: 2}.get(x)", "any", 0.0),
        ("def g(x): return 2 * x", "binary", 0.0),
    ],
)
def test_induction_is_graded_on_the_hidden_pairs_alone(make_parts: Make, answer: str, mode: str, score: float) -> None:
    shape = {"inputs": ("0", "1", "2", "3")}
    assert result(make_parts, Kind.INDUCTION, answer, f"tasks.induction_score={mode}", **shape)[0] == score


def test_the_denominator_is_the_number_of_hidden_pairs_even_if_answers_are_none(make_parts: Make) -> None:
    shape = {"inputs": ("0", "1", "2", "3"), "program": "def f(a):\n    return None if a == 2 else a"}
    score, _ = result(make_parts, Kind.INDUCTION, "def f(a): return a", "tasks.induction_score=accuracy", **shape)
    assert score == 0.5


@pytest.mark.parametrize(
    ("answer", "score"), [("KeyError", 1.0), ("keyerror: 3", 1.0), ("NoError", 0.0), ("Key Error", 0.0)]
)
def test_error(make_parts: Make, answer: str, score: float) -> None:
    assert result(make_parts, Kind.ERROR, answer, program="def f(a):\n    return {}[a]")[0] == score


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hm", "no_answer"),
        ("</think><answer>6</answer>", "missing_block"),
        ("</think><answer>```output\n6</answer>", "unclosed_block"),
        ("</think><answer>```output\n6\n```\n```output\n6\n```</answer>", "several_blocks"),
    ],
)
def test_what_cannot_be_read_scores_nothing_and_says_why(make_parts: Make, text: str, reason: str) -> None:
    parts = make_parts(lambda prompt, draw: text)
    ((attempt,),) = solve(parts, [task(parts, Kind.DEDUCTION)], 1, parts.sampling(1, "solve"))
    assert (attempt.score, attempt.reason, attempt.formatted, attempt.text) == (0.0, reason, False, None)


def test_attempts_keep_the_order_of_tasks_across_kinds(make_parts: Make) -> None:
    def script(prompt: object, draw: int) -> str:
        tag, answer = ("output", "6") if prompt.kind is Kind.DEDUCTION else ("input", "3")  # type: ignore[attr-defined]
        return f"</think><answer>```{tag}\n{answer if draw % 2 else 'None'}\n```</answer>"

    parts = make_parts(script)
    tasks = [task(parts, kind) for kind in (Kind.DEDUCTION, Kind.ABDUCTION, Kind.DEDUCTION)]
    rows = solve(parts, tasks, 2, parts.sampling(1, "solve"))
    assert [[attempt.task.kind for attempt in row] for row in rows] == [[t.kind] * 2 for t in tasks]
    assert all({attempt.score for attempt in row} == {0.0, 1.0} for row in rows)
