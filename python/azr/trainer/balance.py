"""Balance micro-batches over ranks by cost.

Every rank cuts the batch in the same way, and the micro-batches are assigned by cost, so that all ranks work about
equally long. Each rank gets the same number of them, since sharded weights are gathered collectively; a rank with one
too few trains on an empty one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from azr.trainer.packing import MicroBatch, cut, micro_batches, pack
from azr.types import Batch

SHORT = 2048
"""Sequence length at which attention costs about as much as everything else, in models of 1 to 10B."""


def cost(batch: Batch, rows: Sequence[int]) -> float:
    """Cost of a micro-batch: attention is quadratic in the sequence length, the rest linear."""
    lengths = [len(e.completion.prompt.token_ids) + e.length for e in (batch.episodes[row] for row in rows)]
    return sum(length + length * length / SHORT for length in lengths)


def deal(batch: Batch, budget: int, world: int) -> list[list[list[int]]]:
    """The micro-batches of each rank, as rows of the batch; the same number for each rank (some may be empty)."""
    if world > 1:
        tokens = sum(len(e.completion.prompt.token_ids) + e.length for e in batch.episodes)
        rounds = -(-tokens // (budget * world))
        budget = max(1, min(budget, -(-tokens // (rounds * world))))
    cuts = sorted(cut(batch, budget), key=lambda rows: (-cost(batch, rows), rows[0]))
    dealt: list[list[list[int]]] = [[] for _ in range(world)]
    most = -(-len(cuts) // world)
    loads = [0.0] * world
    for rows in cuts:
        rank = min((r for r in range(world) if len(dealt[r]) < most), key=lambda r: (loads[r], r))
        dealt[rank].append(rows)
        loads[rank] += cost(batch, rows)
    for own in dealt:
        own.extend([] for _ in range(most - len(own)))
    return dealt


def own_micro_batches(batch: Batch, budget: int, rank: int, world: int, device: torch.device) -> Iterator[MicroBatch]:
    """The micro-batches of a rank. An empty micro-batch is some episode with weight zero."""
    if world == 1:
        yield from micro_batches(batch, budget, device)
        return
    for rows in deal(batch, budget, world)[rank]:
        packed = pack(batch, rows or [0], device)
        yield packed if rows else replace(packed, rows=packed.rows[:0], weights=torch.zeros_like(packed.weights))
