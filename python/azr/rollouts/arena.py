"""Weights in memory shared by the trainer and the engine's process.

On a CPU the trainer's parameters are views of it, so that an update is one copy, by the engine. From a GPU or from
shards they are copied into it first.
"""

import math
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

ALIGNMENT = 64
"""Of each tensor, in bytes: a cache line."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Position of a tensor."""

    name: str
    dtype: str
    """Torch's name without `torch.`."""
    shape: tuple[int, ...]
    offset: int

    @property
    def bytes(self) -> int:
        """Of the tensor."""
        return math.prod(self.shape) * int(getattr(torch, self.dtype).itemsize)


class Arena:
    """Named tensors in one anonymous segment of shared memory."""

    def __init__(self, handle: int, slots: list[Slot]) -> None:
        """`handle`: a file descriptor of the memory; the arena owns it."""
        self.handle = handle
        self.slots = slots
        self._memory = mmap.mmap(handle, 0)
        self._tensors = {slot.name: self._view(slot) for slot in slots}

    @classmethod
    def like(cls, tensors: list[tuple[str, Tensor]]) -> "Arena":
        """Room for tensors of these names, types and shapes."""
        slots, offset = [], 0
        places: dict[tuple[int, tuple[int, ...]], int] = {}
        for name, tensor in tensors:
            # Tied weights are one tensor under two names.
            place = places.setdefault((tensor.data_ptr(), tuple(tensor.shape)), offset)
            slot = Slot(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), place)
            slots.append(slot)
            if place == offset:
                offset += -(-slot.bytes // ALIGNMENT) * ALIGNMENT
        handle = os.memfd_create("azr-weights")
        os.ftruncate(handle, max(offset, 1))
        return cls(handle, slots)

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        return iter(self._tensors.items())

    @property
    def bytes(self) -> int:
        """Size of all tensors; tied ones count once."""
        return sum({slot.offset: slot.bytes for slot in self.slots}.values())

    def close(self) -> None:
        """Close the handle. The memory lives as long as tensors use it."""
        os.close(self.handle)

    def _view(self, slot: Slot) -> Tensor:
        dtype = getattr(torch, slot.dtype)
        if slot.bytes == 0:
            return torch.empty(slot.shape, dtype=dtype)
        # One storage for each tensor: savers treat views of one storage as shared weights.
        count = slot.bytes // dtype.itemsize
        return torch.frombuffer(self._memory, dtype=dtype, count=count, offset=slot.offset).view(slot.shape)


def weights_of(model: Any) -> list[tuple[str, Tensor]]:
    """The model's parameters by the names of its checkpoints; a head tied to the embedding is named as well.

    vLLM silently keeps an old head if `lm_head.weight` is missing.
    """
    found = [(name, parameter.detach()) for name, parameter in model.named_parameters()]
    names = {name for name, _ in found}
    if getattr(model.config, "tie_word_embeddings", False) and "lm_head.weight" not in names:
        head = model.get_output_embeddings()
        found.append(("lm_head.weight", head.weight.detach()))
    return found


def whole(tensor: Tensor) -> Tensor:
    """The full tensor of a shard. Collective for a DTensor: every rank calls it in the same order."""
    gather = getattr(tensor, "full_tensor", None)
    return gather() if callable(gather) else tensor
