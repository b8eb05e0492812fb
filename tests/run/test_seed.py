"""Seeds from the identity program."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from azr.errors import RunError
from azr.pipeline.parts import Parts
from azr.rollouts.demo import answer
from azr.run.seed import seed
from azr.tasks.io import read_drafts, read_tasks, write_tasks
from azr.types import Kind, Prompt

Make = Callable[..., Parts]


def nobody(kind: Kind, found: int, wanted: int) -> None: ...


def seeded(make_parts: Make, *overrides: str) -> Parts:
    parts = make_parts(answer, "seeding.factor=4", *overrides)
    seed(parts, nobody)
    return parts


def test_every_kind_gets_its_seeds_at_step_zero(make_parts: Make) -> None:
    parts = seeded(make_parts)
    assert {kind: parts.store.count(kind) for kind in parts.config.tasks.kinds} == {
        Kind.ABDUCTION: 12,
        Kind.DEDUCTION: 12,
        Kind.INDUCTION: 12,
    }
    assert {task.step for task in parts.store.everything()} == {0}


def test_deduction_and_abduction_share_their_seeds(make_parts: Make) -> None:
    tasks = seeded(make_parts).store.everything()
    pairs = {
        kind: {(t.program, t.inputs) for t in tasks if t.kind is kind} for kind in (Kind.DEDUCTION, Kind.ABDUCTION)
    }
    assert pairs[Kind.DEDUCTION] == pairs[Kind.ABDUCTION]


def test_later_passes_show_what_earlier_ones_found(make_parts: Make) -> None:
    seen: list[int] = []

    def script(prompt: Prompt, draw: int) -> str:
        if prompt.kind is Kind.ABDUCTION:
            seen.append(len(prompt.references))
        return answer(prompt, draw)

    parts = make_parts(script, "seeding.factor=4")
    seed(parts, nobody)
    assert seen[0] == 1 and max(seen) == 6


def test_progress_is_told(make_parts: Make) -> None:
    told: list[tuple[Kind, int, int]] = []
    parts = make_parts(answer)
    seed(parts, lambda kind, found, wanted: told.append((kind, found, wanted)))
    assert [kind for kind, found, wanted in told if found == wanted] == list(parts.config.tasks.kinds)


def test_seeds_are_saved_verified_and_read_back(make_parts: Make, tmp_path: Path) -> None:
    parts = seeded(make_parts)
    path = tmp_path / "seeds.jsonl"
    write_tasks(path, parts.store.everything())
    again = read_tasks(path, parts.kinds, parts.sandbox)
    kept = [(t.kind, t.program, t.inputs, t.outputs, t.message) for t in parts.store.everything()]
    assert [(t.kind, t.program, t.inputs, t.outputs, t.message) for t in again] == kept


def test_only_a_newline_ends_a_line_of_a_file(tmp_path: Path) -> None:
    row = {"kind": "deduction", "program": "def f(a):\n    return a + '\u2028'", "inputs": ["'\x85'"]}
    path = tmp_path / "seeds.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    [(_, draft)] = read_drafts(path, [Kind.DEDUCTION])
    assert (draft.program, draft.inputs) == (row["program"], ("'\x85'",))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"kind": "deduction"}', "line 1: not a task: KeyError"),
        ("{", "line 1: not a task"),
        (json.dumps({"kind": "riddle", "program": "", "inputs": []}), "line 1: not a task"),
        (
            json.dumps({"kind": "deduction", "program": "def f(a): return 1/a", "inputs": ["0"]}),
            "rejects this task: raised",
        ),
    ],
)
def test_a_file_cannot_bring_a_wrong_task_in(make_parts: Make, tmp_path: Path, line: str, message: str) -> None:
    parts = make_parts()
    path = tmp_path / "tasks.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(RunError, match=message):
        read_tasks(path, parts.kinds, parts.sandbox)
