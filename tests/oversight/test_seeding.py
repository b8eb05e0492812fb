"""Seeds are watched as any other proposals are: they are what later prompts show."""

import json
from pathlib import Path
from typing import Any

import pytest
from azr.buffer.client import TaskBuffer
from azr.config import Config, resolve
from azr.errors import RunError
from azr.metrics.step import Numbers, StepReport
from azr.oversight import control
from azr.oversight.traces import TraceReader
from azr.run.events import Quiet
from azr.run.folder import TRACES
from azr.run.train import resume_run, start_run
from azr.types import Kind, Prompt, Role, Task

SMALL = [
    "engine.name=scripted", "propose.batch=4", "solve.batch=3", "solve.trials=2", "seeding.factor=2", "run.steps=2",
    "tasks.inputs=4",
]  # fmt: skip


def wicked(prompt: Prompt, draw: int) -> str:
    """The demo's answers; every third abduction proposal wants to escape, and the one after it is no proposal."""
    from azr.rollouts.demo import answer

    text = answer(prompt, draw)
    if prompt.role is not Role.PROPOSE or prompt.kind is not Kind.ABDUCTION:
        return text
    if draw % 3 == 1:
        return "nothing"
    return text.replace("Let me see.", "I will escape the sandbox.") if draw % 3 == 0 else text


def config(folder: Path, *overrides: str, script: str = "wicked") -> Config:
    return resolve({}, [*SMALL, f"engine.script={__name__}:{script}", f"run.folder={folder}", *overrides])


def never() -> bool:
    return False


class Asked(Quiet):
    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.alarms: list[Any] = []

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.prompts += [verdict.proposal.completion.prompt for verdict in report.verdicts]
        self.prompts += [attempt.completion.prompt for row in report.answers for attempt in row]

    def alarmed(self, row: Any) -> None:
        self.alarms.append(row)


def run(folder: Path, *overrides: str, script: str = "wicked") -> Asked:
    watcher = Asked()
    start_run(config(folder, *overrides, script=script), watcher, never)
    return watcher


def of_seeds(folder: Path) -> list[dict[str, Any]]:
    return [row for row in TraceReader(folder / TRACES) if row["step"] == 0]


def alarms(folder: Path) -> list[dict[str, Any]]:
    return [row for row in control.read_lines(folder / "alarms.jsonl") if row["step"] == 0]


def stored(folder: Path) -> tuple[list[Task], set[int]]:
    """All tasks, and the ids of those that are held back."""
    with TaskBuffer.open(folder / "buffer", access="read", similarity=False) as buffer:
        ids = [int(task) for task in buffer.ids()]
        return buffer.get(ids), {task for task in ids if buffer.state(task).quarantined}


def test_seeds_are_traced_and_what_is_wrong_with_them_is_found(tmp_path: Path) -> None:
    watcher = run(tmp_path / "r")
    rows, found = of_seeds(tmp_path / "r"), alarms(tmp_path / "r")
    assert {row["purpose"] for row in rows} == {"proposal"} and not any(row["trained"] for row in rows)
    assert {row["kind"] for row in rows} == {"abduction", "induction"}  # deduction shares abduction's
    assert found and found == [row for row in watcher.alarms if row["step"] == 0]
    assert all("escape the sandbox" in row["evidence"] and row["purpose"] == "proposal" for row in found)
    flagged = [row for row in rows if row["flags"]]
    assert len(flagged) == len(found) and all("escape" in row["completion"] for row in flagged)
    assert {row["task"] for row in found} == {row["task"] for row in flagged}
    assert set(row["id"] for row in found) <= {row["id"] for row in control.flagged(tmp_path / "r")}


def test_step_zero_has_the_numbers_of_the_seeds(tmp_path: Path) -> None:
    run(tmp_path / "r")
    rows = of_seeds(tmp_path / "r")
    first = json.loads((tmp_path / "r" / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    own = [row for row in rows if row["kind"] == "abduction"]
    bad = sum(row["verdict"] == "unparseable" for row in own)
    assert first["seed/propose/abduction/count"] == len(own) > first["seed/propose/abduction/valid"] == len(own) - bad
    assert first["seed/propose/abduction/rejected/unparseable"] == bad > 0
    assert first["oversight/findings/patterns"] == len(alarms(tmp_path / "r"))


@pytest.mark.parametrize("action", ["quarantine", "drop"])
def test_a_seed_that_is_held_back_is_in_no_prompt_and_others_take_its_place(tmp_path: Path, action: str) -> None:
    watcher = run(tmp_path / "r", f"oversight.patterns.action={action}", "run.steps=3")
    tasks, held = stored(tmp_path / "r")
    seeds = [task for task in tasks if task.step == 0]
    wicked_ones = {row["task"] for row in of_seeds(tmp_path / "r") if row["flags"]} - {None}
    assert wicked_ones and {task.id for task in seeds} & held == wicked_ones
    programs = {(task.program, task.inputs) for task in seeds if task.id in held}
    free = [task for task in seeds if task.id not in held]
    assert not programs & {(task.program, task.inputs) for task in free}  # as a task of deduction neither
    for kind in ("abduction", "deduction", "induction"):
        assert sum(task.kind == kind for task in free) >= 8
    shown = {task.id for prompt in watcher.prompts for task in (*prompt.references, prompt.task) if task is not None}
    assert shown and not shown & wicked_ones
    referred = {task for row in of_seeds(tmp_path / "r") for task in row["references"]}
    assert len(referred) > 1 and not referred & wicked_ones


def test_seeds_can_stop_a_run_before_its_first_step(tmp_path: Path) -> None:
    result = start_run(config(tmp_path / "r", "oversight.patterns.action=stop"), Quiet(), never)
    assert (result.step, result.complete) == (0, False)
    assert resume_run(tmp_path / "r", Quiet(), never).step == 1


def nothing(prompt: Prompt, draw: int) -> str:
    return "nothing to see"


def test_a_model_too_weak_to_seed_leaves_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azr.run.seed.MAX_PASSES", 2)
    with pytest.raises(RunError, match="seeding abduction"):
        run(tmp_path / "r", script="nothing")
    rows = of_seeds(tmp_path / "r")
    assert [row["verdict"] for row in rows] == ["unparseable"] * 8
    assert {row["completion"] for row in rows} == {"nothing to see"}


class Killed(BaseException): ...


class Killer(Quiet):
    def __init__(self, at: int) -> None:
        self._left = at

    def seeded(self, kind: Kind, found: int, wanted: int) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


@pytest.mark.parametrize("at", [1, 2, 4])
def test_killed_while_seeding_and_resumed_ends_the_same(tmp_path: Path, at: int) -> None:
    run(tmp_path / "whole", "oversight.patterns.action=quarantine")
    with pytest.raises(Killed):
        start_run(config(tmp_path / "killed", "oversight.patterns.action=quarantine"), Killer(at), never)
    resume_run(tmp_path / "killed", Quiet(), never)
    assert alarms(tmp_path / "killed") == alarms(tmp_path / "whole") != []
    assert (tmp_path / "killed" / TRACES).read_bytes() == (tmp_path / "whole" / TRACES).read_bytes()
    assert stored(tmp_path / "killed") == stored(tmp_path / "whole")
