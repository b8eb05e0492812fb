"""RLOO (arXiv 2402.14740): `r - mean of the others in the group`, which is `n / (n - 1) (r - mu)`."""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, members


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """Groups of one get 0."""
    result = np.zeros_like(inputs.rewards)
    for group in members(inputs.groups):
        rewards, size = inputs.rewards[group], len(group)
        if size > 1:
            result[group] = size / (size - 1) * (rewards - rewards.mean())
    return result
