"""Runs on several ranks: each samples and checks its share, rank 0 writes, and all ranks hold the same state."""

from azr.distributed.ranks import ONE, Ranks

__all__ = ["ONE", "Ranks"]
