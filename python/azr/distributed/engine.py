"""The rollout engine of a run of several processes.

Each rank has its own engine and queue. `sample`, which stages call outside of a step, is shared: each rank samples its
share, and the results are gathered.
"""

from collections.abc import Sequence

from azr.distributed.ranks import Ranks
from azr.rollouts.base import Engine, Sampling, sample_places
from azr.rollouts.wrapped import Wrapped
from azr.types import Completion, Prompt


class SharedEngine(Wrapped):
    """`sample` is shared between ranks; everything else is local."""

    def __init__(self, engine: Engine, ranks: Ranks) -> None:
        super().__init__(engine)
        self._ranks = ranks

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`. Collective: every rank passes the same arguments and gets the same results."""

        def own(places: Sequence[int]) -> list[list[Completion]]:
            return sample_places(self._engine, [(place, prompts[place]) for place in places], sampling, count)

        return self._ranks.spread(len(prompts), own)
