"""Check that the engine has the trainer's weights: log-probabilities of fixed tokens under both, after every load."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from azr.errors import EngineError

ROWS, LENGTH = 4, 33
"""Size of the check: 4 rows of 33 tokens give 128 log-probabilities."""

Score = Callable[[Sequence[Sequence[int]]], NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """Result of loading weights into the engine."""

    seconds: float
    """Seconds to load them, without the comparison."""
    mismatch_mean: float
    """Mean |log p(engine) - log p(trainer)| over the fixed tokens."""
    mismatch_max: float

    @property
    def numbers(self) -> dict[str, float]:
        """As metrics."""
        return {"load_seconds": self.seconds, "sync_mismatch": self.mismatch_mean}


def probe_rows(vocabulary: int) -> list[list[int]]:
    """The fixed tokens, equal in every run of a model."""
    rng = np.random.Generator(np.random.Philox(key=[0, vocabulary]))
    return [[int(token) for token in row] for row in rng.integers(0, vocabulary, (ROWS, LENGTH))]


def compare(score: Score, trainer: Score, vocabulary: int, tolerance: float, seconds: float) -> Sync:
    """Compare the engine's log-probabilities with the trainer's.

    Args:
        score: the engine's log p of each token but the first, of each row.
        trainer: the trainer's.
        tolerance: largest mean mismatch that passes.

    Raises:
        EngineError: the mean mismatch is larger, or NaN: the engine does not have the trained weights.
    """
    rows = probe_rows(vocabulary)
    mismatch = np.abs(score(rows).astype(np.float64) - trainer(rows))
    found = Sync(seconds=seconds, mismatch_mean=float(mismatch.mean()), mismatch_max=float(mismatch.max()))
    if not found.mismatch_mean <= tolerance:
        raise EngineError(
            f"after an update of its weights the engine's log-probabilities of {mismatch.size} fixed tokens are off by"
            f" {found.mismatch_mean:.3g} on average and {found.mismatch_max:.3g} at most; engine.vllm.sync_tolerance ="
            f" {tolerance} allows that much on average. The engine would sample from other weights than those trained:"
            " the run stops here, its last checkpoint stands."
        )
    return found


def log_probs_of(model: Any, rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """log p of each token except the first, of each row, by the model itself on its device."""
    ids = torch.tensor(rows, device=model.device)
    training = model.training
    model.train(False)
    with torch.no_grad():
        log_probs = model(input_ids=ids, use_cache=False).logits[:, :-1].float().log_softmax(-1)
    model.train(training)
    found: NDArray[np.float64] = log_probs.gather(-1, ids[:, 1:, None]).reshape(-1).double().cpu().numpy()
    return found
