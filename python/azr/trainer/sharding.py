"""Weights on several ranks: replicated, or sharded (FSDP2).

The loss is a weighted sum over the tokens of all ranks, so gradients are summed, never averaged: the divisor is in the
token weights, and the gradient is the same for any number of ranks.
"""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from azr.config import Config
from azr.distributed.ranks import Ranks
from azr.errors import CheckpointError
from azr.trainer.packing import MicroBatch
from azr.trainer.scoring import score
from azr.trainer.state import MOMENTS

if TYPE_CHECKING:
    from concurrent.futures import Future

    from torch.distributed import ProcessGroup

STATE = "state"
"""Folder of a checkpoint with sharded weights and optimizer state."""
BUCKET = 1 << 25
"""Elements per all-reduce."""


class Scorer(nn.Module):
    """FSDP root: the model with its head; its parameters stay gathered for one pass."""

    def __init__(self, model: Any, config: Config) -> None:
        super().__init__()
        self.model = model
        self._full_head = config.train.full_precision_head
        self._low = config.model.compute == "bfloat16"
        self._compute = torch.bfloat16 if self._low else None
        self._padded = config.train.attention == "padded"
        self.lean = True
        """Whether small models on a CPU may use `cpu_forward`."""

    def forward(self, micro_batch: MicroBatch, temperature: float) -> tuple[Tensor, Tensor]:
        """log pi and entropy of the micro-batch's targets, both [B, C], at the temperature of the sampling."""
        device = micro_batch.ids.device.type
        product = (torch.float32 if self._full_head else torch.bfloat16) if self._low else None
        with torch.autocast(device, torch.bfloat16, enabled=self._low and self.lean):
            return score(self.model, micro_batch, temperature, product, self.lean, self._padded, self._compute)


def whole_copy(model: Any, config: Config, device: torch.device) -> Any:
    """A full copy for engines, in the compute type. A copy that only passes weights on is in CPU memory.

    Each weight is cast as it is copied, so there is never a second copy in the model's own type. Buffers keep their
    type, as when a model is loaded in another type: rotary positions in bfloat16 are wrong.
    """
    place = device if config.engine.name == "transformers" else torch.device("cpu")
    dtype = getattr(torch, config.model.compute)
    # The memo of `copy.deepcopy`, which is by identity.
    cast_copies: dict[int, Any] = {
        id(p): nn.Parameter(p.detach().to(place, dtype, copy=True), requires_grad=False) for p in model.parameters()
    }
    return copy.deepcopy(model, cast_copies).train(False).to(place)


def shard(scorer: Scorer, config: Config) -> None:
    """Shard the parameters over all ranks, layer by layer."""
    from torch.distributed.fsdp import CPUOffloadPolicy, FSDPModule, MixedPrecisionPolicy, OffloadPolicy, fully_shard

    low = torch.bfloat16 if config.model.compute == "bfloat16" else None
    offload = CPUOffloadPolicy(pin_memory=torch.cuda.is_available()) if config.ranks.offload else OffloadPolicy()
    options: dict[str, Any] = {
        "mp_policy": MixedPrecisionPolicy(param_dtype=low, reduce_dtype=torch.float32 if low else None),
        "offload_policy": offload,
    }
    scorer.lean = False
    for layer in scorer.model.get_decoder().layers:
        fully_shard(layer, **options)
    # By default parameters outside of the layers stay gathered until a backward pass, and some passes have none.
    fully_shard(scorer, reshard_after_forward=True, **options)
    for module in scorer.modules():
        if isinstance(module, FSDPModule):
            # A sum over ranks: the divisor is already in the token weights.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)


def sum_gradients(parameters: Iterable[nn.Parameter], ranks: Ranks) -> None:
    """All-reduce the gradients of replicated weights, in buckets."""
    if ranks.world == 1:
        return
    import torch.distributed as dist

    bucket: list[Tensor] = []

    def reduce() -> None:
        flat = torch.cat([gradient.flatten() for gradient in bucket])
        dist.all_reduce(flat)
        for gradient, summed in zip(bucket, torch.split(flat, [g.numel() for g in bucket]), strict=True):
            gradient.copy_(summed.view_as(gradient))
        bucket.clear()

    for parameter in parameters:
        if parameter.grad is not None:
            bucket.append(parameter.grad)
            if sum(gradient.numel() for gradient in bucket) >= BUCKET:
                reduce()
    if bucket:
        reduce()


def gather_into(whole: Any, split: Any) -> None:
    """Copy sharded weights into a full model. Collective."""
    with torch.no_grad():
        for target, source in zip(whole.parameters(), split.parameters(), strict=True):
            target.copy_(source.full_tensor())


def save_split(
    model: Any, optimizer: torch.optim.Optimizer, folder: Path, aside: "ProcessGroup | None"
) -> "Future[None] | None":
    """Write each rank's shards of weights and optimizer state.

    Args:
        aside: connections of the thread that writes while training goes on; without them it is written on return.
    """
    from torch.distributed.checkpoint.state_dict_saver import async_save, save

    state = _state(model, optimizer)
    if aside is None:
        save(state, checkpoint_id=folder / STATE)
        return None
    return cast("Future[None]", async_save(state, checkpoint_id=folder / STATE, process_group=aside))


def load_split(model: Any, optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """Read weights and optimizer state into this run's shards, however they were sharded when saved."""
    import torch.distributed as dist
    from torch.distributed.checkpoint.filesystem import FileSystemReader
    from torch.distributed.checkpoint.state_dict_loader import load

    reader = FileSystemReader(folder / STATE)
    saved = reader.read_metadata().state_dict_metadata
    state: dict[str, Any] = {f"weights/{name}": p.detach() for name, p in model.named_parameters()}
    moments: dict[Tensor, Any] = {}
    for name, parameter in model.named_parameters():
        if f"optimizer/{name}/step" in saved:
            own = {key: torch.zeros_like(parameter, requires_grad=False) for key in MOMENTS[1:]}
            moments[parameter] = {"step": torch.zeros(()), **own}
            state |= {f"optimizer/{name}/{key}": value for key, value in moments[parameter].items()}
    missing = sorted(state.keys() - saved.keys())
    if missing:
        raise CheckpointError(f"{folder} holds another model: it has no {missing[0]}")
    load(state, storage_reader=reader, no_dist=not dist.is_initialized())
    optimizer.state.clear()
    optimizer.state.update(moments)


def _state(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for name, parameter in model.named_parameters():
        state[f"weights/{name}"] = parameter.detach()
        if found := optimizer.state.get(parameter):
            state |= {f"optimizer/{name}/{key}": found[key] for key in MOMENTS}
    return state
