"""`azr train` from the outside."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from azr.buffer.curriculum import TaskStore
from azr.cli.seed import seed
from azr.rollouts.scripted import ScriptedEngine
from click.testing import CliRunner
from processes import started

pytestmark = pytest.mark.slow
SMOKE = Path(__file__).parents[2] / "configs" / "smoke.toml"


def azr(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "azr", *arguments], capture_output=True, text=True, cwd=folder, check=False
    )


def test_smoke_run_tells_what_happened_and_where_the_result_lies(tmp_path: Path) -> None:
    done = azr("train", "--config", str(SMOKE), "--run", "r", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in ("seeds  induction", "step 1 ", "step 3 ", "valid 100%", "run: r", "model: r/checkpoints/step_3"):
        assert words in done.stderr
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert {"config.toml", "metrics.jsonl", "traces.jsonl.zst", "buffer", "checkpoints"} <= names


def test_resume_goes_on(tmp_path: Path) -> None:
    azr("train", "--config", str(SMOKE), "--run", "r", folder=tmp_path)
    done = azr("train", "--resume", "r", folder=tmp_path)
    assert done.returncode == 0 and "step_3" in done.stderr


def test_dry_run_shows_config_plan_and_one_prompt_of_each_role_and_kind(tmp_path: Path) -> None:
    done = azr("train", "--config", str(SMOKE), "--dry-run", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[train.optim]" in done.stdout and "12 proposals, up to 48 attempts for solve rates" in done.stdout
    for role in ("propose", "solve"):
        for kind in ("deduction", "abduction", "induction"):
            assert f"--- {role} {kind}, " in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["--set", "train.optim.lrr=1"], "unknown key train.optim.lrr: did you mean lr?", 2),
        (["--set", "solve.batch=0"], "solve.batch = 0", 2),
        (["--set", "train.advantage=trrr"], "train.advantage = 'trrr'", 2),
        (["--set", "train.loss.name=pppo"], "did you mean ppo?", 2),
        (["--set", "engine.name=vlm"], "engine.name = 'vlm'", 2),
        (["--set", "reward.proposer.name=no.such:thing"], "No module named 'no'", 2),
        (
            ["--set", "train.advantage=grpo", "--set", "solve.train_on_trials=false"],
            "solve.answers = 1 must be at least 2",
            2,
        ),
        (["--config", "missing.toml"], "cannot read the config missing.toml", 2),
        (["--resume", "nowhere"], "nowhere is no run folder", 1),
        (["--resume", "r", "--set", "seed=1"], "--resume takes the run's own config", 2),
    ],
)
def test_mistakes_are_one_clear_line(tmp_path: Path, arguments: list[str], message: str, code: int) -> None:
    done = azr("train", *arguments, folder=tmp_path)
    assert message in done.stderr and "Traceback" not in done.stderr
    assert done.returncode == code
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_nowhere_is_named(tmp_path: Path) -> None:
    done = azr("train", "--model", "no-such-org/no-such-model", "--run", "r", folder=tmp_path)
    assert "model.name = 'no-such-org/no-such-model' is no folder here" in done.stderr
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_interrupted_run_finishes_its_step_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    arguments = ["train", "--config", str(SMOKE), "--run", "r", "--set", "run.steps=100000"]
    with started([sys.executable, "-m", "azr", *arguments], cwd=tmp_path) as running:
        running.says("step 2 ")
        os.kill(running.pid, signal.SIGINT)
        rest = running.ends()
    assert "go on with: azr train --resume r" in rest
    step = int(rest.split("stopped at step ")[1].split(";")[0])
    assert (tmp_path / "r" / "checkpoints" / f"step_{step}").is_dir()


def test_seeds_are_saved_and_start_a_run(tmp_path: Path) -> None:
    done = azr("seed", "seeds.jsonl", "--config", str(SMOKE), folder=tmp_path)
    assert done.returncode == 0 and "48 seeds in seeds.jsonl" in done.stdout
    trained = azr("train", "--config", str(SMOKE), "--set", "seeding.path=seeds.jsonl", "--run", "r", folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "seeds  " not in trained.stderr


def test_seeds_are_made_by_one_process_whatever_the_config_splits_in_training(tmp_path: Path) -> None:
    split = ["ranks.sharding=full", "ranks.offload=true"]
    sizes = [*split, "propose.batch=2", "seeding.factor=1", 'tasks.kinds=["deduction"]']
    done = azr("seed", "seeds.jsonl", *(part for size in sizes for part in ("--set", size)), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "seeds in seeds.jsonl" in done.stdout


@pytest.mark.parametrize("factor", ["1", "1000"], ids=["enough", "too few"])
def test_seeding_leaves_no_engine_and_no_store_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: str
) -> None:
    closed: list[object] = []
    monkeypatch.setattr(ScriptedEngine, "close", lambda engine: closed.append(engine))
    close = TaskStore.close
    monkeypatch.setattr(TaskStore, "close", lambda store: (closed.append(store), close(store))[1])
    monkeypatch.setattr("azr.run.seed.MAX_PASSES", 2)
    sizes = ["--set", f"seeding.factor={factor}"]
    CliRunner().invoke(seed, [str(tmp_path / "seeds.jsonl"), "--config", str(SMOKE), *sizes])
    assert [type(one) for one in closed] == [TaskStore, ScriptedEngine]
