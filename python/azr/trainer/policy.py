"""What the loop needs of a policy, and a policy without weights."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from azr.types import Batch

if TYPE_CHECKING:
    from concurrent.futures import Future

    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStats:
    """What one batch did to the weights."""

    loss: float
    grad_norm: float
    lr: float
    kl: float
    """To the starting weights, mean over tokens; 0 where no copy of them is kept."""
    clip_share: float
    """Share of tokens whose ratio left the clip range."""
    mismatch_mean: float
    """Mean of |log p(engine) - log p(trainer)| over tokens, before the update."""
    mismatch_max: float
    mismatch_kl: float = 0.0
    """KL(engine || trainer), k3 estimate, mean over tokens, before the update."""
    masked_share: float = 0.0
    """Share of tokens that the mismatch correction left out."""
    entropy: NDArray[np.float64]
    """[N], mean token entropy of each episode, before the update."""
    tokens: int
    skipped: int = 0
    """Optimizer steps that were left out because their gradient was not finite."""


def nothing() -> UpdateStats:
    """What a batch without episodes does."""
    return UpdateStats(
        loss=0.0, grad_norm=0.0, lr=0.0, kl=0.0, clip_share=0.0, mismatch_mean=0.0, mismatch_max=0.0,
        entropy=np.empty(0), tokens=0,
    )  # fmt: skip


class Policy(Protocol):
    """What the loop needs of it."""

    model: "PreTrainedModel | None"
    step: int
    rate: float
    """Factor of the config's learning rate: below 1 after a run went back to its best weights."""

    def update(self, batch: Batch) -> UpdateStats:
        """Train on a batch: `train.updates` optimizer steps; none on an empty one. Raises the step count by one."""
        ...

    def save(self, folder: Path) -> "Future[None] | None":
        """Write everything that `restore` needs; every rank takes part. A future: this rank's part is under way."""
        ...

    def restore(self, folder: Path) -> None:
        """Become what was saved, bit for bit."""
        ...


class StillPolicy:
    """No weights: what scripted runs train."""

    def __init__(self) -> None:
        self.model: PreTrainedModel | None = None
        self.step = 0
        self.rate = 1.0

    def update(self, batch: Batch) -> UpdateStats:
        """Count the step."""
        self.step += 1
        tokens = sum(episode.length for episode in batch.episodes)
        zeros = np.zeros(len(batch.episodes))
        return UpdateStats(
            loss=0.0, grad_norm=0.0, lr=0.0, kl=0.0, clip_share=0.0, mismatch_mean=0.0, mismatch_max=0.0, entropy=zeros,
            tokens=tokens,
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        (folder / "policy.json").write_text(json.dumps({"step": self.step}), "ascii")

    def restore(self, folder: Path) -> None:
        self.step = int(json.loads((folder / "policy.json").read_text("ascii"))["step"])
