"""Which model a name means, and which template it is asked in."""

import json
from pathlib import Path

import pytest
from azr.config import dump_config, resolve
from azr.errors import CheckpointError, ConfigError, ModelError
from azr.evals.engine import Wanted, locate, open_model, pick_form, pick_style
from azr.tasks.templates import FULL, Form
from azr.trainer import checkpoint


def make_run(path: Path, steps: list[int], *overrides: str) -> Path:
    path.mkdir()
    (path / "config.toml").write_text(dump_config(resolve({}, overrides)))
    (path / "checkpoints").mkdir()

    def fill(folder: Path) -> None:
        (folder / "config.json").write_text("{}")

    for step in steps:
        checkpoint.write(path / "checkpoints", step, fill)
    return path


def test_a_run_means_its_newest_checkpoint_and_a_checkpoint_itself(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [5, 40])
    newest = run / "checkpoints" / "step_40"
    assert locate(str(run)) == str(newest) == locate(str(newest))
    assert locate("owner/model") == "owner/model"


def test_a_run_without_a_sound_checkpoint_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no checkpoint yet"):
        locate(str(make_run(tmp_path / "none", [])))
    run = make_run(tmp_path / "run", [5])
    (run / "checkpoints" / "step_5" / "config.json").write_text("{ }")
    with pytest.raises(CheckpointError, match="damaged"):
        locate(str(run))


def test_the_template_is_the_runs_or_the_models_or_as_asked(tmp_path: Path) -> None:
    chat = make_run(tmp_path / "chat", [1], "prompt.template=chat")
    assert pick_style("auto", str(chat)) == pick_style("auto", str(chat / "checkpoints" / "step_1")) == "chat"
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_text(json.dumps({"azr_template": "terse"}))
    assert pick_style("auto", str(own)) == "terse" and pick_style("plain", str(own)) == "plain"
    assert pick_style("auto", "owner/model") == "think"
    with pytest.raises(ConfigError, match="known are auto"):
        pick_style("fancy", str(own))


def test_words_and_opening_are_those_that_the_model_was_trained_with(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [1], "prompt.template=chat", "prompt.words=short")
    assert pick_form("auto", str(run)) == Form(short=True)
    assert pick_form("auto", str(run / "checkpoints" / "step_1")) == Form(short=True)
    warm = tmp_path / "warm"
    warm.mkdir()
    (warm / "config.json").write_text(json.dumps({"azr_prompt": {"words": "short", "opening": True}}))
    assert pick_form("auto", str(warm)) == Form(short=True, opened=True)
    assert pick_form("chat", str(warm)) == pick_form("auto", "owner/model") == FULL


@pytest.mark.torch
def test_only_the_engine_can_be_set_and_a_wrong_setting_is_named() -> None:
    with pytest.raises(ConfigError, match=r"train\.optim\.lr=1.*only has settings of the engine"):
        open_model("any", Wanted(overrides=("train.optim.lr=1",)))
    with pytest.raises(ConfigError, match=r"engine\.vllm\.start_second"):
        open_model("any", Wanted(engine="vllm", overrides=("engine.vllm.start_second=1",)))


def test_a_script_needs_its_function() -> None:
    with pytest.raises(ConfigError, match="--script"):
        open_model("any", Wanted(engine="scripted"))
