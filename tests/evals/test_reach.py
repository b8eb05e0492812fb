"""Reach: pass@k by stratum."""

import json
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from azr.errors import RunError
from azr.evals.probes import Probes
from azr.evals.reach import as_numbers, measure, read_strata, size_of
from azr.pipeline.parts import Parts
from azr.tasks.io import read_tags, read_tasks
from azr.types import Kind, Prompt

Make = Callable[..., Parts]
KINDS = 'tasks.kinds=["deduction","abduction"]'


def solver(prompt: Prompt, draw: int) -> str:
    """Small tasks in one draw of four, large ones never."""
    assert prompt.task is not None
    right = draw % 4 == 0 and "large" not in prompt.task.program
    body = f"```output\n{prompt.task.outputs[0].repr}\n```" if right else "```output\n...\n```"
    return f"</think><answer>{body}</answer>"


def write(path: Path, rows: list[tuple[str, str, dict[str, object]]]) -> None:
    lines = [{"kind": kind, "program": program, "inputs": ["1"], **more} for kind, program, more in rows]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")


SMALL, LARGE = "def f(a):\n    return a", "def f(a):\n    large = a * 2\n    return (large + 1) * 3"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    write(
        path,
        [
            ("deduction", LARGE, {"tags": {"level": "10"}}),
            ("deduction", SMALL, {"tags": {"level": "9", "other": "x"}}),
            ("deduction", SMALL, {"tags": {"level": "9"}}),
            ("deduction", SMALL, {}),
        ],
    )
    return path


def test_each_stratum_has_its_own_pass_at_k(make_parts: Make, file: Path) -> None:
    parts = make_parts(solver, KINDS, f"evals.reach={file}", "evals.strata=level", "evals.reach_samples=8")
    found = as_numbers(measure(parts, read_strata(parts)))
    assert found["probe/reach/9/pass_at_1"] == pytest.approx(0.25) and found["probe/reach/9/pass_at_8"] == 1.0
    assert found["probe/reach/9/solve/deduction/pass_at_1"] == pytest.approx(0.25)
    assert found["probe/reach/10/pass_at_1"] == found["probe/reach/10/pass_at_8"] == 0.0
    assert not any("pass_at_32" in name for name in found)


def test_strata_are_in_the_order_of_their_numbers_and_tasks_without_the_tag_are_in_none(
    make_parts: Make, file: Path
) -> None:
    parts = make_parts(solver, KINDS, f"evals.reach={file}", "evals.strata=level")
    assert {name: len(tasks) for name, tasks in read_strata(parts).items()} == {"9": 2, "10": 1}
    assert list(read_strata(parts)) == ["9", "10"]
    assert {name: len(tasks) for name, tasks in read_strata(parts, limit=1).items()} == {"9": 1, "10": 1}


def test_without_tags_the_size_of_the_program_is_the_stratum(make_parts: Make, file: Path) -> None:
    parts = make_parts(solver, KINDS, f"evals.reach={file}", "evals.strata=operations")
    assert {name: len(tasks) for name, tasks in read_strata(parts).items()} == {"1": 3, "3": 1}
    assert [size_of(f"def f(x):\n    return x{'[0]' * count}") for count in (1, 6, 7, 8, 9, 40)] == [
        "1", "6", "7-8", "7-8", "9-12", "33+",
    ]  # fmt: skip


def test_a_tag_that_no_task_has_is_an_error(make_parts: Make, file: Path) -> None:
    parts = make_parts(solver, KINDS, f"evals.reach={file}", "evals.strata=lenght")
    with pytest.raises(RunError, match="lenght"):
        read_strata(parts)


def test_reach_is_measured_at_both_ends_alone(make_parts: Make, file: Path) -> None:
    given = (KINDS, f"evals.reach={file}", "evals.strata=level", "evals.grounded=none", "evals.reach_samples=8")
    given = (*given, "model.name=other")  # the embedded one has held-out tasks besides
    probes = Probes(make_parts(solver, *given))
    assert probes.measure() == {} and "probe/reach/9/pass_at_8" in probes.measure(ends=True)
    assert not Probes(make_parts(solver, "evals.grounded=none", "model.name=other"))


def test_the_packages_strata_are_chains_of_two_to_six_a_hundred_of_each_kind(make_parts: Make) -> None:
    parts = make_parts(solver, "tasks.inputs=6")
    path = Path(str(resources.files("azr.evals"))) / "reach.jsonl"
    tasks, lengths = read_tasks(path, parts.kinds, parts.sandbox), read_tags(path, "length")
    counts = Counter(zip(lengths, (task.kind for task in tasks), strict=True))
    kinds = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
    assert counts == {(str(length), kind): 100 for length in range(2, 7) for kind in kinds}
    assert len({task.program for task in tasks}) == len(tasks)
