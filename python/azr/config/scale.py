"""Options of runs of more than one process."""

from typing import Literal

from azr.config.base import NonNegative, Section


class RanksConfig(Section):
    """How the processes of a run share the work. The launcher decides their number."""

    sharding: Literal["auto", "none", "full"] = "auto"
    """`full`: parameters, gradients and optimizer state are sharded over the ranks (FSDP2). `none`: each rank has all
    of them. `auto`: `full` for several GPUs that train all weights, `none` for an adapter (`model.lora`)."""
    offload: bool = False
    """Keep sharded parameters and optimizer state in CPU memory; an error without sharding."""
    async_save: bool = True
    """Write sharded checkpoints in the background."""
    exchange_limit_s: NonNegative = 0.0
    """Seconds that a rank waits for the others before the run ends with an error; 0: longer than any phase may take by
    `oversight.watchdog`, so that the hanging rank reports first."""
