"""Stages 1 to 4 as one queue: in what order things finish changes nothing that comes out."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from azr.config import resolve
from azr.metrics.reductions import Numbers
from azr.metrics.step import StepReport
from azr.pipeline.parts import Parts
from azr.pipeline.rollout_step import roll_out
from azr.reward import reward
from azr.rollouts import demo
from azr.rollouts.base import Finished, Request
from azr.rollouts.scripted import ScriptedEngine
from azr.run.events import Quiet
from azr.run.folder import TRACES
from azr.run.train import start_run
from azr.types import Key, Prompt, placed_trials, valids

T = TypeVar("T")
SMALL = [
    "engine.name=scripted", "propose.batch=6", "solve.batch=4", "solve.trials=3", "solve.answers=2",
    "seeding.factor=2", "run.steps=3", "solve.train_on_trials=true",
]  # fmt: skip


def repetitive(prompt: Prompt, draw: int) -> str:
    """Few different programs under changing names, some proposals that are none."""
    if prompt.role != "propose" or prompt.kind == "induction":
        return demo.answer(prompt, draw)
    if draw % 5 == 0:
        return "nothing"
    name = "abcde"[draw % 3]
    program = f"def f({name}):\n    return {name} + {draw % 7}"
    return f"</think><answer>```python\n{program}\n```\n```input\n{draw % 4}\n```</answer>"


class Straggling(ScriptedEngine):
    """Completions come out a few at a time, in an order of its own."""

    seed = 0
    asked: list[Request]

    def submit(self, requests: Sequence[Request]) -> None:
        self.asked = [*getattr(self, "asked", []), *requests]
        super().submit(requests)

    def collect(self) -> list[Finished]:
        rng = np.random.default_rng([self.seed, len(self._waiting)])
        keys = list(self._waiting)
        chosen = [keys[place] for place in rng.permutation(len(keys))[: rng.integers(1, 6)]]
        requests = [self._waiting.pop(key) for key in chosen]
        return list(zip(requests, self._complete(requests), strict=True))


def outcome(folder: Path) -> tuple[list[dict[str, object]], bytes]:
    """Metrics without times, and without how many attempts were dropped; the episodes."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    timed = ("seconds/", "memory/", "rollout/dropped")
    numbers = [{k: v for k, v in row.items() if not k.startswith(timed)} for row in rows]
    return numbers, (folder / TRACES).read_bytes()


def alone(name: str, stage: Callable[[], T]) -> T:
    """A timer of the stages that measures nothing."""
    return stage()


def run(folder: Path, *overrides: str) -> None:
    settings = [*SMALL, f"engine.script={__name__}:repetitive", f"run.folder={folder}", *overrides]
    start_run(resolve({}, settings), Quiet(), lambda: False)


@pytest.mark.parametrize("duplicates", ["pay", "reject"])
@pytest.mark.parametrize("lag", ["true", "false"])
def test_any_order_of_finishing_gives_the_same_episodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, duplicates: str, lag: str
) -> None:
    settings = (f"reward.proposer.duplicates={duplicates}", f"solve.lag={lag}")
    run(tmp_path / "batch", *settings)
    monkeypatch.setattr("azr.rollouts.scripted.ScriptedEngine", Straggling)
    for seed in (1, 2):
        monkeypatch.setattr(Straggling, "seed", seed)
        run(tmp_path / f"queue-{seed}", *settings)
        assert outcome(tmp_path / f"queue-{seed}") == outcome(tmp_path / "batch")


def rare(prompt: Prompt, draw: int) -> str:
    """One answer of eleven may be right."""
    return demo.answer(prompt, draw) if prompt.role == "propose" or draw % 11 == 0 else "nothing"


class Trials(Quiet):
    """Whether each attempt at each new task was right."""

    def __init__(self) -> None:
        self.rows: list[list[bool]] = []

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.rows += [[attempt.correct for attempt in row] for row in report.trials]


