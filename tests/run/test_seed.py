"""Seeds from the identity program."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from azr.errors import RunError
from azr.pipeline.parts import Parts
from azr.rollouts.base import Request
from azr.rollouts.demo import answer
from azr.rollouts.scripted import ScriptedEngine
from azr.run.seed import SeedingStopped, seed
from azr.tasks.io import read_drafts, read_tasks, write_tasks
from azr.types import Completion, Kind, Prompt

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


def test_a_model_whose_proposals_cannot_be_read_is_given_up_after_two_passes(make_parts: Make) -> None:
    asked: list[Prompt] = []

    def script(prompt: Prompt, draw: int) -> str:
        asked.append(prompt)
        return "I would rather talk about \u202e the weather."

    parts = make_parts(script, "seeding.factor=4")
    with pytest.raises(RunError) as caught:
        seed(parts, nobody)
    assert len(asked) == 2 * parts.config.propose.batch
    text = str(caught.value)
    assert "0 of 6 proposals could be read" in text and "no_answer (6)" in text
    assert "talk about <U+202E> the weather" in text, "one completion as an example, made visible"
    assert "--set prompt.template=chat" in text and "azr train --try" in text


def test_completions_that_were_cut_are_told_to_be_longer(make_parts: Make) -> None:
    class Cut(ScriptedEngine):
        def _complete(self, requests: Sequence[Request]) -> list[Completion]:
            return [replace(completion, finished=False) for completion in super()._complete(requests)]

    parts = make_parts(lambda prompt, draw: "and so on", "sampling.max_tokens=100")
    with pytest.raises(RunError, match=r"--set sampling\.max_tokens=200"):
        seed(replace(parts, engine=Cut(lambda prompt, draw: "and so on")), nobody)


def test_the_limit_can_be_lifted(make_parts: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azr.run.seed.MAX_PASSES", 3)
    parts = make_parts(lambda prompt, draw: "", "seeding.least_readable=0")
    with pytest.raises(RunError, match="after 9 proposals"):
        seed(parts, nobody)


def test_seeding_stops_between_passes_when_asked(make_parts: Make) -> None:
    parts = make_parts(answer, "seeding.factor=40")
    passes = iter([False, True])
    with pytest.raises(SeedingStopped):
        seed(parts, nobody, should_stop=lambda: next(passes))
