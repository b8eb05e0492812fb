"""An objective for pass@k without bias (PKPO, arXiv 2505.15201), for answers that are right or wrong.

With n answers, c of them right, and `rho(n, c, k)` the share of the sets of k that have a right one: the mean over
answers of `A_i grad log p(i)` estimates the gradient of pass@k, where `A_i` is k times the mean over sets of k that
hold answer i, less the same mean over sets of the others:

    right: k (1 - rho(n - 1, c - 1, k))        wrong: k (rho(n - 1, c, k - 1) - rho(n - 1, c, k))

k = 1 is RLOO. `train.k` says at which k a run begins; it falls to 1 by its end. Proposals: `r - mu` of their kind.
"""

from math import comb

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import AdvantageInputs, by_outcome


def advantage(inputs: AdvantageInputs) -> NDArray[np.float64]:
    """Groups of one get 0; in groups of n, k is at most n - 1."""
    return by_outcome(inputs, lambda right: _of_group(right, inputs.k))


def _of_group(right: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    others, count = len(right) - 1, int(right.sum())
    if not others:
        return np.zeros(1)
    k = min(k, others)
    on_right = 1.0 - _share(others, count - 1, k) if count else 0.0
    on_wrong = _share(others, count, k - 1) - _share(others, count, k) if count <= others else 0.0
    return k * np.where(right, on_right, on_wrong)


def _share(size: int, count: int, k: int) -> float:
    """Of the sets of k out of `size` answers, those with one of the `count` right ones."""
    return 1.0 - comb(size - count, k) / comb(size, k)
