"""A grader outside of the trainer gives the trainer's verdicts."""

import json
from pathlib import Path

import pytest
from azr.errors import GradingError, SandboxError
from azr.grading import Grader, dump_task
from azr.sandbox import Sandbox
from azr.tasks.io import verify
from azr.types import Draft, Kind, Task

EXAMPLES = Path(__file__).parents[2] / "examples" / "domains"
PROGRAM = "def f(a):\n    return a + 1"


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader()


@pytest.fixture(scope="module")
def task(grader: Grader) -> Task:
    (made,) = verify([(Kind.DEDUCTION, Draft(program=PROGRAM, inputs=("41",)))], grader.kinds, grader.sandbox)
    assert isinstance(made, Task)
    return made


@pytest.mark.parametrize(
    ("completion", "score", "reason"),
    [
        ("<answer>\n```output\n42\n```\n</answer>", 1.0, "correct"),
        ("```output\n1\n``` <answer>\n```output\n42\n```\n</answer>", 1.0, "correct"),
        ("<answer>\n```output\n43\n```\n</answer>", 0.0, "wrong"),
        ("<answer>\n```output\n42.0\n```\n</answer>", 0.0, "wrong"),
        ("<answer>\n```output\n[42\n```\n</answer>", 0.0, "not_a_literal"),
        ("```output\n42\n```", 0.0, "no_answer"),
        ("<answer>42</answer>", 0.0, "missing_block"),
        ("<answer>\n```output\n42\n```\n```output\n43\n```\n</answer>", 0.0, "several_blocks"),
        ("<answer>\n```output\n42\n", 0.0, "unclosed_block"),
        ("", 0.0, "no_answer"),
    ],
)
def test_verdicts_on_completions(grader: Grader, task: Task, completion: str, score: float, reason: str) -> None:
    (answer,) = grader.grade([(grader.row(task)["task"], completion)])
    assert (answer.score, answer.reason) == (score, reason)


def test_a_row_has_the_prompt_and_comes_back_as_the_task(grader: Grader, task: Task) -> None:
    row = grader.row(task)
    (message,) = row["prompt"]
    assert message["role"] == "user" and PROGRAM in message["content"] and "<answer>" in message["content"]
    assert grader.read(row["task"]) == task
    assert "42" not in message["content"]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "shop.plan"}, {"kind": "No"}, {"inputs": []}, {"outputs": ["zz"]}, {"outputs": ["00ff"]},
        {"program": None},
    ],
)  # fmt: skip
def test_what_is_no_task_is_an_error_and_no_score(grader: Grader, task: Task, change: dict[str, object]) -> None:
    row = json.loads(dump_task(task)) | change
    if change == {"program": None}:
        del row["program"]
    with pytest.raises(GradingError):
        grader.grade([(json.dumps(row), "<answer></answer>")])


class Failing(Sandbox):
    """Breaks down a number of times, as an overloaded machine would make it."""

    def __init__(self, times: int) -> None:
        super().__init__(threads=1)
        self.times = times

    def check_output(self, *arguments: object, **named: object) -> list:  # type: ignore[override, type-arg]
        self.times -= 1
        if self.times >= 0:
            raise SandboxError("the wall clock ran out", "wall_clock")
        return super().check_output(*arguments, **named)  # type: ignore[arg-type]


def test_a_failure_of_the_sandbox_is_tried_again_and_never_a_score(task: Task) -> None:
    item = (dump_task(task), "<answer>\n```output\n42\n```\n</answer>")
    assert Grader(sandbox=Failing(1)).grade([item])[0].score == 1.0
    with pytest.raises(SandboxError):
        Grader(sandbox=Failing(2)).grade([item])


def test_order_is_kept_over_kinds_and_domains() -> None:
    grader = Grader(domains=[EXAMPLES / "planning"])
    field = "{'seasons': 1, 'yields': {'wheat': [4]}, 'family': {'wheat': 'grass'}, 'most': 1}"
    plan = "import planning\n\ndef f(field):\n    return planning.problem(field)"
    drafts = [
        (Kind("planning.plan"), Draft(program=plan, inputs=(field,))),
        (Kind.DEDUCTION, Draft(program=PROGRAM, inputs=("41",))),
    ]
    made = verify(drafts, grader.kinds, grader.sandbox)
    first, second = (dump_task(task) for task in made if isinstance(task, Task))
    best, right = "<answer>\n```output\n[['wheat']]\n```\n</answer>", "<answer>\n```output\n42\n```\n</answer>"
    found = grader.grade([(first, best), (second, right), (first, right), (second, best), (first, best)])
    assert [answer.score for answer in found] == [1.0, 1.0, 0.0, 0.0, 1.0]
    with pytest.raises(GradingError, match=r"planning\.plan is a kind of no domain here"):
        Grader().grade([(first, best)])
