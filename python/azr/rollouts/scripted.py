"""Completions from a function: tests, documentation and the smoke config run the whole loop without a model."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from azr.config import Config
from azr.rollouts.base import Request, Tokenizer
from azr.rollouts.batched import BatchedEngine
from azr.rollouts.tokens import ByteTokenizer
from azr.types import Completion, Prompt
from azr.util.registry import resolve

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Script = Callable[[Prompt, int], str]
"""(prompt, draw) -> text. `draw` is a number that depends on the seed, the prompt's and the completion's index."""


def make(tokenizer: Tokenizer | None, config: Config) -> "ScriptedEngine":
    """The engine that a config asks for."""
    return ScriptedEngine(resolve({}, config.engine.script, "engine.script"), tokenizer)


class ScriptedEngine(BatchedEngine):
    """Deterministic answers; every completion is finished and has log-probability 0."""

    def __init__(self, script: Script, tokenizer: Tokenizer | None = None) -> None:
        super().__init__(tokenizer or ByteTokenizer())
        self._script = script

    def load(self, model: "PreTrainedModel | None") -> None:
        """A script has no weights."""

    def _complete(self, requests: Sequence[Request]) -> list[Completion]:
        written = [self._write(request.prompt, request.sampling.seed + request.row) for request in requests]
        self._pulse(sum(len(completion.token_ids) for completion in written))
        return written

    def _write(self, prompt: Prompt, draw: int) -> Completion:
        text = self._script(prompt, draw)
        ids = (*self.tokenizer.encode(text, False), min(self.tokenizer.end_ids))
        return Completion(prompt=prompt, text=text, token_ids=ids, log_probs=(0.0,) * len(ids), finished=True)
