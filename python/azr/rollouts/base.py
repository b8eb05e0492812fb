"""What the stages need of a rollout engine.

Token ids go in and come out; text is only for reading. Sampling settings are explicit in every call, so that no call
can silently run under another one's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from azr.types import Completion, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How completions are drawn."""

    seed: int
    """Completion j of prompt i depends on (seed, i, j) alone, not on how prompts are batched (rounding aside)."""
    temperature: float = 1.0
    """0: greedy."""
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 1024


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

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """`count` completions of each prompt, in order.

        Raises:
            EngineError: a prompt cannot be sampled from, or the engine broke.
        """
        ...

    def load(self, model: "PreTrainedModel | None") -> None:
        """Take the model's current weights; None where there is no model."""
        ...
