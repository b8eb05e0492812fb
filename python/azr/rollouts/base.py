"""What the stages need of a rollout engine.

Token ids go in and come out; text is only for reading. Sampling settings are explicit in every request, so that none
can silently run under another one's.

An engine is a queue: requests go in at any time, completions come out as they finish, in any order. What a completion
says depends on its request alone (rounding aside), so the order matters to speed and to nothing else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from azr.types import Completion, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How completions are drawn."""

    seed: int
    """A completion depends on (seed, row) and its prompt alone, not on how prompts are batched (rounding aside)."""
    temperature: float = 1.0
    """0: greedy."""
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 1024


class Key(NamedTuple):
    """What a request is for: the caller's name of it, unique among those under way."""

    purpose: str
    place: int
    """Of the prompt."""
    draw: int = 0
    """Of the completion, among those of one prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One completion that is wanted."""

    key: Key
    prompt: Prompt
    sampling: Sampling
    row: int
    """Which of the seed's streams of chance it draws from."""
    urgency: int = 0
    """Among requests that wait, higher ones start first where the engine can choose."""


Finished = tuple[Request, Completion]


class Tokenizer(Protocol):
    """Text to ids and back."""

    end_ids: frozenset[int]

    def encode(self, text: str, special_tokens: bool) -> list[int]:
        """Ids of a text; `special_tokens`: add the tokenizer's own around it."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, special tokens written out."""
        ...

    def chat(self, message: str) -> str:
        """One user message in the tokenizer's chat template, up to where the answer begins."""
        ...


class Engine(Protocol):
    """Samples completions under the policy's current weights."""

    tokenizer: Tokenizer

    def submit(self, requests: Sequence[Request]) -> None:
        """Put requests into the queue.

        Raises:
            EngineError: a prompt cannot be sampled from.
        """
        ...

    def collect(self) -> list[Finished]:
        """What has finished since the last call, in any order; waits until something has. Empty: nothing is under way.

        Raises:
            EngineError: the engine broke, and could not be mended.
        """
        ...

    def cancel(self, keys: Collection[Key]) -> None:
        """Forget requests: their completions never come out."""
        ...

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """`count` completions of each prompt, in order. Only while nothing else is under way.

        Raises:
            EngineError: a prompt cannot be sampled from, or the engine broke.
        """
        ...

    def load(self, model: "PreTrainedModel | None") -> None:
        """Take the model's current weights; None where there is no model. Only while nothing is under way."""
        ...

    def rest(self) -> None:
        """Nothing is sampled until the next `load`: memory may be given to the trainer."""
        ...

    def numbers(self) -> dict[str, float]:
        """What the engine knows of its own work since it began or last took weights, for the metrics."""
        ...

    def close(self) -> None:
        """Let go of processes and memory; the engine cannot be used afterwards."""
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
    """`count` requests for each (index, prompt), from draw `first` on; row `index * most + draw`.

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
    """`Engine.sample` by the engine's queue."""
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
