"""The policy: a model, its optimizer and its step count. The one thing of a run that changes in place."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from azr.config import Config
from azr.randomness import derive, generator
from azr.registry import resolve
from azr.trainer.losses import LOSSES
from azr.trainer.losses.base import LossInputs
from azr.trainer.losses.kl import k3
from azr.trainer.mismatch import CORRECTIONS
from azr.trainer.mismatch.base import engine_kl
from azr.trainer.model import LoadedModel
from azr.trainer.optim import learning_rate, make_optimizer
from azr.trainer.packed_model import prepare
from azr.trainer.packing import MicroBatch, micro_batches
from azr.trainer.policy import UpdateStats
from azr.trainer.scoring import score
from azr.trainer.state import load_optimizer, load_weights, save_optimizer
from azr.types import Batch

Rows = NDArray[np.int64]
LogProbs = list[NDArray[np.float32]]


class TorchPolicy:
    """A transformers model trained in this process."""

    def __init__(self, loaded: LoadedModel, config: Config) -> None:
        self.model: PreTrainedModel | None = loaded.model
        self._model = loaded.model
        prepare(self._model)
        self._tokenizer = loaded.tokenizer
        self._config = config
        self._correct = resolve(CORRECTIONS, config.train.mismatch.name, "train.mismatch.name")
        self._loss = resolve(LOSSES, config.train.loss.name, "train.loss.name")
        self._optimizer = make_optimizer(self._model.parameters(), config.train.optim)
        # The copy is of the weights as the run began, not as it was resumed: it is made before any restore.
        self._start = copy.deepcopy(self._model).train(False).requires_grad_(False) if config.train.loss.kl else None
        self.step = 0

    def update(self, batch: Batch) -> UpdateStats:
        """Train on a batch; the step count rises by one."""
        # Only models with dropout draw on it; derived, so that a resumed run drops the same.
        torch.manual_seed(derive(self._config.seed, self.step + 1, "update"))
        old = self._old_log_probs(batch)
        parts = list(self._mini_batches(batch))
        stats = [self._optimize(part, rows, old) for part, rows in parts]
        self.step += 1
        entropy = np.zeros(len(batch.episodes))
        for done, (_, rows) in zip(stats, parts, strict=True):
            entropy[rows] = done.entropy
        share = [part.tokens / sum(s.tokens for s in stats) for part in stats]

        def mean(name: str) -> float:
            return float(sum(w * getattr(part, name) for w, part in zip(share, stats, strict=True)))

        return UpdateStats(
            loss=float(np.mean([part.loss for part in stats])),
            grad_norm=float(np.mean([part.grad_norm for part in stats])),
            lr=stats[0].lr,
            kl=mean("kl"),
            clip_share=mean("clip_share"),
            gap_mean=mean("gap_mean"),
            gap_max=max(part.gap_max for part in stats),
            gap_kl=mean("gap_kl"),
            masked_share=mean("masked_share"),
            entropy=entropy,
            tokens=sum(part.tokens for part in stats),
            skipped=sum(part.skipped for part in stats),
        )

    def save(self, folder: Path) -> None:
        """Hugging Face format, which transformers and vLLM load at once, plus the optimizer's state."""
        self._model.save_pretrained(folder)
        self._tokenizer.inner.save_pretrained(folder)
        save_optimizer(self._optimizer, self._model, folder / "optimizer.safetensors")
        (folder / "policy.json").write_text(json.dumps({"step": self.step}), "ascii")

    def restore(self, folder: Path) -> None:
        """Become what was saved, bit for bit."""
        load_weights(self._model, folder)
        load_optimizer(self._optimizer, self._model, folder / "optimizer.safetensors")
        self.step = int(json.loads((folder / "policy.json").read_text("ascii"))["step"])

    def _mini_batches(self, batch: Batch) -> Iterator[tuple[Batch, Rows]]:
        """One part for each optimizer step; the weights of a part again add up to a whole."""
        updates = self._config.train.updates
        order = np.arange(len(batch.episodes))
        if updates > 1:
            order = generator(self._config.seed, self.step + 1, "mini_batches").permutation(order)
        for rows in np.array_split(order, updates):
            part = replace(
                batch,
                episodes=tuple(batch.episodes[row] for row in rows),
                advantages=batch.advantages[rows],
                weights=batch.weights[rows] * updates,
            )
            yield part, rows

    def _old_log_probs(self, batch: Batch) -> LogProbs | None:
        """log pi_old of each episode's tokens; None where the current weights are the old ones, which saves a pass."""
        if self._config.train.old_log_probs == "engine":
            return [np.array(e.completion.log_probs, dtype=np.float32) for e in batch.episodes]
        if self._config.train.updates == 1:
            return None
        found: LogProbs = [np.empty(0, dtype=np.float32)] * len(batch.episodes)
        self._model.train(False)
        with torch.no_grad():
            for piece in self._pieces(batch):
                log_probs, _ = self._score(self._model, piece)
                for row, values in zip(piece.rows.tolist(), log_probs.cpu().numpy(), strict=True):
                    found[row] = values[: batch.episodes[row].length]
        return found

    def _optimize(self, batch: Batch, rows: Rows, old: LogProbs | None) -> UpdateStats:
        """One optimizer step on some of the batch's episodes, in as many passes as memory needs."""
        optim = self._config.train.optim
        rate = learning_rate(optim, self.step + 1, self._config.run.steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._model.train()
        tally = _Tally(np.zeros(len(batch.episodes)))
        for piece in self._pieces(batch):
            part = None if old is None else [old[int(rows[row])] for row in piece.rows]
            self._accumulate(piece, part, tally)
        bound = optim.clip_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self._model.parameters(), bound)
        if not torch.isfinite(norm):
            # A broken gradient never touches the weights; it is counted.
            tally.skipped = 1
        else:
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return tally.stats(float(norm), rate)

    def _accumulate(self, piece: MicroBatch, old: Sequence[NDArray[np.float32]] | None, tally: "_Tally") -> None:
        """Forward and backward over one piece."""
        config = self._config.train.loss
        log_probs, entropy = self._score(self._model, piece)
        now = log_probs.detach()
        old_log_probs = now if old is None else _pad(old, now)
        inputs = LossInputs(
            log_probs=log_probs,
            old_log_probs=old_log_probs,
            advantages=piece.advantages.expand_as(log_probs),
            mask=piece.mask,
        )
        apart = (old_log_probs - piece.engine_log_probs).masked_fill(~piece.mask, 0.0)
        factor = self._correct(apart, piece.mask, self._config.train.mismatch)
        per_token = factor * self._loss(inputs, config) - config.entropy * entropy
        divergence = torch.zeros_like(now)
        if self._start is not None:
            with torch.no_grad():
                reference, _ = self._score(self._start, piece)
            divergence = k3(log_probs, reference)
            per_token = per_token + config.kl * divergence
        loss = (per_token * piece.weights).masked_fill(~piece.mask, 0.0).sum()
        loss.backward()
        ratio = inputs.ratio.detach()
        clipped = (ratio < 1.0 - config.clip_low) | (ratio > 1.0 + config.clip_high)
        tally.add(piece, loss, entropy.detach(), divergence.detach(), clipped)
        seen = apart if self._config.train.old_log_probs == "recompute" else now - piece.engine_log_probs
        tally.compare(seen, factor, piece.mask)

    def _score(self, model: PreTrainedModel, piece: MicroBatch) -> tuple[Tensor, Tensor]:
        low = self._config.model.compute == "bfloat16"
        with torch.autocast(model.device.type, torch.bfloat16, enabled=low):
            return score(model, piece, self._config.sampling.temperature)

    def _pieces(self, batch: Batch) -> Iterator[MicroBatch]:
        return micro_batches(batch, self._config.train.micro_batch_tokens, self._model.device)


