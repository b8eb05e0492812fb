"""PPO with a bound on the loss of bad tokens that became likely (dual clip, arXiv 1912.09729)."""

import torch
from torch import Tensor

from azr.config.schema import LossConfig
from azr.trainer.losses import ppo
from azr.trainer.losses.base import LossInputs


def loss(inputs: LossInputs, config: LossConfig) -> Tensor:
    """PPO's loss, and for A < 0 at most `-c A` with c = `dual_clip`."""
    plain = ppo.loss(inputs, config)
    bounded = torch.minimum(plain, -config.dual_clip * inputs.advantages)
    return torch.where(inputs.advantages < 0, bounded, plain)
