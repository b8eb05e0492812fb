"""What a correction gets.

The engine samples from mu, the trainer takes the samples for its own policy pi (as it was when they were drawn): both
have the same weights, and other kernels, other precision, other batches. Legend: B sequences of a micro-batch, L
completion positions; w = pi / mu of a token, `log_ratio` = log w, [B, L] without gradient, 0 at padding.

A correction gives what each token's policy loss is multiplied by, [B, L]. With `train.old_log_probs = "engine"` mu
stands in the loss for pi_old, its ratio has w in it already, and there is nothing left to correct.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from azr.config.schema import MismatchConfig

Correction = Callable[[Tensor, Tensor, MismatchConfig], Tensor]
"""(log_ratio [B, L], mask [B, L], config) -> factor [B, L]; what stands at padding is ignored."""


def engine_kl(log_ratio: Tensor) -> Tensor:
    """The k3 estimate of KL(mu || pi) at each token drawn from mu: `w - 1 - log w`, never negative."""
    return torch.expm1(log_ratio) - log_ratio


def sequence_mean(log_ratio: Tensor, mask: Tensor) -> Tensor:
    """Mean of log w over each sequence's tokens, [B, 1]."""
    lengths = mask.sum(-1, keepdim=True).clamp(min=1)
    return log_ratio.masked_fill(~mask, 0.0).sum(-1, keepdim=True) / lengths
