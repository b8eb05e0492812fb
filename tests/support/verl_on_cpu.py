"""What verl's trainer lacks where there is no accelerator. `VERL_USE_EXTERNAL_MODULES=verl_on_cpu` brings it in.

verl takes platforms and rollout servers from outside, and has none for a CPU: the platform here is one. The rollout
server stands in for vLLM: it is handed the actor's weights and scores tokens with them, but says what it is told to.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import ray
import torch
import torch.distributed
from tiny_models import digest, log_probs
from verl.plugin.platform import PlatformBase, PlatformRegistry

ROLLOUT = "stand_in"
ANSWERS = "STAND_IN_ANSWERS"
"""Variable that names a JSON file: by prompt, what is said at the first time of asking, the second, and so on."""
WEIGHTS = "STAND_IN_WEIGHTS"
"""Variable that names a file: a line with step and digest for each set of weights that the server is handed."""


class Device(ModuleType):
    """`torch.cpu`, with what verl calls on `torch.cuda` only."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.cpu, name)

    def empty_cache(self) -> None:
        """There is none."""

    def memory_allocated(self) -> int:
        """Not counted."""
        return 0

    memory_reserved = max_memory_allocated = max_memory_reserved = memory_allocated

    def mem_get_info(self) -> tuple[int, int]:
        return 0, 0

    def get_device_name(self) -> str:
        return "CPU"


@PlatformRegistry.register(platform="cpu")
class PlatformCPU(PlatformBase):
    """Its devices are the logical GPUs that Ray is told of: each is a process."""

    device_name = vendor_name = "cpu"
    device_module = Device("cpu")

    def is_available(self) -> bool:
        return True

    def current_device(self) -> Any:
        return "cpu"  # a number would be a device of CUDA

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None:
        pass

    def synchronize(self, device_index: int | None = None) -> None:
        pass

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def set_allocator_settings(self, settings: str) -> None:
        pass

    def empty_cache(self) -> None:
        pass

    def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None:
        pass

    def profiler_stop(self) -> None:
        pass

    def ray_resource_name(self) -> str:
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False

    def cudart(self) -> None:
        pass


def _name_the_cpu_once() -> None:
    """verl asks for gloo on the CPU, and for the platform's backend on its device: torch takes no device twice."""
    inner = torch.distributed.init_process_group

    def init(backend: str | None = None, *args: Any, **more: Any) -> None:
        inner("cpu:gloo" if backend == "cpu:gloo,cpu:gloo" else backend, *args, **more)

    torch.distributed.init_process_group = init


_name_the_cpu_once()

# They ask for the platform as they are imported.
from verl.workers.rollout import base, replica  # noqa: E402


class Adapter(base.BaseRollout):
    """In the actor's process: hands its weights over."""

    async def resume(self, tags: list[str]) -> None:
        pass

    async def release(self) -> None:
        pass

    async def update_weights(self, weights: Iterable[tuple[str, Any]], **more: Any) -> None:
        found = {name: weight.detach().float() for name, weight in weights}
        await ray.get_actor(ROLLOUT).take.remote(found, more["global_steps"])


class Server:
    """In a process of its own."""

    def __init__(self, path: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(path)
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        self.answers = json.loads(Path(os.environ[ANSWERS]).read_text("utf-8"))
        self.asked: Counter[str] = Counter()
        self.step: int | None = None

    async def take(self, weights: dict[str, torch.Tensor], step: int) -> None:
        self.model.load_state_dict(weights, strict=False)
        self.step = step
        with Path(os.environ[WEIGHTS]).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "digest": digest(self.model.state_dict())}) + "\n")

    async def generate(self, prompt_ids: list[int], **more: Any) -> Any:
        text = self.tokenizer.decode(prompt_ids)
        (prompt,) = (prompt for prompt in self.answers if prompt in text)
        said = self.answers[prompt][self.asked[prompt]]
        self.asked[prompt] += 1
        ids = [*self.tokenizer(said)["input_ids"], self.tokenizer.eos_token_id]
        return replica.TokenOutput(
            token_ids=ids, log_probs=log_probs(self.model, prompt_ids, ids).tolist(), stop_reason="completed",
            extra_fields={"global_steps": self.step},
        )  # fmt: skip

    async def sleep(self) -> None:
        pass

    async def wake_up(self) -> None:
        pass


class Replica(replica.RolloutReplica):
    """Starts the server."""

    async def launch_servers(self) -> None:
        server = ray.remote(Server).options(name=ROLLOUT, num_cpus=0).remote(self.model_config.path)
        self.servers, self._server_handle, self._server_address = [server], server, ROLLOUT


base._ROLLOUT_REGISTRY[ROLLOUT, "async"] = f"{__name__}.{Adapter.__name__}"
replica.RolloutReplicaRegistry.register(ROLLOUT, lambda: Replica)
