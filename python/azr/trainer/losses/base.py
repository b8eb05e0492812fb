"""The loss function interface.

Legend: B sequences of a micro-batch, L completion positions. All are [B, L]; padding is False in `mask`. A loss
function returns the loss of each token. Tokens are aggregated by `trainer/aggregation.py`, so that the split into
micro-batches does not change the gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from azr.config.schema import LossConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LossInputs:
    """log pi (with gradient), log pi_old, the advantage, and which positions are tokens."""

    log_probs: Tensor
    """[B, L]"""
    old_log_probs: Tensor
    """[B, L]"""
    advantages: Tensor
    """[B, L]"""
    mask: Tensor
    """[B, L]"""

    @property
    def ratio(self) -> Tensor:
        """rho = pi / pi_old of each token; 1 at padding."""
        return torch.exp((self.log_probs - self.old_log_probs).masked_fill(~self.mask, 0.0))


Loss = Callable[[LossInputs, LossConfig], Tensor]
"""Loss of each token, [B, L]; values at padding are ignored."""
