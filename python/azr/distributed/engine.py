"""The rollout engine of a run of several processes.

Each rank has an engine of its own. Its queue is the rank's; `sample`, which stages call outside of a step, is shared:
each rank samples its places, and all get everything.
"""

from collections.abc import Sequence

from azr.distributed.ranks import Ranks
from azr.rollouts.base import Engine, Sampling, sample_places
from azr.rollouts.wrapped import Wrapped
from azr.types import Completion, Prompt


class SharedEngine(Wrapped):
    """Everything but `sample` is of this rank alone."""

    def __init__(self, engine: Engine, ranks: Ranks) -> None:
        super().__init__(engine)
        self._ranks = ranks

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`: every rank asks for the same and gets the same."""

        def own(places: Sequence[int]) -> list[list[Completion]]:
            return sample_places(self._engine, [(place, prompts[place]) for place in places], sampling, count)

        return self._ranks.spread(len(prompts), own)
