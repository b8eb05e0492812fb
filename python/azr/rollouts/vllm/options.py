"""vLLM's arguments and environment from the config."""

import math
import os
from collections.abc import Mapping
from typing import Any

from azr.config import Config
from azr.errors import ConfigError
from azr.types import Role

BLOCK = 32
"""Tokens of a cache block on a CPU. vLLM's default of 128 would keep short prompts from being shared."""
LEAST_BATCHED_TOKENS = 8192
LAUNCHER = tuple(
    ["RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "ROLE_RANK", "MASTER_ADDR", "MASTER_PORT"]
)
"""Variables that torchrun sets. The engine must not inherit them: it would wait for other ranks."""


def engine_arguments(config: Config, *, cpu: bool) -> dict[str, Any]:
    """Arguments of vLLM's engine. Weights come from the trainer."""
    from azr.trainer.model import locate

    given = config.engine.vllm
    plain = all(config.sampling.of(role).temperature in (0.0, 1.0) for role in Role)
    length = config.prompt.max_tokens + config.sampling.longest
    found: dict[str, Any] = {
        "model": locate(config.model.name),
        "load_format": "dummy",
        "skip_tokenizer_init": True,
        "dtype": given.dtype if given.dtype != "auto" else config.model.compute,
        "seed": 0,
        "max_model_len": _fitting(locate(config.model.name), length),
        "max_num_seqs": config.engine.batch,
        "tensor_parallel_size": given.tensor_parallel,
        "enable_prefix_caching": True,
        "scheduling_policy": "priority",
        # Before temperature where it is 1, so that truncation leaves them unchanged; otherwise after it.
        "logprobs_mode": "raw_logprobs" if plain else "processed_logprobs",
        "enable_sleep_mode": given.sleep and not cpu,
        "disable_log_stats": True,
    }
    if cpu:
        # A prompt in chunks needs to rewind vLLM's random state of a request, which a CPU cannot do.
        found |= {"enable_chunked_prefill": False, "enforce_eager": True, "block_size": BLOCK}
        found["max_num_batched_tokens"] = max(LEAST_BATCHED_TOKENS, found["max_model_len"])
    else:
        found["gpu_memory_utilization"] = given.memory
    return found | dict(given.options)


def environment(config: Config, cpu: bool, own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of vLLM's process: not a rank, and with the GPUs of the ranks that share it.

    These are the rank's own GPU and, for a shared engine, those of the next ranks on the machine. In a run of one rank
    it sees all GPUs.
    """
    inherited = {name: value for name, value in own.items() if name not in LAUNCHER and "TORCHELASTIC" not in name}
    several = config.engine.vllm.tensor_parallel
    alone = several > 1 and int(own.get("WORLD_SIZE", "1")) == 1
    if not cpu and "LOCAL_RANK" in own and not alone:
        first = int(own["LOCAL_RANK"])
        visible = own.get("CUDA_VISIBLE_DEVICES", "").split(",")
        named = visible if visible[0] and len(visible) >= first + several else [str(n) for n in range(first + several)]
        inherited["CUDA_VISIBLE_DEVICES"] = ",".join(named[first : first + several])
    return inherited | _settings(config, cpu)


def check_groups(config: Config, world: int, machine: int) -> None:
    """Ranks share engines in groups of `engine.vllm.tensor_parallel`, unless there is one rank alone.

    Args:
        world: how many ranks the run has.
        machine: how many of them this machine has.

    Raises:
        ConfigError: not a multiple of `engine.vllm.tensor_parallel`.
    """
    size = config.engine.vllm.tensor_parallel
    if world > 1 and (world % size or machine % size):
        raise ConfigError(
            f"engine.vllm.tensor_parallel = {size}: that many ranks of one machine share an engine, so the number of"
            f" ranks ({world}, {machine} on this machine) must be a multiple of it"
        )


def _settings(config: Config, cpu: bool) -> dict[str, str]:
    """vLLM's settings in the environment."""
    found = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        # azr's limits apply first: vLLM's own are ten and five minutes, which a busy machine can exceed.
        "VLLM_ENGINE_READY_TIMEOUT_S": f"{math.ceil(2 * config.engine.vllm.start_seconds)}",
        "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS": f"{math.ceil(2 * config.engine.vllm.stuck_seconds)}",
        "VLLM_LOGGING_LEVEL": os.environ.get("VLLM_LOGGING_LEVEL", "WARNING"),
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
    }
    if config.engine.vllm.tensor_parallel == 1:
        found["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # this process is already separate
    if cpu:
        found["VLLM_CPU_KVCACHE_SPACE"] = str(config.engine.vllm.cache_gib)
        if config.engine.vllm.tensor_parallel > 1:
            # By default it wants one NUMA node per worker, and most machines have one in all.
            found["VLLM_CPU_OMP_THREADS_BIND"] = os.environ.get("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    if config.engine.vllm.threads:
        found["OMP_NUM_THREADS"] = str(config.engine.vllm.threads)
    return found


def check(config: Config) -> None:
    """Reject settings that the engine cannot fulfil.

    Raises:
        ConfigError: names the keys.
    """
    import importlib.util

    if importlib.util.find_spec("vllm") is None:
        raise ConfigError("engine.name = 'vllm', but vllm is not installed: see `azr doctor`")
    roles = [config.sampling.of(role) for role in Role]
    heated = [given.temperature for given in roles if given.temperature not in (0.0, 1.0)]
    if heated and any(given.top_p < 1.0 or given.top_k > 0 for given in roles):
        raise ConfigError(
            f"engine.name = 'vllm' with sampling.temperature = {heated[0]} cannot be combined with"
            " sampling.top_p or sampling.top_k: vLLM gives log-probabilities before both or after both"
        )


def _fitting(source: str, length: int) -> int:
    """The context length, at most the model's."""
    from transformers import AutoConfig

    own = getattr(AutoConfig.from_pretrained(source), "max_position_embeddings", None)
    return min(length, own) if own else length
