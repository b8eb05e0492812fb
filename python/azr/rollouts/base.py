"""The rollout engine interface. Token ids go in and come out; text is only for reading.

Sampling settings are explicit in every request, so that no request can silently use those of another.

An engine is a queue: requests go in at any time, completions come out as they finish, in any order. A completion
depends only on its request (up to rounding), so the order matters only for speed.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from azr.types import Completion, Key, Prompt

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling settings."""

    seed: int
    """A completion depends on (seed, row) and its prompt, not on how prompts are batched (up to rounding)."""
    temperature: float = 1.0
    """0: greedy."""
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for one completion."""

    key: Key
    prompt: Prompt
    sampling: Sampling
    row: int
    """Index of its random stream under the seed."""
    urgency: int = 0
    """Priority among waiting requests, where the engine can choose."""


Finished = tuple[Request, Completion]

Pulse = Callable[[int], None]
"""Is called with the number of tokens that were written since its last call. May raise: that ends the sampling."""


class Tokenizer(Protocol):
    """Converts between text and ids."""

    end_ids: frozenset[int]
    end_id: int
    """The one of them that ends what is learnt."""

    def encode(self, text: str, special_tokens: bool) -> list[int]:
        """Ids of a text; `special_tokens`: add the tokenizer's own around it."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, including special tokens."""
        ...

    def chat(self, message: str) -> str:
        """One user message in the tokenizer's chat template, up to the start of the answer."""
        ...


class Scores(Protocol):
    """A policy that gives the log-probabilities of tokens."""

    def log_probs(self, rows: Sequence[Sequence[int]]) -> "NDArray[Any]":
        """log p of each token except the first, for rows of equal length."""
        ...


class Engine(Protocol):
    """Samples completions from the policy's current weights."""

    tokenizer: Tokenizer

    def submit(self, requests: Sequence[Request]) -> None:
        """Put requests into the queue.

        Raises:
            EngineError: a prompt cannot be sampled from.
        """
        ...

    def collect(self) -> list[Finished]:
        """Completions finished since the last call, in any order; waits for at least one. Empty: nothing is in flight.

        Raises:
            EngineError: the engine failed and could not be restarted.
        """
        ...

    def cancel(self, keys: Collection[Key]) -> None:
        """Cancel requests: they give no completions."""
        ...

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """`count` completions of each prompt, in order. Only while nothing else is in flight.

        Raises:
            EngineError: a prompt cannot be sampled from, or the engine broke.
        """
        ...

    def watch(self, pulse: Pulse) -> None:
        """From now on, call `pulse` while completions are written, at each token or at each completion."""
        ...

    def load(self, model: "PreTrainedModel | None") -> None:
        """Load the model's current weights; None without a model. Only while nothing is in flight."""
        ...

    def attach(self, policy: Scores) -> None:
        """Check each later `load` against the log-probabilities of this policy. No-op where weights are not copied."""
        ...

    def rest(self) -> None:
        """Stop sampling until the next `load`, so that memory can be given to the trainer."""
        ...

    def numbers(self) -> dict[str, float]:
        """The engine's own metrics since it started or last loaded weights."""
        ...

    def close(self) -> None:
        """Release processes and memory; the engine cannot be used afterwards."""
        ...


def requests_for(
    purpose: str,
    prompts: Sequence[tuple[int, Prompt]],
    sampling: Sampling,
    count: int = 1,
    urgency: int = 0,
    *,
    first: int = 0,
    most: int = 0,
) -> list[Request]:
    """`count` requests for each (index, prompt), starting at draw `first`, in row `index * most + draw`.

    Args:
        most: draws that an index may ever have; 0: `count`.
    """
    return [
        Request(
            key=Key(purpose, index, draw), prompt=prompt, sampling=sampling, row=index * (most or count) + draw,
            urgency=urgency,
        )
        for index, prompt in prompts
        for draw in range(first, first + count)
    ]  # fmt: skip


def sample_all(engine: Engine, prompts: Sequence[Prompt], sampling: Sampling, count: int) -> list[list[Completion]]:
    """`Engine.sample` on top of the queue."""
    return sample_places(engine, list(enumerate(prompts)), sampling, count)


def sample_places(
    engine: Engine, prompts: Sequence[tuple[int, Prompt]], sampling: Sampling, count: int
) -> list[list[Completion]]:
    """`count` completions of each (place, prompt), in order."""
    engine.submit(requests_for("sample", prompts, sampling, count))
    found: dict[Key, Completion] = {}
    while done := engine.collect():
        found.update((request.key, completion) for request, completion in done)
    return [[found[Key("sample", place, draw)] for draw in range(count)] for place, _ in prompts]
