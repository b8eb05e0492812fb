"""Tasks with right and wrong answers, for every adapter."""

import pytest
from azr.grading import Grader
from azr.tasks.io import verify
from azr.types import Draft, Kind, Task

PROGRAM = "def f(a, b=2):\n    return [a] * b"
RIGHT = {
    Kind.DEDUCTION: "```output\n[7, 7]\n```",
    Kind.ABDUCTION: "```input\n7\n```",
    Kind.INDUCTION: f"```python\n{PROGRAM}\n```",
    Kind.ERROR: "```output\nNoError\n```",
}


@pytest.fixture(scope="session")
def grader() -> Grader:
    return Grader()


@pytest.fixture(scope="session")
def tasks(grader: Grader) -> list[Task]:
    """One task of each plain kind."""
    several = tuple(f"{n}, {n % 3}" for n in range(6))
    drafts = [
        (kind, Draft(program=PROGRAM, inputs=several if kind is Kind.INDUCTION else ("7",), message="m"))
        for kind in RIGHT
    ]
    return [task for task in verify(drafts, grader.kinds, grader.sandbox) if isinstance(task, Task)]


@pytest.fixture(scope="session")
def right() -> dict[Kind, str]:
    """A completion that is right, by kind."""
    return {kind: f"I think so.\n<answer>\n{blocks}\n</answer>" for kind, blocks in RIGHT.items()}


@pytest.fixture(scope="session")
def squares(grader: Grader) -> Task:
    """A task whose answer, 91, a short program finds."""
    draft = Draft(program="def f(a):\n    return sum(i * i for i in range(a))", inputs=("7",))
    (task,) = verify([(Kind.DEDUCTION, draft)], grader.kinds, grader.sandbox)
    assert isinstance(task, Task)
    return task