def test_tasks_that_no_attempt_solved_are_asked_again_whatever_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = [*SMALL, "solve.retries=2", f"engine.script={__name__}:rare"]
    batch, queue = Trials(), Trials()
    start_run(resolve({}, [*settings, f"run.folder={tmp_path / 'batch'}"]), batch, lambda: False)
    monkeypatch.setattr("azr.rollouts.scripted.ScriptedEngine", Straggling)
    start_run(resolve({}, [*settings, f"run.folder={tmp_path / 'queue'}"]), queue, lambda: False)
    assert batch.rows == queue.rows and {len(row) for row in batch.rows} == {3, 6, 9}
    # A round of three follows on rounds without a right answer alone.
    assert all(len(row) == 9 or any(row[-3:]) for row in batch.rows)
    assert not any(any(row[:-3]) for row in batch.rows)


def test_attempts_at_what_proves_to_be_a_duplicate_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path / "batch")
    monkeypatch.setattr("azr.rollouts.scripted.ScriptedEngine", Straggling)
    run(tmp_path / "queue")

    def dropped(name: str) -> list[float]:
        rows = [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text("utf-8").splitlines()]
        return [row["rollout/dropped"] for row in rows[1:]]

    # Where all proposals finish together the verdicts are known before any attempt is asked for.
    assert dropped("batch") == [0, 0, 0] and sum(dropped("queue")) > 0
    assert all(count % 3 == 0 for count in dropped("queue"))


def test_attempts_start_before_the_last_proposal_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engines: list[Straggling] = []

    class Kept(Straggling):
        log: list[str]

        def submit(self, requests: Sequence[Request]) -> None:
            engines[:] = [self]
            self.log = [*getattr(self, "log", []), *(f"ask {request.key.purpose}" for request in requests)]
            super().submit(requests)

        def collect(self) -> list[Finished]:
            found = super().collect()
            self.log += [f"end {request.key.purpose}" for request, _ in found]
            return found

    monkeypatch.setattr("azr.rollouts.scripted.ScriptedEngine", Kept)
    run(tmp_path / "run", "run.steps=1")
    log = engines[0].log
    last = len(log) - 1 - log[::-1].index("end propose")
    assert log.index("ask trials") < last and log.index("ask solve") < log.index("ask trials")


def test_what_is_cancelled_never_comes_out() -> None:
    engine = ScriptedEngine(lambda prompt, draw: "x")
    from azr.rollouts.base import Sampling, requests_for
    from azr.types import Kind, Role

    prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="a", token_ids=(1,))
    engine.submit(requests_for("solve", [(0, prompt), (1, prompt)], Sampling(seed=1), 2))
    engine.cancel([Key("solve", 0, 1), Key("solve", 1, 0)])
    assert [request.key for request, _ in engine.collect()] == [Key("solve", 0, 0), Key("solve", 1, 1)]
    assert engine.collect() == []


def test_a_solve_prompt_is_encoded_once(make_parts: Callable[..., Parts], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its length is checked before the task is stored, and its trials are asked by the same prompt."""
    parts = make_parts(repetitive, 'tasks.kinds=["deduction"]', "propose.batch=6", "solve.retries=1")
    encoded: list[str] = []

    def encode(text: str, special_tokens: bool) -> list[int]:
        encoded.append(text)
        return parts.engine.tokenizer.encode(text, special_tokens)

    monkeypatch.setattr(parts.renderer, "_encode", encode)
    new = [valid for valid in valids(roll_out(parts, 1, [], alone).verdicts) if valid.duplicate_of is None]
    assert new and all(valid.trials for valid in new)
    for valid in new:
        assert encoded.count(valid.trials[0].completion.prompt.text) == 1


def test_trials_go_by_the_id_that_their_task_is_stored_under(make_parts: Callable[..., Parts]) -> None:
    given = ('tasks.kinds=["deduction"]', "propose.batch=6", "solve.batch=2", "solve.train_on_trials=true")
    parts = make_parts(repetitive, *given)
    done = roll_out(parts, 1, [], alone)
    trained = {episode.key: episode.group for episode in reward(parts, done.verdicts, done.answers, 1)}
    trials = placed_trials(done.verdicts)
    assert trials and all(placed.task.id is not None for placed in trials)
    assert {placed.key: placed.task.id for placed in trials}.items() <= trained.items()