def _pad(rows: Sequence[NDArray[np.float32]], like: Tensor) -> Tensor:
    padded = torch.zeros_like(like)
    for at, row in enumerate(rows):
        padded[at, : len(row)] = torch.from_numpy(row).to(like)
    return padded


class _Tally:
    """Sums over the pieces of one optimizer step."""

    def __init__(self, entropy: NDArray[np.float64]) -> None:
        self._entropy = entropy
        self._loss = self._kl = self._clipped = self._gap = self._gap_max = self._gap_kl = self._masked = 0.0
        self._tokens = 0
        self.skipped = 0

    def compare(self, log_ratio: Tensor, factor: Tensor, mask: Tensor) -> None:
        """Note how far apart trainer and engine are: log_ratio = log p(trainer) - log p(engine)."""
        log_ratio = log_ratio.masked_fill(~mask, 0.0)
        self._gap += float(log_ratio.abs().sum())
        self._gap_max = max(self._gap_max, float(log_ratio.abs().max()))
        self._gap_kl += float(engine_kl(log_ratio).sum())
        self._masked += float(((factor == 0.0) & mask).sum())

    def add(self, piece: MicroBatch, loss: Tensor, entropy: Tensor, kl: Tensor, clipped: Tensor) -> None:
        mask = piece.mask
        means = (entropy * mask).sum(1) / mask.sum(1)
        self._entropy[piece.rows.numpy()] = means.cpu().numpy()
        self._loss += float(loss.detach())
        self._kl += float((kl * mask).sum())
        self._clipped += float((clipped & mask).sum())
        self._tokens += int(mask.sum())

    def stats(self, norm: float, lr: float) -> UpdateStats:
        tokens = self._tokens
        return UpdateStats(
            loss=self._loss, grad_norm=norm, lr=lr, kl=self._kl / tokens, clip_share=self._clipped / tokens,
            gap_mean=self._gap / tokens, gap_max=self._gap_max, gap_kl=self._gap_kl / tokens,
            masked_share=self._masked / tokens, entropy=self._entropy, tokens=tokens,
            skipped=self.skipped,
        )  # fmt: skip
