"""Geometric sequence mask: drops whole completions whose mean log ratio is off, independent of length."""

from torch import Tensor

from azr.config.schema import MismatchConfig
from azr.trainer.mismatch.base import sequence_mean


def correct(log_ratio: Tensor, mask: Tensor, config: MismatchConfig) -> Tensor:
    """1 where low <= `exp(mean_t log w_t)` <= high, else 0, at every token of the sequence; low 0.99, high 1.01."""
    mean = sequence_mean(log_ratio, mask).exp()
    return ((mean >= config.low) & (mean <= config.high)).to(log_ratio.dtype).expand_as(log_ratio)
