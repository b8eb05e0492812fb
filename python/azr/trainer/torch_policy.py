"""The policy: a model, its optimizer and its step count. The only mutable state of a run besides the buffer."""

import copy
import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel

from azr.config import Config
from azr.distributed.ranks import ONE, Ranks
from azr.trainer import adapter
from azr.trainer.balance import own_micro_batches
from azr.trainer.compiled import compile_layers, wanted
from azr.trainer.losses import LOSSES
from azr.trainer.losses.base import LossInputs
from azr.trainer.losses.kl import k3
from azr.trainer.mismatch import CORRECTIONS
from azr.trainer.model import LoadedModel, pick_device
from azr.trainer.optim import learning_rate, make_optimizer
from azr.trainer.packed_model import prepare
from azr.trainer.packing import MicroBatch, pack
from azr.trainer.policy import UpdateStats, nothing
from azr.trainer.sharding import (
    STATE,
    Scorer,
    gather_into,
    load_split,
    save_split,
    shard,
    sum_gradients,
    whole_copy,
)
from azr.trainer.sharding_mode import is_sharded, reference_policy_moves
from azr.trainer.state import load_optimizer, load_parameters, load_weights, save_optimizer, save_parameters
from azr.trainer.supervised import SupervisedSteps
from azr.trainer.tally import Tally
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from azr.util.randomness import derive, generator
from azr.util.registry import resolve

if TYPE_CHECKING:
    from concurrent.futures import Future

    from torch.distributed import ProcessGroup

Rows = NDArray[np.int64]
LogProbs = list[NDArray[np.float32]]


