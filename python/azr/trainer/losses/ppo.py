"""PPO's clipped surrogate (arXiv 1707.06347); with `clip_high` above `clip_low` DAPO's clip-higher (2503.14476)."""

import torch
from torch import Tensor

from azr.config.schema import LossConfig
from azr.trainer.losses.base import LossInputs


def loss(inputs: LossInputs, config: LossConfig) -> Tensor:
    """`-min(rho A, clip(rho, 1 - low, 1 + high) A)`."""
    ratio = inputs.ratio
    clipped = ratio.clamp(1.0 - config.clip_low, 1.0 + config.clip_high)
    return -torch.minimum(ratio * inputs.advantages, clipped * inputs.advantages)
