"""CISPO (arXiv 2506.13585): REINFORCE weighted by a clipped ratio without gradient: no token loses its own."""

from torch import Tensor

from azr.config.schema import LossConfig
from azr.trainer.losses.base import LossInputs


def loss(inputs: LossInputs, config: LossConfig) -> Tensor:
    """`-sg(min(rho, 1 + high)) A log pi`. `clip_low` has no part in it."""
    weight = inputs.ratio.detach().clamp(max=1.0 + config.clip_high)
    return -weight * inputs.advantages * inputs.log_probs
