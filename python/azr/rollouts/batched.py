"""Base of engines that sample a whole batch at once: waiting requests are sampled by `collect`."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from azr.errors import EngineError
from azr.rollouts.base import Finished, Pulse, Request, Sampling, Scores, Tokenizer, sample_all
from azr.types import Completion, Key, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class BatchedEngine:
    """Subclasses implement the sampling of a batch."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._waiting: dict[Key, Request] = {}
        self._pulse: Pulse = lambda tokens: None

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Engine.submit`."""
        for request in requests:
            if request.key in self._waiting:
                raise EngineError(f"{request.key} is in flight already")
            self._waiting[request.key] = request

    def collect(self) -> list[Finished]:
        """See `Engine.collect`: all waiting requests, in order of submission."""
        requests, self._waiting = list(self._waiting.values()), {}
        return list(zip(requests, self._complete(requests), strict=True)) if requests else []

    def cancel(self, keys: Collection[Key]) -> None:
        """See `Engine.cancel`."""
        for key in keys:
            self._waiting.pop(key, None)

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`."""
        return sample_all(self, prompts, sampling, count)

    def watch(self, pulse: Pulse) -> None:
        """See `Engine.watch`."""
        self._pulse = pulse

    def attach(self, policy: Scores) -> None:
        """Nothing to check: the weights are not copied."""

    def rest(self) -> None:
        """Nothing to release."""

    def numbers(self) -> dict[str, float]:
        """See `Engine.numbers`: none."""
        return {}

    def close(self) -> None:
        """Nothing to release."""

    def load(self, model: "PreTrainedModel | None") -> None:
        """See `Engine.load`."""
        raise NotImplementedError

    def _complete(self, requests: Sequence[Request]) -> list[Completion]:
        """One completion for each request, in order."""
        raise NotImplementedError
