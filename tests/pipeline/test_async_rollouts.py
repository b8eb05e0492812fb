"""The next step is sampled while the trainer updates on this one, and what a run holds depends on neither's pace."""

import json
import threading
from pathlib import Path

import pytest
from azr.config import Config, resolve
from azr.errors import CheckpointError, ConfigError, EngineError
from azr.pipeline.async_rollouts import FILES
from azr.pipeline.build import check
from azr.rollouts import demo
from azr.rollouts.scripted import ScriptedEngine
from azr.run.events import Quiet
from azr.run.folder import TRACES
from azr.run.train import resume_run, start_run
from azr.trainer import checkpoint
from azr.trainer.policy import StillPolicy, UpdateStats
from azr.types import Batch, Prompt

pytestmark = pytest.mark.slow
STEPS = 5


def config(folder: Path, *overrides: str) -> Config:
    settings = [
        "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "engine.ahead=1", "propose.batch=3",
        "solve.batch=3", "solve.trials=2", "tasks.inputs=4", "seeding.factor=2", f"run.steps={STEPS}",
        "run.save_every=2", f"run.folder={folder}",
    ]  # fmt: skip
    return resolve({}, [*settings, *overrides])


def never() -> bool:
    return False


def rows(folder: Path) -> list[dict[str, float]]:
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [{k: v for k, v in row.items() if not k.startswith(("seconds/", "memory/"))} for row in found]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    start_run(config(folder), Quiet(), never)
    return folder


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


class Killer(Quiet):
    """Dies at the n-th phase of a run."""

    def __init__(self, at: int) -> None:
        self._left = at

    def phase(self, name: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed(name)


class Stopper(Quiet):
    """Asks the run to stop after a step."""

    def __init__(self, after: int) -> None:
        self._after, self.asked = after, False

    def stepped(self, report: object, numbers: object) -> None:
        self.asked = self.asked or report.step == self._after  # type: ignore[attr-defined]


def test_the_next_step_is_sampled_during_the_update_under_the_weights_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, threads, loads, loads_seen = threading.Barrier(2), list[object](), list[object](), list[int]()
    answer = demo.answer

    def meet(prompt: Prompt, draw: int) -> str:
        thread = threading.current_thread()
        if thread is not threading.main_thread() and thread not in threads:
            threads.append(thread)
            loads_seen.append(len(loads))
            meeting.wait()  # the first completion of a step ahead is written in the middle of an update
        return answer(prompt, draw)

    class Meets(StillPolicy):
        def update(self, batch: Batch) -> UpdateStats:
            if self.step + 1 < STEPS:  # nothing is sampled beside the last one
                meeting.wait()
            return super().update(batch)

    monkeypatch.setattr(demo, "answer", meet)
    monkeypatch.setattr("azr.pipeline.build.StillPolicy", Meets)
    monkeypatch.setattr(ScriptedEngine, "load", lambda self, model: loads.append(model))
    assert start_run(config(tmp_path / "run"), Quiet(), never).complete
    assert len(threads) == STEPS - 1
    assert loads_seen == [0, 1, 2, 3], "step k + 1 under the weights of step k - 1"
    assert [row["update/staleness"] for row in rows(tmp_path / "run")[1:]] == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("at", [17, 25, 38, 52])
def test_killed_at_any_phase_and_resumed_ends_the_same(whole: Path, tmp_path: Path, at: int) -> None:
    with pytest.raises(Killed):
        start_run(config(tmp_path / "killed"), Killer(at), never)
    assert resume_run(tmp_path / "killed", Quiet(), never).complete
    assert rows(tmp_path / "killed") == rows(whole)
    assert (tmp_path / "killed" / TRACES).read_bytes() == (whole / TRACES).read_bytes()


def test_a_run_that_was_stopped_goes_on_with_what_was_sampled_ahead(whole: Path, tmp_path: Path) -> None:
    stopper = Stopper(after=3)
    start_run(config(tmp_path / "stopped"), stopper, lambda: stopper.asked)
    saved = checkpoint.newest(tmp_path / "stopped" / "checkpoints")
    assert saved is not None and saved.name == "step_3" and list(saved.glob(FILES))
    assert resume_run(tmp_path / "stopped", Quiet(), never).complete
    assert rows(tmp_path / "stopped") == rows(whole)


def test_the_tasks_are_those_of_a_run_that_samples_in_turn(whole: Path, tmp_path: Path) -> None:
    """A script has no weights, so that nothing but the order of work differs."""
    start_run(config(tmp_path / "turns", "engine.ahead=0"), Quiet(), never)
    for one, other in zip(rows(whole), rows(tmp_path / "turns"), strict=True):
        assert {k: v for k, v in one.items() if k != "update/staleness"} == {
            k: v for k, v in other.items() if k != "update/staleness"
        }


def test_an_engine_that_breaks_ahead_ends_the_run_with_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = demo.answer

    def broken(prompt: Prompt, draw: int) -> str:
        if threading.current_thread() is not threading.main_thread():
            raise EngineError("the engine broke")
        return answer(prompt, draw)

    monkeypatch.setattr(demo, "answer", broken)
    with pytest.raises(EngineError, match="the engine broke"):
        start_run(config(tmp_path / "run"), Quiet(), never)


def test_an_update_that_fails_takes_the_rollouts_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fails(StillPolicy):
        def update(self, batch: Batch) -> UpdateStats:
            raise CheckpointError("no update")

    monkeypatch.setattr("azr.pipeline.build.StillPolicy", Fails)
    with pytest.raises(CheckpointError, match="no update"):
        start_run(config(tmp_path / "run"), Quiet(), never)
    assert not [thread for thread in threading.enumerate() if thread.name == "azr-ahead"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["engine.name=transformers"], "an engine with weights of its own"),
        (["engine.name=vllm", "engine.vllm.sleep=true"], "engine.vllm.sleep exclude each other"),
        (["engine.name=vllm"], r"train\.mismatch\.name \(such as tis\)"),
    ],
)
def test_what_would_be_unsound_is_refused_before_a_model_is_loaded(settings: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check(resolve({}, ["engine.ahead=1", *settings]))
    check(resolve({}, ["engine.ahead=1", "engine.name=vllm", "train.mismatch.name=tis"]))
