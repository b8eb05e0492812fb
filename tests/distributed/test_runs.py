"""Whole runs of several ranks: what they hold does not depend on how many there are, nor on one that dies."""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from azr.cli.ranks import begin
from azr.config import Config, dump_config, resolve
from azr.distributed.launch import RESTARTS, gpus_seen, launch
from azr.errors import ConfigError, RankError
from processes import END_SECONDS, Started, free_port, script, started, wait_for

pytestmark = pytest.mark.ranks
HERE = Path(__file__).parent
Held = Callable[[Path], list[Any]]
SIZES = [
    "engine.name=scripted", "propose.batch=6", "solve.batch=6", "solve.trials=4", "seeding.factor=1", "run.steps=5",
    "run.save_every=2", "evals.every=0",
]  # fmt: skip


def config_file(folder: Path, script: str, *more: str) -> Path:
    path = folder / "given.toml"
    path.write_text(dump_config(resolve({}, [*SIZES, f"engine.script={script}", *more])), "utf-8")
    return path


def scripted(*more: str) -> Config:
    return resolve({}, [*SIZES, "engine.script=azr.rollouts.demo:answer", *more])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    config = config_file(out, "azr.rollouts.demo:answer")
    script(HERE / "runs.py", out, config)
    return out


@pytest.mark.parametrize("world", [2, 4])
def test_a_run_holds_the_same_for_any_number_of_ranks(runs: Path, world: int, tasks: Held, numbers: Held) -> None:
    assert tasks(runs / str(world)) == tasks(runs / "1") != []
    assert numbers(runs / str(world)) == numbers(runs / "1")


def test_a_rank_killed_in_the_middle_of_a_step_costs_the_run_nothing(
    runs: Path, tmp_path: Path, tasks: Held, numbers: Held, environment: Callable[..., None]
) -> None:
    environment({"AZR_TEST_FATAL_CALL": "150"})
    config, said = config_file(tmp_path, "deadly:answer", f"run.folder={tmp_path / 'run'}"), list[str]()
    launch(["--config", str(config)], tmp_path / "run", 2, 1, said.append)
    assert "rank 1 died (signal SIGKILL)" in said[0] and "rank 0" in said[0] and "last heartbeat" in said[0]
    assert tasks(tmp_path / "run") == tasks(runs / "1")
    assert [row["step"] for row in numbers(tmp_path / "run")] == [0, 1, 2, 3, 4, 5]


def test_without_restarts_the_dead_rank_is_named(tmp_path: Path, environment: Callable[..., None]) -> None:
    environment({"AZR_TEST_FATAL_CALL": "150"})
    config = config_file(tmp_path, "deadly:answer", f"run.folder={tmp_path / 'run'}")
    with pytest.raises(RankError, match=r"rank 1 died \(signal SIGKILL\)"):
        launch(["--config", str(config)], tmp_path / "run", 2, 0, lambda line: None)


def train(config: Path, folder: Path) -> AbstractContextManager[Started]:
    """`azr train` as two ranks, in a session of its own, as a terminal would have it."""
    command = [sys.executable, "-m", "azr", "train", "--config", config, "--processes", "2", "--run", "r"]
    return started(command, cwd=folder)


def pids(run: Path) -> list[int]:
    return [json.loads(path.read_text("ascii"))["pid"] for path in run.glob("heartbeat.rank*.json")]


def gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text("ascii")


