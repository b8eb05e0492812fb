"""GSPO (arXiv 2507.18071): length-normalised sequence ratio, clipped once."""

import torch
from torch import Tensor

from azr.config.schema import LossConfig
from azr.trainer.losses.base import LossInputs


def loss(inputs: LossInputs, config: LossConfig) -> Tensor:
    """`-min(s A, clip(s, 1 - low, 1 + high) A)` at every token, with s = (pi/pi_old)^(1/length).

    The token form: s has the sequence's value and each token's gradient, `sg(s) pi / sg(pi)`; with `sequence_mean` the
    gradient is the paper's sequence form.
    """
    lengths = inputs.mask.sum(-1, keepdim=True).clamp(min=1)
    log_ratio = (inputs.log_probs - inputs.old_log_probs).masked_fill(~inputs.mask, 0.0)
    sequence = (log_ratio.sum(-1, keepdim=True) / lengths).detach()
    own = (inputs.log_probs - inputs.log_probs.detach()).masked_fill(~inputs.mask, 0.0)
    ratio = torch.exp(sequence + own)
    clipped = ratio.clamp(1.0 - config.clip_low, 1.0 + config.clip_high)
    return -torch.minimum(ratio * inputs.advantages, clipped * inputs.advantages)
