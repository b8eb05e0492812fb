"""Supervised warm-up of the embedded model: one pass over a stream of fresh programs, none of them seen twice.

A model of this size cannot memorise what it sees once, so it learns what the operations do. The stream comes in chunks;
a chunk is a function of (seed, its number), so an interrupted run resumes at its last chunk.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from azr.bootstrap.corpus import CORPORA, Corpus, Sample, draw_runs, samples
from azr.bootstrap.tokenizer import make_tokenizer
from azr.tasks.render import Renderer
from azr.trainer.state import load_optimizer, load_weights, save_optimizer
from azr.types import Role
from azr.util.randomness import derive, generator

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from azr.sandbox import Sandbox

SHAPE: dict[str, Any] = {
    "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 4, "max_position_embeddings": 2048, "initializer_range": 0.06,
}  # fmt: skip
PROGRAMS = 2000
"""Programs drawn for each chunk."""
BATCH_TOKENS = 2560
RATE, WARMUP, CLIP = 2e-3, 200, 1.0
PROPOSE_WEIGHT = 0.3
"""Weight of a proposal's token in the loss. Low, since most of these tokens are free choices."""
IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Length, seed and sizes of the training."""

    seed: int
    chunks: int
    inputs: int
    """Number of inputs of an induction task."""
    rate: float = RATE
    corpus: Corpus = CORPORA["both"]
    """What its programs and answers are like."""
    start: Path | None = None
    """A model to start from, instead of random weights."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sample as token ids. The loss skips the first `prompt` of them."""

    ids: tuple[int, ...]
    prompt: int
    weight: float


Report = Callable[[int, float, dict[str, float]], None]
"""(chunks done, learning rate, mean loss by role/kind)"""


def pretrain(folder: Path, plan: Plan, sandbox: "Sandbox", renderer: Renderer, report: Report) -> "PreTrainedModel":
    """Train in `folder`, from its last saved chunk if it has one, and return the model."""
    tokenizer = make_tokenizer()
    torch.manual_seed(derive(plan.seed, 0, "weights"))
    model = make_model(tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    if plan.start:
        load_weights(model, plan.start)
    state = folder / "state.json"
    done = batches = 0
    if state.exists():
        done, batches = json.loads(state.read_text("ascii"))
        load_weights(model, folder)
        load_optimizer(optimizer, model, folder / "optimizer.safetensors")
    model.train()
    for chunk in range(done, plan.chunks):
        losses: dict[str, list[float]] = {}
        batched = list(_batches(plan, chunk, sandbox, renderer, tokenizer))
        for index, batch in enumerate(batched):
            rate = plan.rate * _schedule(batches, (chunk + index / len(batched)) / plan.chunks)
            for group in optimizer.param_groups:
                group["lr"] = rate
            for name, loss in _step(model, optimizer, batch, tokenizer).items():
                losses.setdefault(name, []).append(loss)
            batches += 1
        save(folder, model, tokenizer)
        save_optimizer(optimizer, model, folder / "optimizer.safetensors")
        state.write_text(json.dumps([chunk + 1, batches]), "ascii")
        report(chunk + 1, rate, {name: float(np.mean(values)) for name, values in sorted(losses.items())})
    return model


def make_model(tokenizer: "PreTrainedTokenizerFast") -> "PreTrainedModel":
    """A Qwen2 small enough for a CPU, with random weights."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=-(-len(tokenizer) // 64) * 64, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, **SHAPE,
    )  # fmt: skip
    config.azr_template = "terse"
    return Qwen2ForCausalLM(config)  # type: ignore[no-untyped-call]


def save(folder: Path, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast") -> None:
    """Save in the format that transformers and vLLM load."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _schedule(batches: int, progress: float) -> float:
    """Learning-rate factor: linear warm-up, then cosine decay to zero."""
    return min(1.0, (batches + 1) / WARMUP) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _batches(
    plan: Plan, chunk: int, sandbox: "Sandbox", renderer: Renderer, tokenizer: "PreTrainedTokenizerFast"
) -> Iterator[list[tuple[Sample, Encoded]]]:
    """A chunk's samples in batches of similar length, in random order."""
    rng = generator(plan.seed, chunk, "corpus")
    runs = draw_runs(rng, PROGRAMS, plan.inputs, sandbox, weights=plan.corpus.lengths)
    drawn = list(samples(runs, renderer, rng, plan.inputs, plan.corpus))
    prompts = tokenizer([sample.prompt for sample in drawn], add_special_tokens=False)["input_ids"]
    answers = tokenizer([sample.completion for sample in drawn], add_special_tokens=False)["input_ids"]
    rows = [
        (sample, Encoded((*prompt, *answer, tokenizer.eos_token_id), len(prompt), _weight(sample)))
        for sample, prompt, answer in zip(drawn, prompts, answers, strict=True)
    ]
    rows.sort(key=lambda row: len(row[1].ids))
    batches: list[list[tuple[Sample, Encoded]]] = [[]]
    for row in rows:
        if (len(batches[-1]) + 1) * len(row[1].ids) > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(row)
    yield from (batches[index] for index in rng.permutation(len(batches)))


def _weight(sample: Sample) -> float:
    return PROPOSE_WEIGHT if sample.role is Role.PROPOSE else 1.0


def _step(
    model: Any, optimizer: torch.optim.Optimizer, rows: Sequence[tuple[Sample, Encoded]], tokenizer: Any
) -> dict[str, float]:
    """One optimizer step; returns the mean loss per token of each role and kind."""
    length = max(len(encoded.ids) for _, encoded in rows)
    ids = torch.full((len(rows), length), tokenizer.pad_token_id)
    targets = torch.full((len(rows), length), IGNORED)
    for row, (_, encoded) in enumerate(rows):
        ids[row, : len(encoded.ids)] = torch.tensor(encoded.ids)
        targets[row, encoded.prompt : len(encoded.ids)] = torch.tensor(encoded.ids[encoded.prompt :])
    weights = torch.tensor([encoded.weight for _, encoded in rows])
    # Right padding: causal attention never looks at it.
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    losses, learnt = _losses(model, hidden, targets[:, 1:])
    loss = (losses * weights[:, None]).sum() / (learnt * weights[:, None]).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    each = (losses.detach().sum(1) / learnt.sum(1)).tolist()
    names = [f"{sample.role}/{sample.kind}" for sample, _ in rows]
    return {name: float(np.mean([e for e, n in zip(each, names, strict=True) if n == name])) for name in set(names)}


def _losses(model: Any, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy [B, T] and its mask [B, T]; logits are computed only where the mask is set."""
    learnt = targets != IGNORED
    logits = model.lm_head(hidden[learnt])
    found = torch.nn.functional.cross_entropy(logits, targets[learnt], reduction="none")
    return torch.zeros(targets.shape).masked_scatter(learnt, found), learnt
