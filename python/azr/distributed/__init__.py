"""Several processes as one run: each samples and checks its share, one writes, all see the same."""

from azr.distributed.ranks import ONE, Ranks

__all__ = ["ONE", "Ranks"]
