"""The policy interface, and a policy without weights."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from azr.types import Batch, Episode

if TYPE_CHECKING:
    from concurrent.futures import Future

    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStats:
    """Measurements of one update."""

    loss: float
    grad_norm: float
    lr: float
    kl: float
    """KL to the starting weights, mean over tokens; 0 without a reference policy."""
    clip_share: float
    """Share of tokens whose ratio left the clip range."""
    mismatch_mean: float
    """Mean of |log p(engine) - log p(trainer)| over tokens, before the update."""
    mismatch_max: float
    mismatch_kl: float = 0.0
    """KL(engine || trainer), k3 estimate, mean over tokens, before the update."""
    masked_share: float = 0.0
    """Share of tokens dropped by the mismatch correction."""
    entropy: NDArray[np.float64]
    """[N], mean token entropy of each episode, before the update."""
    tokens: int
    skipped: int = 0
    """Optimizer steps that were skipped because of a non-finite gradient."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a step learnt by supervised steps."""

    examples: int = 0
    tokens: int = 0
    loss: float = 0.0
    """Mean of a token before it was learnt, in nats."""


def nothing() -> UpdateStats:
    """The measurements of a batch without episodes."""
    return UpdateStats(
        loss=0.0, grad_norm=0.0, lr=0.0, kl=0.0, clip_share=0.0, mismatch_mean=0.0, mismatch_max=0.0,
        entropy=np.empty(0), tokens=0,
    )  # fmt: skip


class Policy(Protocol):
    """The trained policy, as the loop uses it."""

    model: "PreTrainedModel | None"
    step: int
    rate: float
    """Factor of the config's learning rate: below 1 after a run went back to its best weights."""

    def update(self, batch: Batch) -> UpdateStats:
        """Train on a batch with `train.updates` optimizer steps; none on an empty batch. Increments the step."""
        ...

    def learn(self, episodes: Sequence[Episode]) -> float:
        """Learn right answers by `train.supervised.updates` supervised steps, after the update of a step.

        Returns the mean loss of a token, in nats.
        """
        ...

    def save(self, folder: Path) -> "Future[None] | None":
        """Write everything for `restore`. Collective. Returns a future if this rank still writes in the background."""
        ...

    def restore(self, folder: Path) -> None:
        """Restore what was saved, bit for bit."""
        ...


class StillPolicy:
    """A policy without weights, for scripted runs."""

    def __init__(self) -> None:
        self.model: PreTrainedModel | None = None
        self.step = 0
        self.rate = 1.0

    def update(self, batch: Batch) -> UpdateStats:
        """Increment the step."""
        self.step += 1
        tokens = sum(episode.length for episode in batch.episodes)
        zeros = np.zeros(len(batch.episodes))
        return UpdateStats(
            loss=0.0, grad_norm=0.0, lr=0.0, kl=0.0, clip_share=0.0, mismatch_mean=0.0, mismatch_max=0.0, entropy=zeros,
            tokens=tokens,
        )  # fmt: skip

    def learn(self, episodes: Sequence[Episode]) -> float:
        """Learn nothing."""
        return 0.0

    def save(self, folder: Path) -> None:
        (folder / "policy.json").write_text(json.dumps({"step": self.step}), "ascii")

    def restore(self, folder: Path) -> None:
        self.step = int(json.loads((folder / "policy.json").read_text("ascii"))["step"])
