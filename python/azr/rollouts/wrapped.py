"""Base of engine decorators: delegates every method."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from azr.rollouts.base import Engine, Finished, Pulse, Request, Sampling, Scores
from azr.types import Completion, Key, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Wrapped:
    """An `Engine` around another."""

    def __init__(self, engine: Engine) -> None:
        self.tokenizer = engine.tokenizer
        self._engine = engine

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Engine.submit`."""
        self._engine.submit(requests)

    def collect(self) -> list[Finished]:
        """See `Engine.collect`."""
        return self._engine.collect()

    def cancel(self, keys: Collection[Key]) -> None:
        """See `Engine.cancel`."""
        self._engine.cancel(keys)

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`."""
        return self._engine.sample(prompts, sampling, count)

    def watch(self, pulse: Pulse) -> None:
        """See `Engine.watch`."""
        self._engine.watch(pulse)

    def load(self, model: "PreTrainedModel | None") -> None:
        """See `Engine.load`."""
        self._engine.load(model)

    def attach(self, policy: Scores) -> None:
        """See `Engine.attach`."""
        self._engine.attach(policy)

    def rest(self) -> None:
        """See `Engine.rest`."""
        self._engine.rest()

    def numbers(self) -> dict[str, float]:
        """See `Engine.numbers`."""
        return self._engine.numbers()

    def close(self) -> None:
        """See `Engine.close`."""
        self._engine.close()
