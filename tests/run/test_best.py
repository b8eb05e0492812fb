"""The best weights are kept and put back where the held-out score falls."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from azr.config import resolve
from azr.evals.probes import Probes
from azr.run.best import Best, Memory, Move
from azr.run.events import Quiet
from azr.run.folder import METRICS
from azr.run.train import Result, resume_run, start_run
from azr.trainer.policy import StillPolicy, UpdateStats
from azr.types import Batch


def moves(decline: str, scores: Sequence[float], *settings: str) -> tuple[list[str], Memory]:
    best = Best(resolve({}, [f"evals.decline={decline}", f"run.steps={len(scores) - 1}", *settings]))
    return [str(best.probed(step, {"probe/sampled": score})) for step, score in enumerate(scores)], best.memory


def test_nothing_happens_unless_it_is_asked_for() -> None:
    assert moves("go_on", [0.5, 0.1, 0.0]) == (["nothing"] * 3, Memory())


def test_a_fall_within_the_limit_is_waited_out_and_a_larger_one_goes_back_at_half_the_rate() -> None:
    found, memory = moves("back", [0.5, 0.6, 0.595, 0.58, 0.58, 0.7], "evals.fall=0.01")
    assert found == ["keep", "keep", "nothing", "back", "back", "keep"] and memory == Memory(5, 0.7, 0.25)


def test_a_run_ends_with_its_best_weights_however_little_was_lost() -> None:
    found, memory = moves("back", [0.5, 0.6, 0.599])
    assert found == ["keep", "keep", "stop"] and memory.step == 1


def test_a_step_without_a_probe_moves_nothing() -> None:
    best = Best(resolve({}, ["evals.decline=back", "evals.fall=0.1"]))
    assert best.probed(1, {"probe/sampled": 0.9}) is Move.KEEP
    assert best.probed(2, {"probe/passed": 0.1}) is Move.NOTHING


class Drifting(StillPolicy):
    """One weight, which rises by the rate in every step."""

    made: ClassVar[list["Drifting"]] = []

    def __init__(self) -> None:
        super().__init__()
        self.weight = 0.0
        self.made.append(self)

    def update(self, batch: Batch) -> UpdateStats:
        self.weight += self.rate
        return super().update(batch)

    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "weight.json").write_text(json.dumps(self.weight), "ascii")

    def restore(self, folder: Path) -> None:
        super().restore(folder)
        self.weight = json.loads((folder / "weight.json").read_text("ascii"))


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> dict[float, float]:
    """What the probe says of a weight."""
    table: dict[float, float] = {}

    def measure(self: Probes, *, ends: bool = False) -> dict[str, float]:
        score = table.get(Drifting.made[-1].weight, 0.0)
        names = ("sampled", "greedy", "passed", "error")
        return {f"probe/{name}": score if name != "error" else 0.0 for name in names}

    monkeypatch.setattr(Probes, "measure", measure)
    monkeypatch.setattr(Probes, "__bool__", lambda self: True)
    monkeypatch.setattr("azr.pipeline.build.StillPolicy", Drifting)
    return table


def settings(folder: Path, *more: str) -> list[str]:
    return [
        "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=2", "solve.batch=2",
        "solve.trials=2", "seeding.factor=1", "evals.every=1", "evals.grounded=none", "run.keep_last=1",
        f"run.folder={folder}", *more,
    ]  # fmt: skip


def start(folder: Path, *more: str) -> Result:
    return start_run(resolve({}, settings(folder, *more)), Quiet(), lambda: False)


def last_state(folder: Path) -> Any:
    newest = max((folder / "checkpoints").iterdir(), key=lambda path: int(path.name.removeprefix("step_")))
    return json.loads((newest / "run.json").read_text("ascii"))["past"]["best"]


def test_stop_ends_the_run_with_its_best_weights(scores: dict[float, float], tmp_path: Path) -> None:
    scores.update({0.0: 0.4, 1.0: 0.5, 2.0: 0.6, 3.0: 0.595, 4.0: 0.5})
    done = start(tmp_path / "run", "run.steps=9", "evals.decline=stop")
    assert (done.complete, done.step, Drifting.made[-1].weight) == (True, 4, 2.0)
    assert done.after["step"] == 2 and done.after["probe/sampled"] == 0.6
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == ["step_2", "step_4"]
    saved = tmp_path / "run" / "checkpoints" / "step_4" / "weight.json"
    assert json.loads(saved.read_text("ascii")) == 2.0


def test_back_goes_on_from_the_best_at_half_the_rate(scores: dict[float, float], tmp_path: Path) -> None:
    scores.update({0.0: 0.4, 1.0: 0.6, 2.0: 0.5, 1.5: 0.7})
    start(tmp_path / "run", "run.steps=3", "evals.decline=back")
    assert Drifting.made[-1].weight == 1.5
    assert last_state(tmp_path / "run") == {"step": 3, "score": 0.7, "rate": 0.5}


def test_a_run_that_goes_on_remembers_its_best_and_its_rate(scores: dict[float, float], tmp_path: Path) -> None:
    scores.update({0.0: 0.4, 1.0: 0.6, 2.0: 0.5, 1.5: 0.55, 1.25: 0.58, 1.75: 0.62, 2.25: 0.63})
    start(tmp_path / "whole", "run.steps=5", "evals.decline=back")
    steps: list[int] = []

    class Counting(Quiet):
        def stepped(self, report: Any, numbers: Any) -> None:
            steps.append(report.step)

    config = resolve({}, settings(tmp_path / "cut", "run.steps=5", "evals.decline=back"))
    assert not start_run(config, Counting(), lambda: len(steps) >= 3).complete
    assert resume_run(tmp_path / "cut", Quiet(), lambda: False).complete
    assert last_state(tmp_path / "cut") == last_state(tmp_path / "whole")
    probes = [
        [json.loads(line)["probe/sampled"] for line in (tmp_path / name / METRICS).read_text("utf-8").splitlines()]
        for name in ("cut", "whole")
    ]
    assert probes[0] == probes[1]
