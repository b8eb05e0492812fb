"""Aggregation of token losses: the weight of a token of each episode, computed once for the whole optimizer batch.

The loss is `sum_i sum_t w_i l_it`. The weights do not depend on the split into micro-batches or ranks, so neither does
the gradient.

Legend: N episodes, L_i tokens of episode i.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from azr.trainer.advantages.base import members

PAPER_CHUNK = 16
"""Sequences of the micro-batches of the paper's code."""

Weights = Callable[[NDArray[np.int64], NDArray[np.int64], int], NDArray[np.float64]]
"""(lengths [N], cells [N], longest completion allowed) -> weights [N]."""


def token_mean(lengths: NDArray[np.int64], cells: NDArray[np.int64], longest: int) -> NDArray[np.float64]:
    """Every token has the same weight: `1 / sum_i L_i` (DAPO, arXiv 2503.14476)."""
    return np.full(len(lengths), 1.0 / lengths.sum())


def sequence_mean(lengths: NDArray[np.int64], cells: NDArray[np.int64], longest: int) -> NDArray[np.float64]:
    """Every episode has the same weight: `1 / (N L_i)` (GRPO; arXiv 2505.03335, eq. 9)."""
    return 1.0 / (len(lengths) * lengths.astype(np.float64))


def constant(lengths: NDArray[np.int64], cells: NDArray[np.int64], longest: int) -> NDArray[np.float64]:
    """A constant divisor, independent of length: `1 / (N longest)` (Dr. GRPO, arXiv 2503.20783)."""
    return np.full(len(lengths), 1.0 / (len(lengths) * longest))


def paper(lengths: NDArray[np.int64], cells: NDArray[np.int64], longest: int) -> NDArray[np.float64]:
    """Token mean inside chunks of 16 episodes of one role and kind, then the mean over chunks (the paper's code).

    With M chunks, T_m tokens in chunk m: `1 / (M T_m)`.
    """
    chunks = [index[at : at + PAPER_CHUNK] for index in members(cells) for at in range(0, len(index), PAPER_CHUNK)]
    weights = np.zeros(len(lengths))
    for chunk in chunks:
        weights[chunk] = 1.0 / (len(chunks) * lengths[chunk].sum())
    return weights


AGGREGATIONS: Final[dict[str, Weights]] = {
    "paper": paper,
    "token_mean": token_mean,
    "sequence_mean": sequence_mean,
    "constant": constant,
}
