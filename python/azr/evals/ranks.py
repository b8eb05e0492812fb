"""One evaluation on several processes of torchrun: each does its share of the units."""

import os
from datetime import timedelta

from azr.errors import ConfigError
from azr.evals.run import Share

PATIENCE = timedelta(days=2)
"""Seconds that a process waits for the slowest one."""


def share() -> Share:
    """This process's share, by RANK and WORLD_SIZE; everything without them."""
    try:
        found = Share(rank=int(os.environ.get("RANK", "0")), world=int(os.environ.get("WORLD_SIZE", "1")))
    except ValueError as error:
        raise ConfigError(f"RANK and WORLD_SIZE are set, but are no numbers: {error}") from error
    if not 0 <= found.rank < found.world:
        raise ConfigError(f"RANK = {found.rank} does not lie below WORLD_SIZE = {found.world}")
    return found


def meet(own: Share) -> None:
    """Barrier."""
    if own.world == 1:
        return
    from torch import distributed

    if not distributed.is_initialized():
        distributed.init_process_group("gloo", timeout=PATIENCE)
    distributed.barrier()


def part(own: Share) -> None:
    """Leave the group."""
    if own.world == 1:
        return
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()
