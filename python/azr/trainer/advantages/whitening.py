"""Weighted whitening, used by both forms of TRR++."""

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-8


def whiten(rewards: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(R - mu) / sqrt(var + 1e-8)` with weighted mean and unbiased weighted variance.

    With T = sum w: mu = sum w R / T; var = [sum w (R - mu)^2 / T] * T / (T - 1). One episode, or equal rewards,
    give zeros.
    """
    total = weights.sum()
    mean = (weights * rewards).sum() / total
    centred = rewards - mean
    if total <= 1 or np.ptp(rewards) == 0.0:
        return np.zeros_like(rewards)
    variance = (weights * centred**2).sum() / total * total / (total - 1)
    result: NDArray[np.float64] = centred / np.sqrt(variance + EPSILON)
    return result
