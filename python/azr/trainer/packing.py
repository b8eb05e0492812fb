"""Episodes -> packed micro-batches: the model sees no padding, and a prompt shared by several episodes only once.

A micro-batch is one row of T tokens: its distinct prompts, then the completions, each with positions that continue its
prompt's. A completion attends to its prompt and to itself, so the hidden states equal those of separate episodes. The
split into micro-batches changes only rounding, since each episode carries its weight.

Legend: T tokens, G distinct prompts, B episodes (one completion each), C the longest completion.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from azr.types import Batch

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which tokens attend to which."""

    prompts: Tensor
    """[G + 1], start of each prompt, and end of the last one."""
    completions: Tensor
    """[B + 1], the same for the completions."""
    prompt_of: Tensor
    """[B], the prompt of each completion."""

    @property
    def shared(self) -> bool:
        """Whether a prompt has several completions."""
        return len(self.prompt_of) != len(self.prompts) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """The input of one forward pass."""

    rows: Tensor
    """[B], index of each row's episode in the batch."""
    ids: Tensor
    """[T]"""
    positions: Tensor
    """[T]"""
    layout: Layout
    source: Tensor
    """[N], the token whose hidden state predicts each of the N completion tokens, row by row."""
    targets: Tensor
    """[B, C], the sampled tokens."""
    mask: Tensor
    """[B, C], which targets are tokens; N in all."""
    engine_log_probs: Tensor
    """[B, C], as the engine saw them."""
    advantages: Tensor
    """[B, 1]"""
    weights: Tensor
    """[B, 1], weight of each of the row's tokens in the loss."""


def micro_batches(batch: Batch, budget: int, device: str | torch.device) -> Iterator[MicroBatch]:
    """Cut a batch into micro-batches of at most `budget` tokens (or one episode)."""
    for rows in cut(batch, budget):
        yield pack(batch, rows, device)


def pack(batch: Batch, rows: Sequence[int], device: str | torch.device) -> MicroBatch:
    """Some episodes of the batch as one micro-batch."""
    answers = [batch.episodes[row].completion.token_ids for row in rows]
    prompts: dict[tuple[int, ...], int] = {}
    prompt_of = [prompts.setdefault(batch.episodes[row].completion.prompt.token_ids, len(prompts)) for row in rows]
    prompt_ends, ends = _ends(prompts), _ends(answers)
    ends += prompt_ends[-1]
    longest = max(map(len, answers))
    targets = np.zeros((len(rows), longest), dtype=np.int64)
    log_probs = np.zeros((len(rows), longest), dtype=np.float32)
    mask = np.zeros((len(rows), longest), dtype=bool)
    source = []
    for at, answer in enumerate(answers):
        targets[at, : len(answer)], mask[at, : len(answer)] = answer, True
        log_probs[at, : len(answer)] = batch.episodes[rows[at]].completion.log_probs
        source += [prompt_ends[prompt_of[at] + 1] - 1, *range(ends[at], ends[at + 1] - 1)]
    texts: list[Sequence[int]] = [*prompts, *answers]
    starts = [0] * len(prompts) + [len(batch.episodes[row].completion.prompt.token_ids) for row in rows]

    def tensor(values: object, dtype: torch.dtype = torch.long) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device=device, dtype=dtype)

    return MicroBatch(
        rows=torch.tensor(rows),
        ids=tensor(np.concatenate([np.array(text) for text in texts])),
        positions=tensor(np.concatenate([start + np.arange(len(t)) for start, t in zip(starts, texts, strict=True)])),
        layout=Layout(prompts=tensor(prompt_ends), completions=tensor(ends), prompt_of=tensor(prompt_of)),
        source=tensor(source),
        targets=tensor(targets),
        mask=tensor(mask, torch.bool),
        engine_log_probs=tensor(log_probs, torch.float32),
        advantages=tensor(batch.advantages[rows, None], torch.float32),
        weights=tensor(batch.weights[rows, None], torch.float32),
    )


def cut(batch: Batch, budget: int) -> Iterator[list[int]]:
    """Rows of each micro-batch: similar lengths and equal prompts together; the order depends only on the batch."""
    rows: list[int] = []
    tokens, last = 0, None
    for row in _ordered(batch):
        completion = batch.episodes[row].completion
        prompt = completion.prompt.token_ids
        cost = len(completion.token_ids) + (len(prompt) if prompt != last else 0)
        if rows and tokens + cost > budget:
            yield rows
            rows, tokens, cost = [], 0, len(completion.token_ids) + len(prompt)
        rows.append(row)
        tokens, last = tokens + cost, prompt
    if rows:
        yield rows


def _ordered(batch: Batch) -> list[int]:
    """All rows by prompt length, episodes of one prompt adjacent, then by completion length."""
    first: dict[tuple[int, ...], int] = {}

    def place(row: int) -> tuple[int, int, int, int]:
        completion = batch.episodes[row].completion
        prompt = completion.prompt.token_ids
        return (len(prompt), first.setdefault(prompt, row), len(completion.token_ids), row)

    return sorted(range(len(batch.episodes)), key=place)


def _ends(texts: "Sequence[Sequence[int]] | dict[tuple[int, ...], int]") -> Ints:
    """Start of each text in their concatenation, and end of the last one."""
    return np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
