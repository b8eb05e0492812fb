"""Balance micro-batches over ranks by cost.

Every rank cuts the batch in the same way, and the pieces are assigned by cost, so that all ranks work about equally
long. Each rank gets the same number of pieces, since sharded weights are gathered collectively; a rank with one piece
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
    """Cost of a piece: attention is quadratic in the sequence length, the rest linear."""
    lengths = [len(e.completion.prompt.token_ids) + e.length for e in (batch.episodes[row] for row in rows)]
    return sum(length + length * length / SHORT for length in lengths)


def deal(batch: Batch, budget: int, world: int) -> list[list[list[int]]]:
    """The pieces of each rank, as rows of the batch; the same number for each rank (some may be empty)."""
    if world > 1:
        tokens = sum(len(e.completion.prompt.token_ids) + e.length for e in batch.episodes)
        rounds = -(-tokens // (budget * world))
        budget = max(1, min(budget, -(-tokens // (rounds * world))))
    pieces = sorted(cut(batch, budget), key=lambda rows: (-cost(batch, rows), rows[0]))
    dealt: list[list[list[int]]] = [[] for _ in range(world)]
    most = -(-len(pieces) // world)
    loads = [0.0] * world
    for rows in pieces:
        rank = min((r for r in range(world) if len(dealt[r]) < most), key=lambda r: (loads[r], r))
        dealt[rank].append(rows)
        loads[rank] += cost(batch, rows)
    for own in dealt:
        own.extend([] for _ in range(most - len(own)))
    return dealt


def own_pieces(batch: Batch, budget: int, rank: int, world: int, device: torch.device) -> Iterator[MicroBatch]:
    """The pieces of a rank. An empty piece is some episode with weight zero."""
    if world == 1:
        yield from micro_batches(batch, budget, device)
        return
    for rows in deal(batch, budget, world)[rank]:
        piece = pack(batch, rows or [0], device)
        yield piece if rows else replace(piece, rows=piece.rows[:0], weights=torch.zeros_like(piece.weights))
