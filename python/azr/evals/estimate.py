"""Statistics of verdicts: unbiased pass@k, and bootstrap intervals.

Items are resampled: an interval says how much a score would change with other items of this kind. Samples of one item
are not resampled: with many of them that part of the noise is small, and with one there is nothing to resample.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
LEVEL = 0.95
MAX_K = 512

Counts = Mapping[str, tuple[int, int]]
"""Item -> (samples, correct samples)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95% interval."""

    value: float
    low: float
    high: float


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Chance that at least one of k samples drawn without repetition is correct: 1 - C(n-c, k) / C(n, k).

    The estimator of Chen et al. (arXiv 2107.03374, eq. 1), without bias for every k <= n.

    Raises:
        ValueError: k is more than the samples.
    """
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} of {samples} samples")
    if samples - correct < k:
        return 1.0
    # The product form: the binomials themselves overflow floats.
    return float(1.0 - np.prod(1.0 - k / np.arange(samples - correct + 1, samples + 1)))


def ks(samples: int) -> list[int]:
    """The k that are reported: powers of two up to the number of samples and 512, and the number of samples."""
    powers = [1 << power for power in range(10) if 1 << power <= samples]
    return sorted({*powers, min(samples, MAX_K)})


def values(counts: Counts, k: int = 1) -> NDArray[np.float64]:
    """pass@k of each item, in order."""
    return np.array([pass_at_k(samples, correct, k) for samples, correct in counts.values()])


def estimate(scores: NDArray[np.float64], seed: int) -> Estimate:
    """The mean over items with its percentile interval.

    Raises:
        ValueError: there are no items.
    """
    if len(scores) == 0:
        raise ValueError("an estimate of no items")
    low, high = _interval(scores, seed)
    return Estimate(float(scores.mean()), low, high)


def difference(first: NDArray[np.float64], second: NDArray[np.float64], seed: int) -> Estimate:
    """Mean of second - first over the same items, with its paired interval: items are drawn once for both."""
    return estimate(second - first, seed)


def mean_estimate(groups: Sequence[Sequence[NDArray[np.float64]]], seed: int) -> Estimate:
    """The mean of groups, each the mean of its benchmarks' scores, with its interval; benchmarks are independent."""
    value = float(np.mean([np.mean([part.mean() for part in group]) for group in groups]))
    draws = [
        np.mean([_draws(part, seed + 100 * at + n) for n, part in enumerate(group)], axis=0)
        for at, group in enumerate(groups)
    ]
    low, high = np.quantile(np.mean(draws, axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def _interval(scores: NDArray[np.float64], seed: int) -> tuple[float, float]:
    low, high = np.quantile(_draws(scores, seed), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _draws(scores: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Means of resampled items, [DRAWS]."""
    generator = np.random.Generator(np.random.Philox(seed))
    # How often each item is drawn, DRAWS times: smaller than indices for large benchmarks.
    weights = generator.multinomial(len(scores), np.full(len(scores), 1.0 / len(scores)), size=DRAWS)
    means: NDArray[np.float64] = weights @ scores / len(scores)
    return means
