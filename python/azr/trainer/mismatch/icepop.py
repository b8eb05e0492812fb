"""IcePop, or token-level masked importance sampling (arXiv 2510.18855, section on IcePop): outliers get no gradient."""

import torch
from torch import Tensor

from azr.config.schema import MismatchConfig


def correct(log_ratio: Tensor, mask: Tensor, config: MismatchConfig) -> Tensor:
    """`w` where low <= w <= high, else 0; low 0.5, high 2 to 5."""
    ratio = log_ratio.exp()
    return torch.where((ratio >= config.low) & (ratio <= config.high), ratio, torch.zeros_like(ratio))
