"""The rollout engine of a run of several processes.

Each rank has an engine of its own. Its queue is the rank's; `sample`, which stages call outside of a step, is shared:
each rank samples its places, and all get everything.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from azr.distributed.ranks import Ranks
from azr.rollouts.base import Engine, Finished, Key, Request, Sampling, sample_places
from azr.types import Completion, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class SharedEngine:
    """The face of an `Engine`."""

    def __init__(self, engine: Engine, ranks: Ranks) -> None:
        self.tokenizer = engine.tokenizer
        self._engine = engine
        self._ranks = ranks

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Engine.submit`: of this rank alone."""
        self._engine.submit(requests)

    def collect(self) -> list[Finished]:
        """See `Engine.collect`: of this rank alone."""
        return self._engine.collect()

    def cancel(self, keys: Collection[Key]) -> None:
        """See `Engine.cancel`: of this rank alone."""
        self._engine.cancel(keys)

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`: every rank asks for the same and gets the same."""

        def own(places: Sequence[int]) -> list[list[Completion]]:
            return sample_places(self._engine, [(place, prompts[place]) for place in places], sampling, count)

        return self._ranks.spread(len(prompts), own)

    def load(self, model: "PreTrainedModel | None") -> None:
        """See `Engine.load`."""
        self._engine.load(model)

    def rest(self) -> None:
        """See `Engine.rest`."""
        self._engine.rest()

    def numbers(self) -> dict[str, float]:
        """See `Engine.numbers`: of this rank alone."""
        return self._engine.numbers()

    def close(self) -> None:
        """See `Engine.close`."""
        self._engine.close()
