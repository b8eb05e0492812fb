"""What vLLM's process is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from azr.config import Config, resolve
from azr.errors import ConfigError
from azr.rollouts.vllm import engine as vllm
from azr.rollouts.vllm.options import check_groups, environment
from azr.rollouts.vllm.wire import NUMBERS
from azr.trainer.model import load_model

pytestmark = pytest.mark.torch

RANK = {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "here", "MASTER_PORT": "1", "HOME": "/home/a"}
CONFIG = resolve({}, ["engine.vllm.cache_gib=3", "engine.vllm.threads=2"])


def test_the_engine_of_a_rank_is_no_rank_and_runs_on_its_gpu() -> None:
    found = environment(CONFIG, cpu=False, own=RANK | {"TORCHELASTIC_RUN_ID": "x", "CUDA_VISIBLE_DEVICES": "4,6"})
    assert found["CUDA_VISIBLE_DEVICES"] == "6" and found["HOME"] == "/home/a"
    assert not {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID"} & set(found)
    assert environment(CONFIG, cpu=False, own=RANK)["CUDA_VISIBLE_DEVICES"] == "1"


def test_alone_it_sees_what_the_trainer_sees() -> None:
    found = environment(CONFIG, cpu=True, own={"HOME": "/home/a"})
    assert "CUDA_VISIBLE_DEVICES" not in found
    assert (found["VLLM_CPU_KVCACHE_SPACE"], found["OMP_NUM_THREADS"]) == ("3", "2")
    assert (found["OMP_WAIT_POLICY"], found["VLLM_ENABLE_V1_MULTIPROCESSING"]) == ("PASSIVE", "0")


def test_vllm_gives_up_later_than_the_config_says() -> None:
    config = resolve({}, ["engine.vllm.start_seconds=1800.5", "engine.vllm.stuck_seconds=1200"])
    found = environment(config, cpu=True, own={})
    assert found["VLLM_ENGINE_READY_TIMEOUT_S"] == "3601"
    assert found["VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS"] == "2400"


SHARED = resolve({}, ["engine.name=vllm", "engine.vllm.tensor_parallel=2"])


def test_an_engine_of_several_gpus_runs_on_those_of_the_ranks_that_share_it() -> None:
    first = RANK | {"LOCAL_RANK": "2"}
    found = environment(SHARED, cpu=False, own=first | {"CUDA_VISIBLE_DEVICES": "4,6,0,1"})
    assert found["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert environment(SHARED, cpu=False, own=first)["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert "VLLM_ENABLE_V1_MULTIPROCESSING" not in found and not {"RANK", "WORLD_SIZE"} & set(found)


def test_a_run_of_one_rank_leaves_its_engine_all_gpus() -> None:
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    assert "CUDA_VISIBLE_DEVICES" not in environment(SHARED, cpu=False, own=alone)


def test_workers_on_a_cpu_need_no_numa_node_each() -> None:
    assert environment(SHARED, cpu=True, own={})["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    assert "VLLM_CPU_OMP_THREADS_BIND" not in environment(CONFIG, cpu=True, own={})


def test_ranks_that_make_no_whole_groups_are_refused() -> None:
    check_groups(SHARED, world=8, machine=4)
    check_groups(SHARED, world=1, machine=1)
    check_groups(resolve({}, ["engine.name=vllm"]), world=3, machine=3)
    for world, machine in ((3, 3), (6, 3)):
        with pytest.raises(ConfigError, match=rf"tensor_parallel = 2: .* ranks \({world}, {machine} on this machine\)"):
            check_groups(SHARED, world, machine)


class Told:
    """An engine's process that only keeps what it is told; every token has the log-probability 0."""

    def __init__(self, environment: Mapping[str, str], handles: Sequence[int], patience: float) -> None:
        self.environment = environment
        self.start: dict[str, Any] = {}

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        self.start = header

    def note_shared_memory(self) -> None:
        pass

    def receive(self, seconds: float) -> tuple[dict[str, Any], bytes]:
        return {"op": "ready", "length": 64, "direct": True}, b""

    def ask(self, header: dict[str, Any], *_: Any) -> tuple[dict[str, Any], bytes]:
        return {}, np.zeros(sum(length - 1 for length in header["lengths"]), dtype=NUMBERS).tobytes()


def started(config: Config, monkeypatch: pytest.MonkeyPatch) -> Told:
    """The process that an engine starts for a model in the CPU's memory, which itself computes nothing."""
    monkeypatch.setattr(vllm, "EngineProcess", Told)
    loaded = load_model(config.model, whole=False)
    monkeypatch.setattr(loaded.model, "forward", lambda **_: pytest.fail("a copy was read, not the trainer"))
    engine = vllm.make(loaded.tokenizer, config)
    engine.trainer = lambda rows: np.zeros(sum(len(row) - 1 for row in rows))
    engine.load(loaded.model)
    assert isinstance(engine._process, Told)
    return engine._process


def test_an_engine_runs_on_the_gpu_though_its_weights_come_from_the_cpus_memory(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they do where weights are split over ranks, or an adapter is merged into a copy."""
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    settings = [f"model.name={tiny_model}", "engine.vllm.memory=0.55", "engine.vllm.sleep=true"]
    told = started(resolve({}, [*settings, "model.device=cuda"]), monkeypatch)
    assert told.environment["CUDA_VISIBLE_DEVICES"] == "1" and "VLLM_CPU_KVCACHE_SPACE" not in told.environment
    args = told.start["args"]
    assert (args["gpu_memory_utilization"], args["enable_sleep_mode"]) == (0.55, True)
    assert "enforce_eager" not in args

    told = started(resolve({}, [*settings, "model.device=cpu"]), monkeypatch)
    assert "CUDA_VISIBLE_DEVICES" not in told.environment and "gpu_memory_utilization" not in told.start["args"]
