"""Stopped at any instant, a run goes on as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from azr.config import Config, resolve
from azr.errors import CheckpointError, RunError
from azr.metrics.step import Numbers, StepReport
from azr.run.events import Quiet
from azr.run.folder import TRACES, RunFolder
from azr.run.train import resume_run, start_run
from azr.trainer import checkpoint

pytestmark = pytest.mark.slow
SCRIPTED = ["engine.name=scripted", "engine.script=azr.rollouts.demo:answer"]
SMALL = [
    "propose.batch=3", "solve.batch=3", "solve.trials=2", "tasks.inputs=4", "seeding.factor=2", "run.steps=4",
    "run.save_every=2", "sampling.max_tokens=24",
]  # fmt: skip
SEEDS = [
    {"kind": kind, "program": f"def f(a):\n    return a + {n}", "inputs": inputs, "message": "add"}
    for n in range(6)
    for kind, inputs in (("deduction", ["1"]), ("abduction", ["1"]), ("induction", ["1", "2", "3", "4"]))
]


class Killed(BaseException):
    """Stands for a kill: nothing catches it, nothing is tidied."""


class Killer(Quiet):
    """Dies at the n-th phase of a run."""

    def __init__(self, at: int) -> None:
        self._left = at

    def phase(self, name: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed(name)


def scripted(folder: Path, *overrides: str) -> Config:
    return resolve({}, [*SCRIPTED, *SMALL, f"run.folder={folder}", *overrides])


@pytest.fixture
def trained(tiny_model: Path, tmp_path: Path) -> Callable[[Path], Config]:
    """A run that trains real weights: random rewards, so that they move."""
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("\n".join(json.dumps(row) for row in SEEDS), "utf-8")

    def make(folder: Path) -> Config:
        own = [
            f"model.name={tiny_model}", f"seeding.path={seeds}", "reward.solver.name=random", "train.optim.lr=1e-3",
            "prompt.template=terse",
        ]  # fmt: skip
        return resolve({}, [*own, *SMALL, f"run.folder={folder}"])

    return make


def never() -> bool:
    return False


def outcome(folder: Path) -> tuple[list[object], bytes, bytes]:
    """All that a run leaves, without times and memory."""
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    kept = [{k: v for k, v in row.items() if not k.startswith(("seconds/", "memory/"))} for row in metrics]
    last = checkpoint.newest(folder / "checkpoints")
    assert last is not None
    weights = last / "model.safetensors"
    traces = (folder / TRACES).read_bytes()
    return kept, traces, weights.read_bytes() if weights.exists() else b""


@pytest.mark.parametrize("at", [2, 3, 4, 6, 9, 13, 14, 17, 20, 22, 24, 30, 33])
def test_killed_at_any_phase_and_resumed_ends_the_same(tmp_path: Path, at: int) -> None:
    start_run(scripted(tmp_path / "whole"), Quiet(), never)
    with pytest.raises(Killed):
        start_run(scripted(tmp_path / "killed"), Killer(at), never)
    assert resume_run(tmp_path / "killed", Quiet(), never).complete
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")


@pytest.mark.parametrize("at", [5, 16, 27])
def test_weights_and_optimizer_go_on_bit_for_bit(tmp_path: Path, trained: Callable[[Path], Config], at: int) -> None:
    start_run(trained(tmp_path / "whole"), Quiet(), never)
    with pytest.raises(Killed):
        start_run(trained(tmp_path / "killed"), Killer(at), never)
    assert resume_run(tmp_path / "killed", Quiet(), never).complete
    whole, killed = outcome(tmp_path / "whole"), outcome(tmp_path / "killed")
    assert killed == whole and len(whole[2]) > 0
    losses = [row["update/loss"] for row in whole[0][1:]]  # type: ignore[index]
    assert len(set(losses)) == len(losses)


def test_killed_again_and_again(tmp_path: Path) -> None:
    start_run(scripted(tmp_path / "whole"), Quiet(), never)
    with pytest.raises(Killed):
        start_run(scripted(tmp_path / "killed"), Killer(8), never)
    for _ in range(3):
        with pytest.raises(Killed):
            resume_run(tmp_path / "killed", Killer(7), never)
    resume_run(tmp_path / "killed", Quiet(), never)
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")


def test_a_process_that_is_killed_with_9_is_resumed_by_another(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from azr.config import load_config\n"
        "from azr.run.events import Quiet\n"
        "from azr.run.train import start_run\n"
        "class Kill(Quiet):\n"
        "    def stepped(self, report, numbers):\n"
        "        if report.step == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from pathlib import Path\n"
        "start_run(load_config(Path(sys.argv[1])), Kill(), lambda: False)\n"
    )
    from azr.config import dump_config

    path = tmp_path / "config.toml"
    path.write_text(dump_config(scripted(tmp_path / "killed")), "utf-8")
    done = subprocess.run([sys.executable, "-c", program, str(path)], env=os.environ.copy(), check=False)
    assert done.returncode == -signal.SIGKILL
    start_run(scripted(tmp_path / "whole"), Quiet(), never)
    resume_run(tmp_path / "killed", Quiet(), never)
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")


def test_stopping_politely_saves_the_step_and_resumes_from_it(tmp_path: Path) -> None:
    done: list[int] = []

    class Steps(Quiet):
        def stepped(self, report: StepReport, numbers: Numbers) -> None:
            done.append(report.step)

    result = start_run(scripted(tmp_path / "stopped"), Steps(), lambda: 3 in done)
    assert (result.step, result.complete) == (3, False)
    assert checkpoint.steps(tmp_path / "stopped" / "checkpoints")[-1] == 3
    start_run(scripted(tmp_path / "whole"), Quiet(), never)
    assert resume_run(tmp_path / "stopped", Quiet(), never).complete
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "whole")


def test_a_finished_run_resumes_to_nothing(tmp_path: Path) -> None:
    start_run(scripted(tmp_path / "run"), Quiet(), never)
    before = outcome(tmp_path / "run")
    assert resume_run(tmp_path / "run", Quiet(), never).complete
    assert outcome(tmp_path / "run") == before


def test_two_trainers_cannot_share_a_run(tmp_path: Path) -> None:
    start_run(scripted(tmp_path / "run"), Quiet(), never)
    holder = RunFolder.open(tmp_path / "run")
    with pytest.raises(RunError, match=rf"in use by process {os.getpid()}"):
        resume_run(tmp_path / "run", Quiet(), never)
    holder.close()
    assert resume_run(tmp_path / "run", Quiet(), never).complete


def test_a_damaged_checkpoint_is_named_and_not_used(tmp_path: Path) -> None:
    start_run(scripted(tmp_path / "run"), Quiet(), never)
    (tmp_path / "run" / "checkpoints" / "step_4" / "run.json").write_text("{}", "ascii")
    with pytest.raises(CheckpointError, match=r"step_4 is damaged: run\.json"):
        resume_run(tmp_path / "run", Quiet(), never)


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from azr.trainer.policy import StillPolicy

    start_run(scripted(tmp_path / "whole"), Quiet(), never)
    real = StillPolicy.save

    def save(self: StillPolicy, folder: Path) -> None:
        if self.step == 4:
            raise OSError(28, "No space left on device")
        real(self, folder)

    with monkeypatch.context() as patch:
        patch.setattr(StillPolicy, "save", save)
        with pytest.raises(CheckpointError, match=r"No space left on device.*last good checkpoint is .*step_2"):
            start_run(scripted(tmp_path / "full"), Quiet(), never)
    assert resume_run(tmp_path / "full", Quiet(), never).complete
    assert outcome(tmp_path / "full") == outcome(tmp_path / "whole")


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "ascii")
    with pytest.raises(RunError, match="cannot make the run folder"):
        start_run(scripted(tmp_path / "file" / "run"), Quiet(), never)


def test_a_new_run_never_overwrites_an_old_one(tmp_path: Path) -> None:
    start_run(scripted(tmp_path / "run"), Quiet(), never)
    with pytest.raises(RunError, match="already holds a run"):
        start_run(scripted(tmp_path / "run"), Quiet(), never)


def test_what_is_no_run_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run folder"):
        resume_run(tmp_path, Quiet(), never)
