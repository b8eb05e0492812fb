"""What is measured inside training: pass@k, and the grounded tasks."""

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from azr.evals.probe import as_numbers, probe
from azr.evals.probes import Probes, gap, grounded
from azr.pipeline.parts import Parts
from azr.tasks.io import read_tasks
from azr.types import Kind, Prompt

Make = Callable[..., Parts]


def solver(prompt: Prompt, draw: int) -> str:
    """Right in one draw of four."""
    assert prompt.task is not None
    task, right = prompt.task, draw % 4 == 0
    body = {
        Kind.DEDUCTION: f"```output\n{task.outputs[0].repr if right else '...'}\n```",
        Kind.ABDUCTION: f"```input\n{task.inputs[0] if right else '...'}\n```",
        Kind.INDUCTION: f"```python\n{task.program if right else 'def f(*a): return ...'}\n```",
    }[task.kind]
    return f"</think><answer>{body}</answer>"


def test_the_grounded_tasks_are_what_people_wrote_down(make_parts: Make) -> None:
    """Every answer in the file, made by hand, is what the program returns; every kind is there."""
    parts = make_parts()
    path = Path(str(resources.files("azr.evals"))) / "grounded.jsonl"
    written = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    tasks = read_tasks(path, parts.kinds, parts.sandbox)
    assert len(tasks) >= 40 and {task.kind for task in tasks} == {Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION}
    for task, row in zip(tasks, written, strict=True):
        by_hand = parts.sandbox.literals(row["outputs"])
        assert list(task.outputs) == by_hand, row["program"]


def test_pass_at_k_and_the_grounded_probe_are_in_the_metrics(make_parts: Make) -> None:
    found = Probes(make_parts(solver, "evals.samples=4", "tasks.inputs=10")).measure()
    for prefix in ("probe/grounded", "probe/grounded/solve/abduction", "probe/grounded/solve/induction"):
        assert found[f"{prefix}/sampled"] == found[f"{prefix}/pass_at_1"] == pytest.approx(0.25)
        assert found[f"{prefix}/pass_at_2"] == pytest.approx(0.5)
        assert found[f"{prefix}/pass_at_4"] == found[f"{prefix}/passed"] == 1.0
    assert found["probe/grounded/tasks"] == 40


def test_grounded_tasks_are_of_the_runs_kinds_and_can_be_others_or_none(make_parts: Make, tmp_path: Path) -> None:
    assert {task.kind for task in grounded(make_parts(solver, 'tasks.kinds=["deduction"]'))} == {Kind.DEDUCTION}
    assert grounded(make_parts(solver, "evals.grounded=none")) == []
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({"kind": "deduction", "program": "def f(a):\n    return a", "inputs": ["1"]}) + "\n")
    assert len(grounded(make_parts(solver, f"evals.grounded={own}"))) == 1


def test_the_gap_is_between_the_curriculum_and_the_grounded_tasks_of_the_same_kinds() -> None:
    numbers = {
        "solve/solve/deduction/score": 0.9,
        "solve/solve/abduction/score": 0.7,
        "solve/solve/error/score": 0.0,
        "probe/grounded/solve/deduction/sampled": 0.4,
        "probe/grounded/solve/abduction/sampled": 0.4,
        "probe/grounded/solve/induction/sampled": 0.0,
        "probe/grounded/sampled": 0.3,
    }
    assert gap(numbers) == {"probe/grounded/gap": pytest.approx(0.4)}
    assert gap({"solve/solve/deduction/score": 0.9}) == {}


def test_the_same_weights_score_the_same_whatever_was_proposed(make_parts: Make) -> None:
    parts = make_parts(solver, "evals.samples=4", "tasks.inputs=10")
    tasks = grounded(parts)
    before = as_numbers(probe(parts, tasks))
    parts.store.add(tasks[:3])
    assert as_numbers(probe(parts, tasks)) == before
