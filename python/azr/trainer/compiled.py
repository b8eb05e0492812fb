"""torch.compile where it pays: on a GPU, which otherwise spends its time on small operations between matrix products.

Everything is compiled for dynamic lengths, on first use.
"""

from functools import cache
from typing import Any

import torch
from torch import nn

from azr.config import Config


@cache
def compiled(function: Any, device: str) -> Any:
    """A function for a kind of device: compiled on a GPU, unchanged on a CPU."""
    return torch.compile(function, dynamic=True) if device == "cuda" else function


def wanted(config: Config, device: str) -> bool:
    """Whether the layers of the trainer's model are to be compiled.

    Not if `generate` samples from the same model, which would compile for every cache length. Not for 4-bit weights,
    whose kernels are opaque to the compiler.
    """
    given = config.model
    packed = given.adapted and given.lora.base != "whole"
    return config.train.compile and device == "cuda" and config.engine.name != "transformers" and not packed


def compile_layers(model: Any, backend: str = "inductor") -> None:
    """Compile each decoder layer; all layers share the code."""
    layers: list[nn.Module] = list(model.get_decoder().layers)
    for layer in layers:
        layer.compile(dynamic=True, backend=backend)
