"""A baseline for each task: `r - mean of the group`, not divided by a deviation (prime-rl's hierarchical GRPO).

Answers to one task share its baseline; proposals of a kind are one group. A task with a single answer uses its cell's
mean.
"""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, members


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """`r - mu_group`, or `r - mu_cell` for groups of one."""
    result = np.zeros_like(inputs.rewards)
    for cell in members(inputs.cells):
        result[cell] = inputs.rewards[cell] - inputs.rewards[cell].mean()
    for group in members(inputs.groups):
        if len(group) > 1:
            result[group] = inputs.rewards[group] - inputs.rewards[group].mean()
    return result
