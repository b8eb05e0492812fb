"""What an advantage function gets, and what they share.

Legend: N episodes; a cell is one role and kind; a group is the set of completions of one prompt inside a cell.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvantageInputs:
    """Parallel arrays over the N episodes of one batch."""

    rewards: NDArray[np.float64]
    lengths: NDArray[np.int64]
    """Trained tokens of each episode."""
    cells: NDArray[np.int64]
    groups: NDArray[np.int64]
    """Unique over the batch: no group spans two cells."""


Advantage = Callable[[AdvantageInputs], NDArray[np.float64]]
"""N episodes -> N advantages; every token of an episode has the same."""


def members(labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The indices of each label's episodes, by ascending label."""
    for label in np.unique(labels):
        yield np.flatnonzero(labels == label)
