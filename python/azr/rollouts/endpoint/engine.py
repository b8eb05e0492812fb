"""An engine whose model is behind an HTTP endpoint. It samples and cannot be trained: no ids, no log-probabilities.

Requests are sent by a thread with an event loop, `Endpoint.concurrency` at a time, the most urgent first. Lengths of
prompts are estimates, since the server's tokenizer is not known here.
"""

import asyncio
import itertools
import queue
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azr.errors import EngineError
from azr.rollouts.base import Finished, Pulse, Request, Sampling, Scores, Tokenizer, sample_all
from azr.rollouts.endpoint.client import Client, Endpoint, Pause, Served
from azr.types import Completion, Key, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BYTES_PER_TOKEN = 3
"""Of code and English by common tokenizers, rounded down: an estimate that is rather too long than too short."""
SEEDS = 1 << 31
"""Servers take seeds below this."""

Entry = tuple[int, int, Request]
"""(negative urgency, ticket, request)"""


class Estimate:
    """A tokenizer that only knows about how long a text is."""

    end_ids: frozenset[int] = frozenset()
    end_id = 0

    def encode(self, text: str, special_tokens: bool) -> list[int]:
        """As many zeros as the text may have tokens."""
        return [0] * -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)

    def decode(self, ids: Sequence[int]) -> str:
        """Not possible."""
        raise EngineError("an endpoint's tokens are not known here")

    def chat(self, message: str) -> str:
        """The message itself: the server applies the model's chat template."""
        return message


class EndpointEngine:
    """See `azr.rollouts.base.Engine`."""

    def __init__(self, endpoint: Endpoint, pause: Pause = asyncio.sleep) -> None:
        """Connects, and looks for the model.

        Raises:
            EngineError: nobody answers, the key is refused, there is no such model, or httpx is not installed.
        """
        self.tokenizer: Tokenizer = Estimate()
        self._endpoint, self._client = endpoint, Client(endpoint, pause)
        self._wanted: dict[Key, int] = {}
        """Ticket of each request in flight. Threads share it: single operations of a dict are atomic."""
        self._tickets = itertools.count()
        self._done: queue.SimpleQueue[tuple[int, Request, Completion] | BaseException] = queue.SimpleQueue()
        self._pulse: Pulse = lambda tokens: None
        self._begun: queue.SimpleQueue[Served | BaseException] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._ask: asyncio.PriorityQueue[Entry] = asyncio.PriorityQueue()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="azr-endpoint", daemon=True)
        self._thread.start()
        found = self._begun.get()
        if isinstance(found, BaseException):
            self.close()
            raise found
        self.served = found
        """The model, as the server lists it."""

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Engine.submit`."""
        for request in requests:
            if request.key in self._wanted:
                raise EngineError(f"{request.key} is in flight already")
            ticket = next(self._tickets)
            self._wanted[request.key] = ticket
            self._loop.call_soon_threadsafe(self._ask.put_nowait, (-request.urgency, ticket, request))

    def collect(self) -> list[Finished]:
        """See `Engine.collect`."""
        found: list[Finished] = []
        while self._wanted and not (found and self._done.empty()):
            entry = self._done.get()
            if isinstance(entry, BaseException):
                raise entry
            ticket, request, completion = entry
            if self._wanted.get(request.key) == ticket:
                del self._wanted[request.key]
                found.append((request, completion))
        return found

    def cancel(self, keys: Collection[Key]) -> None:
        """See `Engine.cancel`. What the server already writes is not awaited, and dropped when it comes."""
        for key in keys:
            self._wanted.pop(key, None)

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`."""
        return sample_all(self, prompts, sampling, count)

    def watch(self, pulse: Pulse) -> None:
        """See `Engine.watch`: at each completion, in the engine's thread."""
        self._pulse = pulse

    def load(self, model: "PreTrainedModel | None") -> None:
        """The server has its own weights."""

    def attach(self, policy: Scores) -> None:
        """Nothing to check: no weights are copied."""

    def rest(self) -> None:
        """Nothing to release."""

    def numbers(self) -> dict[str, float]:
        """See `Engine.numbers`."""
        return {"retried": float(self._client.retried)}

    def close(self) -> None:
        """End the thread; what is in flight is given up."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        if not self._loop.is_closed():
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._begun.put(error)
            self._done.put(error)

    async def _serve(self) -> None:
        """Look for the model, then answer requests until the engine is closed."""
        async with self._client as client:
            served = await client.look()
            self._endpoint = replace(self._endpoint, model=served.model)
            self._begun.put(served)
            workers = [asyncio.create_task(self._work(client, served)) for _ in range(self._endpoint.concurrency)]
            stop = asyncio.create_task(self._stop.wait())
            done, _ = await asyncio.wait([*workers, stop], return_when=asyncio.FIRST_COMPLETED)
            for task in (*workers, stop):
                task.cancel()
            await asyncio.gather(*workers, stop, return_exceptions=True)
            for task in done - {stop}:
                task.result()  # a worker ends by an error alone

    async def _work(self, client: Client, served: Served) -> None:
        while True:
            _, ticket, request = await self._ask.get()
            if self._wanted.get(request.key) != ticket:
                continue  # cancelled while it waited
            reply = await client.complete(request.prompt.text, _body(request, served))
            completion = Completion(
                prompt=request.prompt, text=reply.text, token_ids=(), log_probs=(), finished=reply.finished,
                error=reply.error,
            )  # fmt: skip
            self._done.put((ticket, request, completion))
            if not reply.error:
                self._pulse(reply.tokens)


def _body(request: Request, served: Served) -> dict[str, Any]:
    """A request's own fields."""
    given = request.sampling
    length: int | None = given.max_tokens
    if served.positions and len(request.prompt.token_ids) + given.max_tokens > served.positions:
        length = None  # the server then gives what is left, and knows how much that is
    return {
        "model": served.model,
        "max_tokens": length,
        "temperature": given.temperature,
        "top_p": given.top_p,
        "top_k": given.top_k or None,
        "seed": (given.seed + request.row) % SEEDS,
    }
