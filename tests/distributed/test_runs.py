"""Whole runs of several ranks: what they hold does not depend on how many there are, nor on one that dies."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from azr.buffer import TaskBuffer
from azr.config import dump_config, resolve
from azr.distributed.launch import gpus_seen, launch
from azr.errors import RankError
from azr.types import Kind

HERE = Path(__file__).parent
SIZES = [
    "engine.name=scripted", "propose.batch=6", "solve.batch=6", "solve.attempts=4", "seeding.factor=1", "run.steps=5",
    "run.save_every=2", "evals.every=0",
]  # fmt: skip


def config_file(folder: Path, script: str, *more: str) -> Path:
    path = folder / "given.toml"
    path.write_text(dump_config(resolve({}, [*SIZES, f"engine.script={script}", *more])), "utf-8")
    return path


def tasks(run: Path) -> list[tuple[Any, ...]]:
    """All tasks of a run, with what was measured of them left out."""
    with_ids = TaskBuffer.open(run / "buffer", position=None)
    try:
        found = [task for kind in (*Kind,) for task in with_ids.get(with_ids.ids(kind))]
    finally:
        with_ids.close()
    return [(t.id, t.kind, t.program, t.inputs, t.step, t.references) for t in found]


def numbers(run: Path) -> list[dict[str, Any]]:
    """The metrics, without what the machine decides, and without attempts made in vain.

    Several ranks settle which proposals are duplicates later than one does, so they try more of them.
    """
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    skipped = ("seconds/", "memory/", "rollout/dropped")
    return [{name: value for name, value in row.items() if not name.startswith(skipped)} for row in rows]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    config = config_file(out, "azr.rollouts.demo:answer")
    done = subprocess.run(
        [sys.executable, str(HERE / "runs.py"), str(out), str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("world", [2, 4])
def test_a_run_holds_the_same_for_any_number_of_ranks(runs: Path, world: int) -> None:
    assert tasks(runs / str(world)) == tasks(runs / "1") != []
    assert numbers(runs / str(world)) == numbers(runs / "1")


def environment(monkeypatch: pytest.MonkeyPatch, more: Mapping[str, str]) -> None:
    for name, value in {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{HERE}", **more}.items():
        monkeypatch.setenv(name, value)
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_a_rank_killed_in_the_middle_of_a_step_costs_the_run_nothing(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, {"AZR_TEST_FATAL_CALL": "150"})
    config, said = config_file(tmp_path, "deadly:answer", f"run.folder={tmp_path / 'run'}"), list[str]()
    launch(["--config", str(config)], tmp_path / "run", 2, 1, said.append)
    assert "rank 1 died (signal SIGKILL)" in said[0] and "rank 0" in said[0] and "last heartbeat" in said[0]
    assert tasks(tmp_path / "run") == tasks(runs / "1")
    assert [row["step"] for row in numbers(tmp_path / "run")] == [0, 1, 2, 3, 4, 5]


def test_without_restarts_the_dead_rank_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, {"AZR_TEST_FATAL_CALL": "150"})
    config = config_file(tmp_path, "deadly:answer", f"run.folder={tmp_path / 'run'}")
    with pytest.raises(RankError, match=r"rank 1 died \(signal SIGKILL\)"):
        launch(["--config", str(config)], tmp_path / "run", 2, 0, lambda line: None)


def torchrun(*options: str, config: Path, run: Path) -> "subprocess.Popen[str]":
    """torchrun itself, on `azr train`. It would take `--run` for an option of its own."""
    command = [sys.executable, "-m", "torch.distributed.run", *options, "-m", "azr", "train", "--config", str(config)]
    own = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    return subprocess.Popen(
        [*command, "--set", f"run.folder={run}"], env=own | {"OMP_NUM_THREADS": "1"}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_torchrun_starts_the_ranks_of_a_machine(runs: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, "azr.rollouts.demo:answer")
    started = torchrun("--standalone", "--nproc-per-node", "2", config=config, run=tmp_path / "run")
    said, _ = started.communicate()
    assert started.returncode == 0, said
    assert tasks(tmp_path / "run") == tasks(runs / "1")
    assert numbers(tmp_path / "run") == numbers(runs / "1")


def test_two_nodes_are_one_run(runs: Path, tmp_path: Path) -> None:
    """Two agents of torchrun, each with a rank, that know each other by an address alone."""
    config = config_file(tmp_path, "azr.rollouts.demo:answer")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = ["--nnodes", "2", "--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", str(port)]
    nodes = [torchrun(*place, "--node-rank", str(n), config=config, run=tmp_path / "run") for n in (0, 1)]
    said = [node.communicate()[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], "\n".join(said)
    assert tasks(tmp_path / "run") == tasks(runs / "1")
    assert numbers(tmp_path / "run") == numbers(runs / "1")


def test_gpus_are_counted_without_torch(tmp_path: Path) -> None:
    assert gpus_seen({"CUDA_VISIBLE_DEVICES": "0,3"}) == 2
    assert gpus_seen({"CUDA_VISIBLE_DEVICES": ""}) == gpus_seen({"CUDA_VISIBLE_DEVICES": "-1"}) == 0
    (tmp_path / "0000:00:1e.0").mkdir()
    assert gpus_seen({}, tmp_path) == 1 and gpus_seen({}, tmp_path / "none") == 0
