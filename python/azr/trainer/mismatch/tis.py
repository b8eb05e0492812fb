"""Truncated importance sampling (Yao et al., "Your efficient RL framework secretly brings you off-policy training")."""

from torch import Tensor

from azr.config.schema import MismatchConfig


def correct(log_ratio: Tensor, mask: Tensor, config: MismatchConfig) -> Tensor:
    """`min(w, high)` at each token, high about 2. `low` is unused."""
    return log_ratio.exp().clamp(max=config.high)
