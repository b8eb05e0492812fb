"""In-flight requests to an out-of-process engine, under numbers, and their uncollected completions."""

from collections import deque
from collections.abc import Collection, Sequence

from azr.errors import EngineError
from azr.rollouts.base import Finished, Pulse, Request, Tokenizer
from azr.types import Completion, Key


class Pending:
    """In-flight requests, and completions that are not collected yet."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._numbers = iter(range(1 << 62))
        self._waiting: dict[int, Request] = {}
        self._keys: dict[Key, int] = {}
        self._ready: deque[Finished] = deque()
        self.pulse: Pulse = lambda tokens: None

    def __bool__(self) -> bool:
        """Whether requests are in flight."""
        return bool(self._waiting)

    @property
    def numbers(self) -> list[int]:
        """Numbers of in-flight requests."""
        return list(self._waiting)

    @property
    def ready(self) -> bool:
        """Whether there is something to collect."""
        return bool(self._ready)

    def enter(self, requests: Sequence[Request], length: int) -> list[int]:
        """Add requests; returns their numbers, in order.

        Args:
            length: positions of the engine.

        Raises:
            EngineError: one is in flight already, or its prompt leaves no room. None was added.
        """
        for request in requests:
            if request.key in self._keys:
                raise EngineError(f"{request.key} is in flight already")
            if len(request.prompt.token_ids) >= length:
                raise EngineError(
                    f"a prompt of {len(request.prompt.token_ids)} tokens fills the engine's {length} positions"
                )
        numbers = [next(self._numbers) for _ in requests]
        for number, request in zip(numbers, requests, strict=True):
            self._waiting[number], self._keys[request.key] = request, number
        return numbers

    def requests(self, numbers: Sequence[int]) -> list[Request]:
        """In-flight requests by number."""
        return [self._waiting[number] for number in numbers]

    def forget(self, keys: Collection[Key]) -> list[int]:
        """Drop requests and their completions; returns the numbers of those that were in flight."""
        gone = [number for key in keys if (number := self._keys.pop(key, None)) is not None]
        for number in gone:
            del self._waiting[number]
        dropped = set(keys)
        self._ready = deque(entry for entry in self._ready if entry[0].key not in dropped)
        return gone

    def done(self, number: int, ids: list[int], log_probs: list[float]) -> bool:
        """Add a completion; False: its request was cancelled."""
        request = self._waiting.pop(number, None)
        if request is None:
            return False
        del self._keys[request.key]
        finished = bool(ids) and ids[-1] in self._tokenizer.end_ids
        completion = Completion(
            prompt=request.prompt,
            text=self._tokenizer.decode(ids[:-1] if finished else ids),
            token_ids=tuple(ids),
            log_probs=tuple(log_probs),
            finished=finished,
        )
        self._ready.append((request, completion))
        return True

    def collect(self) -> list[Finished]:
        """All completions since the last call."""
        found = list(self._ready)
        self._ready.clear()
        if found:
            self.pulse(sum(len(completion.token_ids) for _, completion in found))
        return found
