"""Sample tokens from logits, by inversion: a token is where the cumulative probability passes a uniform number. The
number of row r at position t comes from a counter-based generator keyed by (seed, r), so it does not depend on the
batch of the row.
"""

import numpy as np
import torch
from torch import Tensor

from azr.rollouts.base import Sampling

BLOCK = 64
"""Uniform numbers generated at a time for each row."""


class Uniforms:
    """One stream of uniform numbers per row."""

    def __init__(self, keys: list[tuple[int, int]]) -> None:
        """`keys`: (seed, row) of each."""
        self._streams = [np.random.Generator(np.random.Philox(key=[seed, row])) for seed, row in keys]
        self._blocks = np.empty((len(keys), 0))

    def at(self, position: int, active: Tensor) -> Tensor:
        """The numbers of the active rows at one position, [len(active)]."""
        while position >= self._blocks.shape[1]:
            fresh = np.stack([stream.random(BLOCK) for stream in self._streams])
            self._blocks = np.concatenate([self._blocks, fresh], 1)
        return torch.from_numpy(self._blocks[active.cpu().numpy(), position])


def draw(logits: Tensor, sampling: Sampling, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Draw one token of each row.

    Args:
        logits: [B, V].
        uniforms: [B], float64 in [0, 1).

    Returns:
        tokens [B] and their log-probabilities [B] under the temperature (1 if greedy), before any truncation.
    """
    scaled = logits.float() / (sampling.temperature or 1.0)
    log_probs = torch.log_softmax(scaled, -1)
    if sampling.temperature == 0.0:
        tokens = scaled.argmax(-1)
    else:
        cumulated = _truncate(log_probs, sampling).double().exp().cumsum(-1)
        points = uniforms.to(cumulated.device) * cumulated[:, -1]
        tokens = torch.searchsorted(cumulated, points[:, None], right=True).squeeze(1).clamp(max=logits.shape[1] - 1)
    return tokens, log_probs.gather(-1, tokens[:, None]).squeeze(1)


def _truncate(log_probs: Tensor, sampling: Sampling) -> Tensor:
    """Remove what top-k and top-p exclude; the most likely token always stays."""
    if sampling.top_k > 0:
        least = log_probs.topk(min(sampling.top_k, log_probs.shape[-1]), -1).values[:, -1:]
        log_probs = log_probs.masked_fill(log_probs < least, -torch.inf)
    if sampling.top_p < 1.0:
        ordered, order = log_probs.sort(-1, descending=True)
        probs = ordered.softmax(-1)
        out = (probs.cumsum(-1) - probs) >= sampling.top_p
        log_probs = log_probs.masked_fill(torch.zeros_like(out).scatter(-1, order, out), -torch.inf)
    return log_probs
