"""Episodes -> padded micro-batches.

Prompts are padded on the left and completions on the right, so that the completions of all rows stand in the same
columns. Rows of like length go together. How they are cut changes nothing but rounding: each row carries its weight.

Legend: B rows, P prompt columns, C completion columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from azr.types import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """What one forward pass needs."""

    rows: Tensor
    """[B], index of each row's episode in the batch."""
    ids: Tensor
    """[B, P + C]"""
    attention: Tensor
    """[B, P + C], 1 where there is a token."""
    positions: Tensor
    """[B, P + C]"""
    targets: Tensor
    """[B, C], the sampled tokens."""
    mask: Tensor
    """[B, C], which targets are tokens."""
    engine_log_probs: Tensor
    """[B, C], as the engine saw them."""
    advantages: Tensor
    """[B, 1]"""
    weights: Tensor
    """[B, 1], what a token of the row counts in the loss."""


def micro_batches(batch: Batch, budget: int, device: str | torch.device) -> Iterator[MicroBatch]:
    """Cut a batch so that each piece has at most `budget` columns times rows (or one row)."""
    for rows in _cut(batch, budget):
        yield pack(batch, rows, device)


def pack(batch: Batch, rows: list[int], device: str | torch.device) -> MicroBatch:
    """Some episodes of the batch as one padded piece."""
    prompts = [batch.episodes[row].completion.prompt.token_ids for row in rows]
    answers = [batch.episodes[row].completion.token_ids for row in rows]
    left, right = max(map(len, prompts)), max(map(len, answers))
    ids = np.zeros((len(rows), left + right), dtype=np.int64)
    attention = np.zeros_like(ids)
    log_probs = np.zeros((len(rows), right), dtype=np.float32)
    for at, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        ids[at, left - len(prompt) : left + len(answer)] = (*prompt, *answer)
        attention[at, left - len(prompt) : left + len(answer)] = 1
        log_probs[at, : len(answer)] = batch.episodes[rows[at]].completion.log_probs
    positions = np.maximum(attention.cumsum(1) - 1, 0)

    def tensor(values: np.ndarray, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device=device, dtype=dtype)

    return MicroBatch(
        rows=torch.tensor(rows),
        ids=tensor(ids, torch.long),
        attention=tensor(attention, torch.long),
        positions=tensor(positions, torch.long),
        targets=tensor(ids[:, left:], torch.long),
        mask=tensor(attention[:, left:], torch.bool),
        engine_log_probs=tensor(log_probs),
        advantages=tensor(batch.advantages[rows, None]),
        weights=tensor(batch.weights[rows, None]),
    )


def _cut(batch: Batch, budget: int) -> Iterator[list[int]]:
    def size(row: int) -> tuple[int, int]:
        completion = batch.episodes[row].completion
        return (len(completion.prompt.token_ids), len(completion.token_ids))

    rows: list[int] = []
    left = right = 0
    for row in sorted(range(len(batch.episodes)), key=lambda row: (sum(size(row)), row)):
        prompt, answer = size(row)
        left, right = max(left, prompt), max(right, answer)
        if rows and (len(rows) + 1) * (left + right) > budget:
            yield rows
            rows, left, right = [], prompt, answer
        rows.append(row)
    if rows:
        yield rows
