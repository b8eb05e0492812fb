"""The k3 estimate of KL(pi || reference policy) from sampled tokens: unbiased, never negative (Schulman's note)."""

import torch
from torch import Tensor


def k3(log_probs: Tensor, reference_log_probs: Tensor) -> Tensor:
    """`exp(d) - d - 1` with d = log of the reference policy - log pi, for each token."""
    difference = reference_log_probs - log_probs
    return torch.exp(difference) - difference - 1.0
