"""Supervised steps beside the policy gradient (`train.supervised`): cross-entropy of right answers.

They have an optimizer of their own. Their gradients are many times larger and far less noisy than a policy gradient's:
in one set of moments they would set the size of its steps as well.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from transformers import PreTrainedModel

from azr.config import Config
from azr.distributed.ranks import Ranks
from azr.trainer.balance import own_micro_batches
from azr.trainer.optim import learning_rate, make_optimizer
from azr.trainer.packing import MicroBatch
from azr.trainer.sharding import sum_gradients
from azr.trainer.state import load_optimizer, save_optimizer
from azr.types import Batch, Episode
from azr.util.randomness import generator

if TYPE_CHECKING:
    from torch import Tensor

MOMENTS = "supervised.safetensors"
"""In a checkpoint: the optimizer's state."""


class Score(Protocol):
    """log-probabilities [B, T] and entropies [B, T] of a micro-batch's completions at a temperature."""

    def __call__(self, micro_batch: MicroBatch, temperature: float) -> "tuple[Tensor, Tensor]": ...


class SupervisedSteps:
    """The optimizer of supervised steps, and the steps."""

    def __init__(self, model: PreTrainedModel, score: Score, config: Config, ranks: Ranks) -> None:
        """Betas, decay, clipping and warm-up are those of the policy gradient (`train.optim`)."""
        self._model, self._score, self._config, self._ranks = model, score, config, ranks
        given = config.train.supervised
        self._optim = config.train.optim.model_copy(update={"lr": given.lr, "schedule": given.schedule})
        self._trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._optimizer = make_optimizer(self._trained, self._optim)

    def learn(self, episodes: Sequence[Episode], step: int, factor: float) -> float:
        """Learn the episodes in `train.supervised.updates` optimizer steps. Returns the mean loss of a token, in nats.

        Args:
            step: of the run; the learning rate and the order depend on it.
            factor: of the learning rate.
        """
        order = generator(self._config.seed, step, "supervised order").permutation(len(episodes))
        parts = np.array_split(order, min(self._config.train.supervised.updates, len(episodes)))
        for group in self._optimizer.param_groups:
            group["lr"] = factor * learning_rate(self._optim, step, self._config.run.steps)
        self._model.train()
        batches = [[episodes[row] for row in part] for part in parts]
        tokens = [sum(episode.length for episode in batch) for batch in batches]
        return float(np.average([self._one(batch) for batch in batches], weights=tokens))

    def _one(self, episodes: Sequence[Episode]) -> float:
        """One optimizer step, with gradient accumulation over micro-batches and ranks. Returns the mean loss."""
        tokens = sum(episode.length for episode in episodes)
        weights = np.full(len(episodes), 1.0 / tokens)
        batch = Batch(episodes=tuple(episodes), advantages=np.ones(len(episodes)), weights=weights)
        total, ranks = 0.0, self._ranks
        budget, device = self._config.train.micro_batch_tokens, self._trained[0].device
        for micro_batch in own_micro_batches(batch, budget, ranks.rank, ranks.world, device):
            log_probs, _ = self._score(micro_batch, 1.0)
            loss = (-log_probs * micro_batch.weights).masked_fill(~micro_batch.mask, 0.0).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        sum_gradients(self._model.parameters(), ranks)
        norm = torch.nn.utils.clip_grad_norm_(self._trained, self._optim.clip_norm or float("inf"))
        # A non-finite gradient never changes the weights.
        if torch.isfinite(norm):
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return sum(ranks.gather(total))

    def save(self, folder: Path) -> None:
        """Write the optimizer's state."""
        save_optimizer(self._optimizer, self._model, folder / MOMENTS)

    def restore(self, folder: Path) -> None:
        """Read it back, bit for bit."""
        load_optimizer(self._optimizer, self._model, folder / MOMENTS)
