"""Options of runs of more than one process."""

from typing import Literal

from azr.config.base import NonNegative, Section


class RanksConfig(Section):
    """How the processes of a run share the work. How many there are is the launcher's to say."""

    sharding: Literal["auto", "none", "full"] = "auto"
    """`full`: parameters, gradients and optimizer state are split over the ranks (FSDP2); `none`: each has all of them;
    `auto`: `full` where several GPUs train together all weights, and not an adapter (`model.lora`)."""
    offload: bool = False
    """Sharded parameters and optimizer state wait in the CPU's memory; refused where nothing is sharded."""
    async_save: bool = True
    """Sharded checkpoints are written while training goes on."""
    exchange_limit_s: NonNegative = 0.0
    """A rank that waits longer for the others ends the run with an error; 0: longer than `oversight.watchdog` lets any
    phase take, so that the rank that hangs is the first to say so."""