class TorchPolicy:
    """A transformers model trained by all ranks."""

    def __init__(self, loaded: LoadedModel, config: Config, ranks: Ranks = ONE) -> None:
        self._model = loaded.model
        self._ranks = ranks
        prepare(self._model)
        self._tokenizer = loaded.tokenizer
        self._config = config
        self._correct = resolve(CORRECTIONS, config.train.mismatch.name, "train.mismatch.name")
        self._loss = resolve(LOSSES, config.train.loss.name, "train.loss.name")
        self._device = torch.device(pick_device(config.model.device))
        self._sharded = is_sharded(config, ranks.world, self._device.type)
        self._adapted = config.model.adapted
        # Engines sample from full, plain weights on every rank.
        self.model: PreTrainedModel | None = self._model
        if self._sharded or self._adapted:
            self.model = whole_copy(self._model, config, self._device)
        if self._adapted:
            self._adapt()
        self._scorer = Scorer(self._model, config)
        self._start = self._starting_weights() if config.train.loss.kl else None
        for scorer in (self._scorer, self._start):
            if scorer is not None and wanted(config, self._device.type):
                compile_layers(scorer.model)
            if scorer is not None and self._sharded:
                shard(scorer, config)
        trained = [parameter for parameter in self._model.parameters() if parameter.requires_grad]
        self._optimizer = make_optimizer(trained, config.train.optim)
        self._supervised = None
        if config.train.supervised.examples:
            self._supervised = SupervisedSteps(self._model, self._scorer, config, ranks)
        # A thread that writes a checkpoint has its own connections: on the trainer's, messages of both could be mixed
        # up.
        self._aside: ProcessGroup | None = None
        self.step = 0
        self.rate = 1.0

    def _adapt(self) -> None:
        """Train an adapter instead of the weights."""
        given = self._config.model
        # All ranks start with the same one.
        torch.manual_seed(derive(self._config.seed, 0, "adapter"))
        adapter.add_adapter(self._model, given.lora, given.name, getattr(torch, given.compute), self._device)
        self._whole()

    def _starting_weights(self) -> Scorer:
        """The reference policy: the weights at the start of the run, not at a resume, so it is made before any
        restore."""
        if self._adapted:
            return self._scorer  # without its adapter
        return Scorer(copy.deepcopy(self._model).train(False).requires_grad_(False), self._config)

    def update(self, batch: Batch) -> UpdateStats:
        """Train on a batch; increments the step."""
        if not batch.episodes:
            self.step += 1
            return nothing()
        # Only models with dropout use it; derived, so that a resumed run drops the same units.
        torch.manual_seed(derive(self._config.seed, self.step + 1, "update"))
        every = self._config.train.reset_every
        if every and self.step and self.step % every == 0:
            self._reset()
        old = self._old_log_probs(batch)
        parts = list(self._mini_batches(batch))
        stats = [self._optimize(part, rows, old) for part, rows in parts]
        self.step += 1
        self._follow(self._config.train.loss.follow)
        self._whole()
        if self._device.type == "cuda":
            # Engines in other processes share the GPU and cannot use this allocator's cache.
            torch.cuda.empty_cache()
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
            mismatch_mean=mean("mismatch_mean"),
            mismatch_max=max(part.mismatch_max for part in stats),
            mismatch_kl=mean("mismatch_kl"),
            masked_share=mean("masked_share"),
            entropy=entropy,
            tokens=sum(part.tokens for part in stats),
            skipped=sum(part.skipped for part in stats),
        )

    def learn(self, episodes: Sequence[Episode]) -> float:
        """Learn right answers by supervised steps, after the update of a step. Returns the mean loss of a token."""
        assert self._supervised is not None, "train.supervised.examples asks for it"
        loss = self._supervised.learn(episodes, self.step, self.rate)
        self._whole()
        return loss

    def _reset(self) -> None:
        """Begin anew from the weights of now: no moments, and the KL is to these."""
        self._optimizer.state.clear()
        self._follow(1.0)

    @torch.no_grad()
    def _follow(self, share: float) -> None:
        """Move the weights that the KL is taken to towards those of now."""
        if share and self._start is not None:
            for kept, now in zip(self._start.model.parameters(), self._model.parameters(), strict=True):
                kept.lerp_(now.detach(), share)

    def log_probs(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """log p at temperature 1 of each token except the first, for rows of equal length, computed as in training.
        Collective.
        """
        episodes = [_episode(row) for row in rows]
        batch = Batch(episodes=tuple(episodes), advantages=np.zeros(len(rows)), weights=np.zeros(len(rows)))
        self._model.train(False)
        with torch.no_grad():
            scored, _ = self._scorer(pack(batch, range(len(rows)), self._device), 1.0)
        found: NDArray[np.float64] = scored.double().reshape(-1).cpu().numpy()
        return found

    def save(self, folder: Path) -> "Future[None] | None":
        """Save in Hugging Face format, which transformers and vLLM load, plus the optimizer state.

        An adapter is merged into these weights, and also written separately. Sharded weights are also written as shards
        with the optimizer state, one part per rank.
        """
        if self._ranks.leads:
            assert self.model is not None
            self.model.save_pretrained(folder)
            self._tokenizer.inner.save_pretrained(folder)
            (folder / "policy.json").write_text(json.dumps({"step": self.step}), "ascii")
            if self._adapted:
                adapter.save_adapter(self._model, folder / adapter.FOLDER)
            if not self._sharded:
                save_optimizer(self._optimizer, self._model, folder / "optimizer.safetensors")
            if self._supervised is not None:
                self._supervised.save(folder)
            if self._start is not None and reference_policy_moves(self._config):
                save_parameters(self._start.model, folder / REFERENCE_POLICY)
        if not self._sharded:
            return None
        if self._aside is None and self._config.ranks.async_save and self._ranks.world > 1:
            self._aside = torch.distributed.new_group(backend="gloo")
        return save_split(self._model, self._optimizer, folder, self._aside)

    def restore(self, folder: Path) -> None:
        """Restore what was saved, bit for bit."""
        if (folder / STATE).is_dir():
            load_split(self._model, self._optimizer, folder)
        else:
            if self._adapted:
                adapter.load_adapter(self._model, folder / adapter.FOLDER)
            else:
                load_weights(self._model, folder)
            load_optimizer(self._optimizer, self._model, folder / "optimizer.safetensors")
        if self._supervised is not None:
            self._supervised.restore(folder)
        if self._start is not None and reference_policy_moves(self._config):
            load_parameters(self._start.model, folder / REFERENCE_POLICY)
        self._whole()
        self.step = int(json.loads((folder / "policy.json").read_text("ascii"))["step"])

    def _mini_batches(self, batch: Batch) -> Iterator[tuple[Batch, Rows]]:
        """The batch split for the optimizer steps; the token weights of each part are rescaled to those of a whole
        batch."""
        updates = self._config.train.updates
        order = np.arange(len(batch.episodes))
        if updates > 1:
            order = generator(self._config.seed, self.step + 1, "mini_batches").permutation(order)
        for rows in np.array_split(order, updates):
            part = _select(batch, rows)
            yield replace(part, weights=part.weights * updates), rows

    def _old_log_probs(self, batch: Batch) -> LogProbs | None:
        """log pi_old of each episode's tokens; None where the current weights are the old ones, which saves a pass."""
        if self._config.train.old_log_probs == "engine":
            return [np.array(e.completion.log_probs, dtype=np.float32) for e in batch.episodes]
        if self._config.train.updates == 1:
            return None
        found: LogProbs = [np.empty(0, dtype=np.float32)] * len(batch.episodes)
        self._model.train(False)
        with torch.no_grad():
            for temperature, rows in self._temperatures(batch):
                for micro_batch in self._micro_batches(_select(batch, rows)):
                    log_probs, _ = self._scorer(micro_batch, temperature)
                    for at, values in zip(micro_batch.rows.tolist(), log_probs.cpu().numpy(), strict=False):
                        found[rows[at]] = values[: batch.episodes[rows[at]].length]
        return found

    def _optimize(self, batch: Batch, rows: Rows, old: LogProbs | None) -> UpdateStats:
        """One optimizer step on episodes of the batch, with gradient accumulation as memory requires."""
        optim = self._config.train.optim
        rate = self.rate * learning_rate(optim, self.step + 1, self._config.run.steps)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._model.train()
        tally = Tally()
        for micro_batch, learns, temperature in self._passes(batch):
            part = None if old is None else [old[int(rows[row])] for row in micro_batch.rows]
            with torch.set_grad_enabled(learns):
                self._accumulate(micro_batch, temperature, part, tally)
        # Before the norm is taken: its bound is for the gradient of the whole batch, whatever the number of ranks. Of
        # sharded weights FSDP has summed them.
        if not self._sharded:
            sum_gradients(self._model.parameters(), self._ranks)
        bound = optim.clip_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self._model.parameters(), bound)
        norm = norm.full_tensor() if isinstance(norm, DTensor) else norm
        if not torch.isfinite(norm):
            # A non-finite gradient never changes the weights; it is counted.
            tally.skipped = 1
        else:
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return Tally.stats(self._ranks.gather(tally), len(batch.episodes), float(norm), rate)

    def _temperatures(self, batch: Batch) -> Iterator[tuple[float, Rows]]:
        """Rows by the temperature that they were sampled at: the policy that is trained is the one that sampled."""
        given = self._config.sampling
        of_rows = np.array([given.of(episode.role).temperature for episode in batch.episodes])
        for temperature in np.unique(of_rows):
            yield float(temperature), np.flatnonzero(of_rows == temperature)

    def _passes(self, batch: Batch) -> Iterator[tuple[MicroBatch, bool, float]]:
        """The micro-batches of the batch, each with whether it has a gradient, and the temperature.

        About half of all tasks are solved by all attempts or by none, so their advantages are 0. If only the advantage
        contributes to the gradient, these episodes need no backward pass; their measurements take only a forward pass.
        """
        config = self._config.train.loss
        by_advantage = config.name in LOSSES and not config.kl and not config.entropy
        still = (batch.advantages == 0.0) & by_advantage
        if not still.any() or still.all():
            still[:] = False
        for temperature, alike in self._temperatures(batch):
            for learns in (True, False):
                rows = alike[still[alike] != learns]
                for micro_batch in self._micro_batches(_select(batch, rows)) if len(rows) else ():
                    yield replace(micro_batch, rows=torch.from_numpy(rows)[micro_batch.rows]), learns, temperature

    def _accumulate(
        self, micro_batch: MicroBatch, temperature: float, old: Sequence[NDArray[np.float32]] | None, tally: Tally
    ) -> None:
        """Forward and backward over one micro-batch."""
        config = self._config.train.loss
        log_probs, entropy = self._scorer(micro_batch, temperature)
        now = log_probs.detach()
        # In a single update the current weights are the old ones. The ratio is 1 then; its gradient is not 0.
        old_log_probs = now if old is None else _pad(old, now)
        inputs = LossInputs(
            log_probs=log_probs,
            old_log_probs=old_log_probs,
            advantages=micro_batch.advantages.expand_as(log_probs),
            mask=micro_batch.mask,
        )
        # What is learnt again has none: nothing is known of the weights that sampled it.
        engine = torch.where(micro_batch.engine_log_probs.isnan(), old_log_probs, micro_batch.engine_log_probs)
        apart = (old_log_probs - engine).masked_fill(~micro_batch.mask, 0.0)
        factor = self._correct(apart, micro_batch.mask, self._config.train.mismatch)
        per_token = factor * self._loss(inputs, config) - config.entropy * entropy
        divergence = torch.zeros_like(now)
        if self._start is not None:
            off = adapter.without_adapter(self._model) if self._adapted else nullcontext()
            with torch.no_grad(), off:
                start_log_probs, _ = self._start(micro_batch, temperature)
            divergence = k3(log_probs, start_log_probs)
            per_token = per_token + config.kl * divergence
        # Filled after the product: what padding holds need not be finite, and 0 times that is not 0.
        loss = (per_token * micro_batch.weights).masked_fill(~micro_batch.mask, 0.0).sum()
        if torch.is_grad_enabled():
            loss.backward()
        ratio = inputs.ratio.detach()
        clipped = (ratio < 1.0 - config.clip_low) | (ratio > 1.0 + config.clip_high)
        tally.add(micro_batch, loss, entropy.detach(), divergence.detach(), clipped)
        # With the engine's own as the old ones `apart` is 0, so the mismatch shows between engine and current weights.
        seen = apart if self._config.train.old_log_probs == "recompute" else now - engine
        tally.compare(micro_batch, seen, factor)

    def _whole(self) -> None:
        """Update the copy that engines sample from."""
        if self._sharded:
            gather_into(self.model, self._model)
        if self._adapted:
            adapter.merge_into(self.model, self._model)

    def _micro_batches(self, batch: Batch) -> Iterator[MicroBatch]:
        budget = self._config.train.micro_batch_tokens
        return own_micro_batches(batch, budget, self._ranks.rank, self._ranks.world, self._device)


REFERENCE_POLICY = "reference.safetensors"
"""In a checkpoint: the weights that the KL is taken to, where they move."""


def _select(batch: Batch, rows: Rows) -> Batch:
    return Batch(
        episodes=tuple(batch.episodes[row] for row in rows),
        advantages=batch.advantages[rows],
        weights=batch.weights[rows],
    )


def _episode(row: Sequence[int]) -> Episode:
    """An episode with the row's first token as the prompt and the rest as the completion."""
    prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(row[:1]))
    rest = tuple(row[1:])
    done = Completion(prompt=prompt, text="", token_ids=rest, log_probs=(0.0,) * len(rest), finished=True)
    return Episode(completion=done, reward=0.0)


def _pad(rows: Sequence[NDArray[np.float32]], like: Tensor) -> Tensor:
    padded = torch.zeros_like(like)
    for at, row in enumerate(rows):
        padded[at, : len(row)] = torch.from_numpy(row).to(like)
    return padded
