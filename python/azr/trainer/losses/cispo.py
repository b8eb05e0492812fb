"""CISPO (arXiv 2506.13585): clipped stop-gradient ratio; clipped tokens keep their gradients."""

from torch import Tensor

from azr.config.schema import LossConfig
from azr.trainer.losses.base import LossInputs


def loss(inputs: LossInputs, config: LossConfig) -> Tensor:
    """`-sg(min(rho, 1 + high)) A log pi`. `clip_low` is unused."""
    weight = inputs.ratio.detach().clamp(max=1.0 + config.clip_high)
    return -weight * inputs.advantages * inputs.log_probs
