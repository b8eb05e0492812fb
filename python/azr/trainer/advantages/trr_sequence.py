"""TRR++ as in the paper: whitened over the episodes of each role and kind (arXiv 2505.03335, eq. 8)."""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, members
from azr.trainer.advantages.whitening import whiten


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """In each cell: mean 0 and variance 1 over its episodes."""
    result = np.zeros_like(inputs.rewards)
    for index in members(inputs.cells):
        result[index] = whiten(inputs.rewards[index], np.ones(len(index)))
    return result
