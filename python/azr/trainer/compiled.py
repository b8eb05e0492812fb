"""torch.compile where it pays: on a GPU, whose time would go into small operations between the matrix products.

Pieces are of any length, so everything is compiled for any. What is compiled is compiled when it is first used.
"""

from functools import cache
from typing import Any

import torch
from torch import nn

from azr.config import Config


@cache
def compiled(function: Any, device: str) -> Any:
    """A function for a kind of device: compiled on a GPU, as it is on a CPU."""
    return torch.compile(function, dynamic=True) if device == "cuda" else function


def wanted(config: Config, device: str) -> bool:
    """Whether the layers of the trainer's model are to be compiled.

    Not where `generate` samples from the same model: there every length of the cache would be compiled for. Not where
    weights are unpacked from four bits by kernels that the compiler cannot see through.
    """
    given = config.model
    packed = given.adapted and given.lora.base != "whole"
    return config.train.compile and device == "cuda" and config.engine.name != "transformers" and not packed


def compile_layers(model: Any, backend: str = "inductor") -> None:
    """Compile each decoder layer; all of them share the code."""
    layers: list[nn.Module] = list(model.get_decoder().layers)
    for layer in layers:
        layer.compile(dynamic=True, backend=backend)
