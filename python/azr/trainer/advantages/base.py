"""The advantage function interface, and shared helpers.

Legend: N episodes; a cell is one role and kind; a group is the set of completions of one prompt inside a cell.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RIGHT = 1.0
"""Least reward of a correct answer under every solver reward of the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvantageInputs:
    """Parallel arrays over the N episodes of one batch."""

    rewards: NDArray[np.float64]
    """[N]"""
    lengths: NDArray[np.int64]
    """[N], trained tokens of each episode."""
    cells: NDArray[np.int64]
    """[N], label of each episode's cell."""
    groups: NDArray[np.int64]
    """[N], labels that are unique over the batch: no group spans two cells."""
    answers: NDArray[np.bool_]
    """[N], which episodes are answers; the others are proposals."""
    k: int = 1
    """k of the pass@k objectives at this step."""


Advantage = Callable[[AdvantageInputs], NDArray[np.float64]]
"""N episodes -> N advantages; every token of an episode has the same."""


def members(labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The indices of each label's episodes, by ascending label."""
    for label in np.unique(labels):
        yield np.flatnonzero(labels == label)


def by_outcome(
    inputs: AdvantageInputs, of_group: Callable[[NDArray[np.bool_]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """For objectives on correctness: `of_group` of each group of answers, `r - mu_cell` of proposals."""
    result = np.zeros_like(inputs.rewards)
    for cell in members(inputs.cells):
        if not inputs.answers[cell].any():
            result[cell] = inputs.rewards[cell] - inputs.rewards[cell].mean()
    for group in members(inputs.groups):
        if inputs.answers[group].all():
            result[group] = of_group(inputs.rewards[group] >= RIGHT)
    return result
