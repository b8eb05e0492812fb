"""Dr. GRPO (arXiv 2503.20783): `r - mu` within each group. Its loss divides by a constant: aggregation `constant`."""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, members


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """Groups of one get 0."""
    result = np.zeros_like(inputs.rewards)
    for group in members(inputs.groups):
        result[group] = inputs.rewards[group] - inputs.rewards[group].mean()
    return result
