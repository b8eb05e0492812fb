"""MaxRL (arXiv 2602.02710): `(r - mu) / mu` within each group of answers, r in {0, 1}; 0 where none is right.

Its expectation is the gradient of the log-likelihood of a right answer cut at pass@n: tasks that are rarely solved
weigh about 1 / p. Proposals: `r - mu` of their kind.
"""

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, by_outcome


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """Groups of one get 0."""
    return by_outcome(inputs, _of_group)


def _of_group(right: NDArray[np.bool_]) -> NDArray[np.float64]:
    mean = right.mean()
    return (right - mean) / mean if mean else np.zeros(len(right))
