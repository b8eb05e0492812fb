"""An engine whose completions are kept, and one that gives kept completions out again."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from azr.errors import EngineError
from azr.rollouts.base import Engine, Finished, Key, Request, Sampling, Tokenizer
from azr.rollouts.batched import BatchedEngine
from azr.types import Completion, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Recording:
    """The face of an engine; what came out of its queue is in `completions`, the last one of each key."""

    def __init__(self, engine: Engine) -> None:
        self.tokenizer = engine.tokenizer
        self.completions: dict[Key, Completion] = {}
        self._engine = engine

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Engine.submit`."""
        self._engine.submit(requests)

    def collect(self) -> list[Finished]:
        """See `Engine.collect`."""
        found = self._engine.collect()
        self.completions |= {request.key: completion for request, completion in found}
        return found

    def cancel(self, keys: Collection[Key]) -> None:
        """See `Engine.cancel`."""
        self._engine.cancel(keys)

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`: not kept."""
        return self._engine.sample(prompts, sampling, count)

    def load(self, model: "PreTrainedModel | None") -> None:
        """See `Engine.load`."""
        self._engine.load(model)

    def rest(self) -> None:
        """See `Engine.rest`."""
        self._engine.rest()

    def numbers(self) -> dict[str, float]:
        """See `Engine.numbers`."""
        return self._engine.numbers()

    def close(self) -> None:
        """See `Engine.close`."""
        self._engine.close()


class Recorded(BatchedEngine):
    """Gives out completions by their keys; it has no weights, and nothing else to say."""

    def __init__(self, tokenizer: Tokenizer, rows: Iterable[tuple[str, int, int, list[int], list[float]]]) -> None:
        """`rows`: purpose, place, draw, token ids and their log-probabilities."""
        super().__init__(tokenizer)
        self._rows = {Key(purpose, place, draw): (ids, log_probs) for purpose, place, draw, ids, log_probs in rows}
        self.completions: dict[Key, Completion] = {}
        """Those that were asked for."""

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
