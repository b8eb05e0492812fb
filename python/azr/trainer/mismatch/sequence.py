"""Sequence-level masked importance sampling (Liu et al., "When speed kills stability"): whole completions or none."""

import torch
from torch import Tensor

from azr.config.schema import MismatchConfig
from azr.trainer.mismatch.base import sequence_mean


def correct(log_ratio: Tensor, mask: Tensor, config: MismatchConfig) -> Tensor:
    """`W = prod_t w_t` at every token of the sequence where W <= high, else 0. `low` is unused."""
    lengths = mask.sum(-1, keepdim=True)
    weight = (sequence_mean(log_ratio, mask) * lengths).exp()
    return torch.where(weight <= config.high, weight, torch.zeros_like(weight)).expand_as(log_ratio)
