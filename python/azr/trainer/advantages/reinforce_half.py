"""REINFORCE-half (as in SGS, arXiv 2604.20209): the likelihood of right answers to tasks of solve rate 1/2 and less.

`1` for a right answer in a group of which at most half are right, else `0`: nothing is made less likely, and what is
mastered is left alone. Proposals: `r - mu` of their kind.
"""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, by_outcome

MASTERED = 0.5


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """Groups of one get 0: a right answer alone is a solve rate of 1."""
    return by_outcome(inputs, lambda right: (right & (right.mean() <= MASTERED)).astype(np.float64))
