"""TRR++ as in the paper's code: whitened over the tokens of each role and kind (arXiv 2505.03335)."""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, members
from azr.trainer.advantages.whitening import whiten


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """In each cell: mean 0 and variance 1 over its tokens, so that long completions weigh more."""
    result = np.zeros_like(inputs.rewards)
    for index in members(inputs.cells):
        result[index] = whiten(inputs.rewards[index], inputs.lengths[index].astype(np.float64))
    return result