@pytest.mark.parametrize(
    ("number", "send"), [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_to_the_launcher_lets_the_ranks_finish_their_step_and_save(
    tmp_path: Path, number: signal.Signals, send: Callable[[int, int], None], environment: Callable[..., None]
) -> None:
    """A terminal's Ctrl-C goes to the whole process group, a supervisor's SIGTERM to the launcher alone."""
    environment({})
    with train(config_file(tmp_path, "azr.rollouts.demo:answer", "run.steps=100000"), tmp_path) as running:
        running.says("step 2 ")
        send(running.pid, number)
        rest = running.ends()
    assert rest.count("stopping after this step") == 1 and "Aborted" not in rest
    assert "go on with: azr train --resume r\n" in rest
    step = int(rest.split("stopped at step ")[1].split(";")[0])
    assert (tmp_path / "r" / "checkpoints" / f"step_{step}").is_dir()
    assert len(pids(tmp_path / "r")) == 2 and all(gone(pid) for pid in pids(tmp_path / "r"))


def test_ranks_whose_launcher_is_killed_finish_their_step_and_save(
    tmp_path: Path, environment: Callable[..., None]
) -> None:
    environment({})
    with train(config_file(tmp_path, "azr.rollouts.demo:answer", "run.steps=100000"), tmp_path) as running:
        running.says("step 2 ")
        running.process.kill()
        assert wait_for(pids(tmp_path / "r"), END_SECONDS) == []
        rest = running.output()
    assert rest.count("stopping after this step") == 1 and "Traceback" not in rest
    step = int(rest.split("stopped at step ")[1].split(";")[0])
    assert (tmp_path / "r" / "checkpoints" / f"step_{step}").is_dir()


def test_a_second_signal_to_the_launcher_drops_the_step(tmp_path: Path, environment: Callable[..., None]) -> None:
    environment({})
    with train(config_file(tmp_path, "halting:answer"), tmp_path) as running:
        running.says("halted")
        running.says("halted")
        os.killpg(running.pid, signal.SIGINT)
        running.says("stopping after this step")
        os.killpg(running.pid, signal.SIGINT)
        rest = running.ends(130)
    assert rest.count("the step was dropped, the last checkpoint stands; go on with: azr train --resume r\n") == 1
    assert "Aborted" not in rest and "Traceback" not in rest
    assert len(pids(tmp_path / "r")) == 2 and all(gone(pid) for pid in pids(tmp_path / "r"))


def torchrun(*options: str, config: Path, run: Path | None, cwd: Path | None = None) -> AbstractContextManager[Started]:
    """torchrun itself, on `azr train`. It would take `--run` for an option of its own."""
    command = [sys.executable, "-m", "torch.distributed.run", *options, "-m", "azr", "train", "--config", str(config)]
    given = ["--set", f"run.folder={run}"] if run else []
    return started([*command, *given], {"OMP_NUM_THREADS": "1"}, cwd)


def test_torchrun_starts_the_ranks_of_a_machine(runs: Path, tmp_path: Path, tasks: Held, numbers: Held) -> None:
    config = config_file(tmp_path, "azr.rollouts.demo:answer")
    with torchrun("--standalone", "--nproc-per-node", "2", config=config, run=tmp_path / "run") as agent:
        agent.ends()
    assert tasks(tmp_path / "run") == tasks(runs / "1")
    assert numbers(tmp_path / "run") == numbers(runs / "1")


@pytest.mark.parametrize("place", [["--standalone"], []], ids=["standalone", "static"])
def test_ranks_without_a_run_folder_share_one_and_find_it_again(
    runs: Path, tmp_path: Path, place: list[str], tasks: Held, numbers: Held, environment: Callable[..., None]
) -> None:
    """One of them is killed in the middle of a step, and torchrun starts the same command again."""
    environment({"AZR_TEST_FATAL_CALL": "150"})
    config = config_file(tmp_path, "deadly:answer")
    port = ["--master-port", str(free_port())] if not place else []
    options = [*place, *port, "--nproc-per-node", "2", "--max-restarts", "1"]
    with torchrun(*options, config=config, run=None, cwd=tmp_path) as agent:
        agent.ends()
    [run] = (tmp_path / "runs").iterdir()
    assert tasks(run) == tasks(runs / "1")
    assert [row["step"] for row in numbers(run)] == [0, 1, 2, 3, 4, 5]


def test_ranks_that_are_started_again_by_others_need_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing says where the first ones ran: better an error than a second run from nothing."""
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", RESTARTS: "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"need one run folder: give --set run\.folder"), begin(scripted(), None):
        pass


def test_runs_of_one_process_with_split_weights_do_not_meet(tmp_path: Path, environment: Callable[..., None]) -> None:
    """They have no address that a second run on the machine could take too."""
    environment({})
    with begin(scripted("ranks.sharding=full", f"run.folder={tmp_path / 'run'}"), None) as (_, folder, ranks):
        assert (ranks.world, ranks.gather(1), folder) == (1, [1], tmp_path / "run")
    assert "MASTER_PORT" not in os.environ and "RANK" not in os.environ


def test_two_nodes_are_one_run(runs: Path, tmp_path: Path, tasks: Held, numbers: Held) -> None:
    """Two agents of torchrun, each with a rank, that know each other by an address alone."""
    config = config_file(tmp_path, "azr.rollouts.demo:answer")
    address = ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
    place = ["--nnodes", "2", "--nproc-per-node", "1", *address]
    nodes = [torchrun(*place, "--node-rank", str(n), config=config, run=tmp_path / "run") for n in (0, 1)]
    with nodes[0] as first, nodes[1] as second:
        first.ends()
        second.ends()
    assert tasks(tmp_path / "run") == tasks(runs / "1")
    assert numbers(tmp_path / "run") == numbers(runs / "1")


def test_gpus_are_counted_without_torch(tmp_path: Path) -> None:
    assert gpus_seen({"CUDA_VISIBLE_DEVICES": "0,3"}) == 2
    assert gpus_seen({"CUDA_VISIBLE_DEVICES": ""}) == gpus_seen({"CUDA_VISIBLE_DEVICES": "-1"}) == 0
    (tmp_path / "0000:00:1e.0").mkdir()
    assert gpus_seen({}, tmp_path) == 1 and gpus_seen({}, tmp_path / "none") == 0
