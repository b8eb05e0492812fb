"""AdamW and the learning rate of each step."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from azr.config.schema import OptimConfig


def make_optimizer(parameters: Iterable[nn.Parameter], config: OptimConfig) -> torch.optim.AdamW:
    """Decoupled weight decay on everything, as in the reference."""
    trained = list(parameters)
    # On a GPU one kernel for all of it: the other forms hold a further copy of the gradients while they run.
    fused = True if all(parameter.is_cuda for parameter in trained) else None
    return torch.optim.AdamW(
        trained, lr=config.lr, betas=config.betas, eps=config.eps, weight_decay=config.weight_decay, fused=fused
    )


def learning_rate(config: OptimConfig, step: int, steps: int) -> float:
    """The rate of step 1..steps: a linear warm-up, then constant, or down to 0 by a line or half a cosine."""
    if step <= config.warmup_steps:
        return config.lr * step / config.warmup_steps
    done = (step - config.warmup_steps - 1) / max(1, steps - config.warmup_steps)
    factor = {"constant": 1.0, "linear": 1.0 - done, "cosine": 0.5 * (1.0 + math.cos(math.pi * done))}
    return config.lr * factor[config.schedule]
