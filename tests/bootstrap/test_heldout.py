"""Held-out tasks."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from azr.bootstrap.heldout import floor, make_tasks
from azr.sandbox import Sandbox
from azr.tasks import KindOptions, make_kinds, source
from azr.tasks.io import read_tasks, write_tasks

INPUTS = 4
KINDS = make_kinds(KindOptions(inputs=INPUTS))


@pytest.fixture(autouse=True)
def _few_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azr.bootstrap.heldout.DRAWN_AT_ONCE", 400)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def test_tasks_are_as_many_as_asked_all_of_other_programs_and_verified(sandbox: Sandbox, tmp_path: Path) -> None:
    made = make_tasks(1, 20, INPUTS, sandbox)
    assert Counter(str(m.task.kind) for m in made) == {"deduction": 20, "abduction": 20, "induction": 20}
    assert len({m.task.program for m in made}) == 60
    write_tasks(tmp_path / "tasks.jsonl", [m.task for m in made])
    again = read_tasks(tmp_path / "tasks.jsonl", KINDS, sandbox)
    assert [task.outputs for task in again] == [m.task.outputs for m in made]


def test_strata_have_chains_of_one_length(sandbox: Sandbox) -> None:
    short, long = (make_tasks(1, 10, INPUTS, sandbox, length=length) for length in (2, 5))
    mean = [sum(source.operations(ast.parse(m.task.program)) for m in made) / 30 for made in (short, long)]
    assert mean[0] < 3.5 < 5 <= mean[1]


def test_random_answers_of_the_right_type_hardly_score(sandbox: Sandbox) -> None:
    scores = floor(make_tasks(2, 60, INPUTS, sandbox), KINDS, sandbox, seed=0)
    assert max(scores.values()) <= 0.2


def test_the_floor_counts_right_answers(sandbox: Sandbox) -> None:
    """A floor that could never rise would say nothing: the tasks' own answers score 1."""
    made = make_tasks(3, 5, INPUTS, sandbox)
    for measured in made:
        task = measured.task
        own = {"deduction": task.outputs[0].repr, "abduction": task.inputs[0], "induction": task.program}[task.kind]
        (answer,) = KINDS[task.kind].check(sandbox, [(task, own)])
        assert answer.score == 1.0
