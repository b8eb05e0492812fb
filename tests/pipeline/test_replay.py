"""Right answers to hard tasks are learnt again."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from azr.config import resolve
from azr.errors import ConfigError
from azr.pipeline.build import check
from azr.pipeline.replay import KEPT, Replay
from azr.run.events import Quiet
from azr.run.train import resume_run, start_run
from azr.trainer.model import load_model
from azr.trainer.torch_policy import TorchPolicy
from azr.types import Attempt, Completion, Episode, Kind, Prompt, Role, Task
from azr.update import make_batch, update

pytestmark = pytest.mark.torch


def attempts(scores: Sequence[float], answer: int = 7) -> list[Attempt]:
    task = Task(kind=Kind.DEDUCTION, program="def f(a):\n    return a", inputs=("1",), outputs=(), id=1)
    prompt = Prompt(role=Role.SOLVE, kind=task.kind, text="", token_ids=(1, 2), task=task)
    done = [
        Completion(prompt=prompt, text=str(n), token_ids=(answer, n), log_probs=(-1.0, -1.0), finished=True)
        for n in range(len(scores))
    ]
    return [
        Attempt(completion=one, text="", formatted=True, score=score, reason="")
        for one, score in zip(done, scores, strict=True)
    ]


def replay(count: int = 4) -> Replay:
    return Replay(resolve({}, [f"train.replay={count}"]))


def test_only_right_answers_to_hard_tasks_are_kept() -> None:
    memory = replay()
    memory.note([attempts([0, 1, 0, 0]), attempts([1, 1, 1, 0]), attempts([0, 0]), attempts([0.5, 0.0])])
    (found,) = memory.draw(1)
    assert found.completion.token_ids == (7, 1) and found.completion.prompt.token_ids == (1, 2)
    assert found.role is Role.SOLVE and found.kind is Kind.DEDUCTION


def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    memory = replay(0)
    memory.note([attempts([0, 1])])
    assert memory.state() == [] and memory.draw(1) == []


def test_draws_depend_on_the_step_and_survive_a_checkpoint() -> None:
    memory = replay(3)
    for answer in range(KEPT + 10):
        memory.note([attempts([1, 0, 0], answer)])
    again = Replay(resolve({}, ["train.replay=3"]), json.loads(json.dumps(memory.state())))
    assert len(memory.state()) == KEPT and memory.state()[0][2][0] == 10

    def drawn(one: Replay, step: int) -> list[tuple[int, ...]]:
        return [episode.completion.token_ids for episode in one.draw(step)]

    assert drawn(memory, 1) == drawn(again, 1) != drawn(memory, 2) and len(drawn(memory, 1)) == 3


def test_what_is_learnt_again_has_an_advantage_of_one_and_changes_nobody_elses() -> None:
    memory = replay()
    memory.note([attempts([1, 0, 0])])
    own = [Episode(completion=one.completion, reward=one.score, group=1) for one in attempts([1, 0, 0, 1])]
    batch = make_batch(own, resolve({}, ["train.advantage=hierarchical"]), replayed=memory.draw(1))
    assert batch.advantages.tolist() == [0.5, -0.5, -0.5, 0.5, 1.0] and len(batch.episodes) == 5


def test_learning_again_makes_the_answer_likelier_and_no_gap_is_measured(tiny_model: Path) -> None:
    given = [f"model.name={tiny_model}", "train.optim.lr=1e-3", "train.replay=1", "train.loss.entropy=0"]
    config = resolve({}, [*given, "train.advantage=hierarchical", "train.mismatch.name=tis"])
    policy, memory = TorchPolicy(load_model(config.model), config), Replay(config)
    memory.note([attempts([1, 0, 0])])
    (again,) = memory.draw(1)
    row = [(*again.completion.prompt.token_ids[-1:], *again.completion.token_ids)]
    before = policy.log_probs(row).sum()
    own = attempts([0, 0])
    exact = [float(value) for value in policy.log_probs([[1, 2, 7, 0]])[1:]]
    known = [
        Episode(
            completion=Completion(
                prompt=one.completion.prompt, text="", token_ids=(7, 0), log_probs=tuple(exact), finished=True
            ),
            reward=0.0,
        )
        for one in own
    ]
    _, stats = update(policy, known, config, [again])
    assert stats.mismatch_max < 1e-4 and np.isfinite(stats.loss)
    assert policy.log_probs(row).sum() > before


def test_a_resumed_run_learns_the_same_again(tmp_path: Path) -> None:
    def settings(name: str) -> list[str]:
        return [
            "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=3", "solve.batch=2",
            "solve.trials=2", "seeding.factor=1", "evals.every=0", "run.steps=4", "train.replay=2",
            f"run.folder={tmp_path / name}",
        ]  # fmt: skip

    steps: list[int] = []

    class Counting(Quiet):
        def stepped(self, report: object, numbers: object) -> None:
            steps.append(1)

    start_run(resolve({}, settings("whole")), Quiet(), lambda: False)
    assert not start_run(resolve({}, settings("cut")), Counting(), lambda: len(steps) >= 2).complete
    assert resume_run(tmp_path / "cut", Quiet(), lambda: False).complete
    states = [
        json.loads((tmp_path / name / "checkpoints" / "step_4" / "run.json").read_text("ascii"))["past"]
        for name in ("whole", "cut")
    ]
    assert states[0] == states[1] and states[0]["replay"]


def test_it_needs_the_trainers_own_probabilities() -> None:
    with pytest.raises(ConfigError, match=r"train\.replay"):
        check(resolve({}, ["train.replay=1", "train.old_log_probs=engine"]))
