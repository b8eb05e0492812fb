"""AdamW and the learning rate of each step."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from azr.config.schema import OptimConfig

EPS = 1e-8


def make_optimizer(parameters: Iterable[nn.Parameter], config: OptimConfig) -> torch.optim.AdamW:
    """AdamW with decoupled weight decay on all parameters, as in the paper's code."""
    trained = list(parameters)
    # On a GPU the fused kernel: other forms hold an extra copy of the gradients.
    fused = True if all(parameter.is_cuda for parameter in trained) else None
    return torch.optim.AdamW(
        trained, lr=config.lr, betas=config.betas, eps=EPS, weight_decay=config.weight_decay, fused=fused
    )


def learning_rate(config: OptimConfig, step: int, steps: int) -> float:
    """The learning rate at step 1..steps: linear warm-up, then constant, linear or cosine decay to 0."""
    if step <= config.warmup_steps:
        return config.lr * step / config.warmup_steps
    done = (step - config.warmup_steps - 1) / max(1, steps - config.warmup_steps)
    factor = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}
    return config.lr * factor[config.schedule]
