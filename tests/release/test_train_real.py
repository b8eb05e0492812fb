"""`make train-real`: every part that is not done yet, from where it was; a part that was stopped ends it."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "train_real.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("azr_train_real_script", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "model_file", lambda: tmp_path / "model.gguf")
    return module


def make(run: Path, step: int, **state: Any) -> None:
    folder = run / "checkpoints" / f"step_{step}"
    folder.mkdir(parents=True)
    (run / "config.toml").write_text("[warmup]\nrounds = 3\n[run]\nsteps = 60\n", "utf-8")
    (folder / "warmup.json").write_text(json.dumps(state), "ascii")


def called(script: ModuleType, monkeypatch: pytest.MonkeyPatch, effects: dict[str, Any]) -> list[list[str]]:
    found: list[list[str]] = []

    def azr(*arguments: object) -> None:
        found.append([str(each) for each in arguments])
        effects.get(found[-1][0], lambda: None)()

    monkeypatch.setattr(script, "azr", azr)
    return found


def test_from_nothing_all_parts_run_in_order(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warm, play = tmp_path / "smollm2-warm", tmp_path / "smollm2"
    effects = {"warmup": lambda: make(warm, 96, enough=True, looked=1), "train": lambda: make(play, 60)}
    found = called(script, monkeypatch, effects)
    script.work(tmp_path, "data", ["warmup.rounds=3"])
    assert [each[0] for each in found] == ["warmup", "train", "eval", "eval", "eval", "report"]
    assert "--model" in found[1] and found[1][found[1].index("--model") + 1] == str(warm)
    assert f"evals.tasks={warm / 'heldout.jsonl'}" in found[1] and "warmup.rounds=3" in found[0]


def test_what_was_stopped_goes_on_and_what_is_done_is_not_done_again(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make(tmp_path / "smollm2-warm", 96, enough=False, looked=3)
    make(tmp_path / "smollm2", 20)
    found = called(script, monkeypatch, {"train": lambda: make(tmp_path / "smollm2", 60)})
    script.work(tmp_path, None, [])
    assert [each[0] for each in found] == ["train", "report"]
    assert found[0] == ["train", "--resume", str(tmp_path / "smollm2")]


def test_a_warm_up_that_was_stopped_ends_it_and_no_self_play_begins(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make(tmp_path / "smollm2-warm", 40, enough=False, looked=1)
    found = called(script, monkeypatch, {})
    with pytest.raises(script.Stopped, match="the warm-up was stopped"):
        script.work(tmp_path, None, [])
    assert found == [["warmup", "--run", str(tmp_path / "smollm2-warm")]]
