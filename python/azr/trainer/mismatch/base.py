"""The interface of mismatch corrections.

The engine samples from mu; the trainer treats the samples as drawn from its own policy pi. Both have the same weights,
but different kernels, precision and batches. Legend: B sequences of a micro-batch, L completion positions; w = pi / mu
of a token, `log_ratio` = log w, [B, L] without gradient, 0 at padding.

A correction returns a factor for each token's policy loss, [B, L]. With `train.old_log_probs = "engine"` mu takes the
place of pi_old, so the ratio already contains w and no correction is needed.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from azr.config.schema import MismatchConfig

Correction = Callable[[Tensor, Tensor, MismatchConfig], Tensor]
"""(log_ratio [B, L], mask [B, L], config) -> factor [B, L]; values at padding are ignored."""


def engine_kl(log_ratio: Tensor) -> Tensor:
    """The k3 estimate of KL(mu || pi) at each token drawn from mu: `w - 1 - log w`, never negative."""
    return torch.expm1(log_ratio) - log_ratio


def sequence_mean(log_ratio: Tensor, mask: Tensor) -> Tensor:
    """Mean of log w over each sequence's tokens, [B, 1]."""
    lengths = mask.sum(-1, keepdim=True).clamp(min=1)
    return log_ratio.masked_fill(~mask, 0.0).sum(-1, keepdim=True) / lengths
