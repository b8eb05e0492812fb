"""An engine decorator that records completions, and an engine that replays them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from azr.errors import EngineError
from azr.rollouts.base import Engine, Finished, Request, Tokenizer
from azr.rollouts.batched import BatchedEngine
from azr.rollouts.wrapped import Wrapped
from azr.types import Completion, Key

if TYPE_CHECKING:
    from transformers import PreTrainedModel


Row = tuple[str, int, int, list[int], list[float]]
"""A completion's purpose, place and draw, its token ids and their log-probabilities."""


class Recording(Wrapped):
    """Records the completions of the queue in `completions`, by key; `sample` is not recorded."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.completions: dict[Key, Completion] = {}

    def collect(self) -> list[Finished]:
        """See `Engine.collect`."""
        found = super().collect()
        self.completions |= {request.key: completion for request, completion in found}
        return found


class Recorded(BatchedEngine):
    """Replays completions by key; it has no weights."""

    def __init__(self, tokenizer: Tokenizer, rows: Iterable[Row]) -> None:
        super().__init__(tokenizer)
        self._rows = {Key(purpose, place, draw): (ids, log_probs) for purpose, place, draw, ids, log_probs in rows}
        self.completions: dict[Key, Completion] = {}
        """The completions that were requested."""

    def load(self, model: "PreTrainedModel | None") -> None:
        """There are no weights."""

    def _complete(self, requests: Sequence[Request]) -> list[Completion]:
        for request in requests:
            if request.key not in self._rows:
                raise EngineError(f"the recorded rollouts have no completion for {request.key}")
            ids, log_probs = self._rows[request.key]
            finished = bool(ids) and ids[-1] in self.tokenizer.end_ids
            self.completions[request.key] = Completion(
                prompt=request.prompt,
                text=self.tokenizer.decode(ids[:-1] if finished else ids),
                token_ids=tuple(ids),
                log_probs=tuple(log_probs),
                finished=finished,
            )
        return [self.completions[request.key] for request in requests]
