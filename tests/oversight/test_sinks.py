"""Numbers go to TensorBoard and W&B by config, and a missing library is a clear error."""

import builtins
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from azr.config import resolve
from azr.errors import OversightError
from azr.oversight.sinks import make_sinks
from azr.run.events import Quiet
from azr.run.train import resume_run, start_run

SMALL = [
    "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=2", "solve.batch=2",
    "solve.trials=2", "seeding.factor=2", "run.steps=3", "run.save_every=1",
]  # fmt: skip


def read_back(folder: Path) -> dict[str, dict[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: {e.step: e.value for e in events.Scalars(tag)} for tag in events.Tags()["scalars"]}


def test_tensorboard_has_the_numbers_of_metrics_jsonl(tmp_path: Path) -> None:
    config = resolve({}, [*SMALL, f"run.folder={tmp_path / 'r'}", 'oversight.sinks=["tensorboard"]'])
    asked = iter([False, False, True])
    start_run(config, Quiet(), lambda: next(asked))
    resume_run(tmp_path / "r", Quiet(), lambda: False)
    found = read_back(tmp_path / "r")
    rows = [json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text("utf-8").splitlines()]
    for row in rows[1:]:
        for name, value in row.items():
            if name != "step":
                assert found[name][row["step"]] == pytest.approx(value, rel=1e-6), name


def test_wandb_has_the_numbers_and_goes_on_under_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Offline: the library writes what it would send. It advertises where it sees a library that it knows."""
    import wandb

    monkeypatch.setitem(sys.modules, "openai", ModuleType("openai"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    config = resolve({}, ['oversight.sinks=["wandb"]', "oversight.project=mine"])
    for value in (1.25, 2.75):
        (sink,) = make_sinks(config, tmp_path, 0)
        sink.write(3, {"solve/solve/deduction/score": value})
        sink.close()
    wandb.teardown()
    assert capfd.readouterr() == ("", "")
    run_id = json.loads((tmp_path / "wandb.json").read_text("ascii"))["id"]
    files = sorted((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
    assert [path.name for path in files] == [f"run-{run_id}.wandb"] * 2
    for path, value in zip(files, (b"1.25", b"2.75"), strict=True):
        written = path.read_bytes()
        assert b"solve/solve/deduction/score" in written and value in written and b"mine" in written


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_library_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = builtins.__import__

    def missing(module: str, *rest: Any, **more: Any) -> Any:
        if module.split(".")[0] == name:
            raise ImportError(f"No module named {module!r}")
        return real(module, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(OversightError, match=f"pip install {name}"):
        make_sinks(resolve({}, [f'oversight.sinks=["{name}"]']), tmp_path, 0)
