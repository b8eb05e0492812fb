"""Measurements of one optimizer step, summed over its micro-batches and then over ranks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from azr.trainer.mismatch.base import engine_kl
from azr.trainer.packing import MicroBatch
from azr.trainer.policy import UpdateStats


@dataclass(slots=True)
class Tally:
    """Sums over micro-batches."""

    loss: float = 0.0
    kl: float = 0.0
    clipped: float = 0.0
    mismatch: float = 0.0
    mismatch_max: float = 0.0
    mismatch_kl: float = 0.0
    masked: float = 0.0
    tokens: int = 0
    skipped: int = 0
    entropy: dict[int, float] = field(default_factory=dict)
    """By episode of the batch: mean over its tokens."""

    def add(self, micro_batch: MicroBatch, loss: Tensor, entropy: Tensor, kl: Tensor, clipped: Tensor) -> None:
        """Add a micro-batch."""
        if len(micro_batch.rows) == 0:
            return
        mask = micro_batch.mask
        means = (entropy * mask).sum(1) / mask.sum(1)
        self.entropy.update(zip(micro_batch.rows.tolist(), means.tolist(), strict=True))
        self.loss += float(loss.detach())
        self.kl += float((kl * mask).sum())
        self.clipped += float((clipped & mask).sum())
        self.tokens += int(mask.sum())

    def compare(self, micro_batch: MicroBatch, log_ratio: Tensor, factor: Tensor) -> None:
        """Add a micro-batch's mismatch: log_ratio = log p(trainer) - log p(engine)."""
        if len(micro_batch.rows) == 0:
            return
        log_ratio = log_ratio.masked_fill(~micro_batch.mask, 0.0)
        self.mismatch += float(log_ratio.abs().sum())
        self.mismatch_max = max(self.mismatch_max, float(log_ratio.abs().max()))
        self.mismatch_kl += float(engine_kl(log_ratio).sum())
        self.masked += float(((factor == 0.0) & micro_batch.mask).sum())

    @staticmethod
    def stats(tallies: "Sequence[Tally]", episodes: int, norm: float, lr: float) -> UpdateStats:
        """The measurements of the whole step, over all ranks."""
        tokens = sum(tally.tokens for tally in tallies)
        entropy = np.zeros(episodes)
        for tally in tallies:
            for row, value in tally.entropy.items():
                entropy[row] = value
        return UpdateStats(
            loss=sum(tally.loss for tally in tallies),
            grad_norm=norm,
            lr=lr,
            kl=sum(tally.kl for tally in tallies) / tokens,
            clip_share=sum(tally.clipped for tally in tallies) / tokens,
            mismatch_mean=sum(tally.mismatch for tally in tallies) / tokens,
            mismatch_kl=sum(tally.mismatch_kl for tally in tallies) / tokens,
            masked_share=sum(tally.masked for tally in tallies) / tokens,
            mismatch_max=max(tally.mismatch_max for tally in tallies),
            entropy=entropy,
            tokens=tokens,
            skipped=max(tally.skipped for tally in tallies),
        )
