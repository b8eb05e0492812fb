"""What vLLM's process is told."""

import pytest
from azr.config import resolve
from azr.errors import ConfigError
from azr.rollouts.vllm_options import environment

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


def test_engines_of_several_gpus_on_several_ranks_are_refused() -> None:
    with pytest.raises(ConfigError, match="tensor_parallel above 1 needs a run of one rank"):
        environment(resolve({}, ["engine.vllm.tensor_parallel=2"]), cpu=False, own=RANK)
