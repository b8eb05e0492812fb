"""GRPO (arXiv 2402.03300): `(r - mu) / (sigma + 1e-4)` within each group, sigma unbiased as in TRL."""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, members

EPSILON = 1e-4


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """Groups of one get 0."""
    result = np.zeros_like(inputs.rewards)
    for group in members(inputs.groups):
        rewards = inputs.rewards[group]
        if len(group) > 1:
            result[group] = (rewards - rewards.mean()) / (rewards.std(ddof=1) + EPSILON)
    return result
