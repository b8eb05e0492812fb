"""Implementations of the tokenizer protocol."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from azr.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ByteTokenizer:
    """UTF-8 bytes and an end token: for engines without a model."""

    END = 256
    end_ids = frozenset({END})
    end_id = END

    def encode(self, text: str, special_tokens: bool) -> list[int]:
        return list(text.encode("utf-8", "surrogatepass"))

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(i for i in ids if i != self.END).decode("utf-8", "replace")

    def chat(self, message: str) -> str:
        return f"<user>{message}<assistant>"


class HuggingFaceTokenizer:
    """A `transformers` tokenizer."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", extra_end_ids: Sequence[int] = ()) -> None:
        """`extra_end_ids`: end tokens that the model's generation config names besides the tokenizer's own."""
        self.inner = tokenizer
        own = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
        self.end_ids = frozenset([*own, *extra_end_ids])
        if not self.end_ids:
            raise ModelError(f"the tokenizer {tokenizer.name_or_path} has no end token: answers could never end")
        self.end_id = own[0] if own else min(self.end_ids)

    def encode(self, text: str, special_tokens: bool) -> list[int]:
        return list(self.inner.encode(text, add_special_tokens=special_tokens))

    def decode(self, ids: Sequence[int]) -> str:
        text = self.inner.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    def chat(self, message: str) -> str:
        if self.inner.chat_template is None:
            name = self.inner.name_or_path
            raise ModelError(f"the tokenizer {name} has no chat template; the template think needs none")
        conversation = [{"role": "user", "content": message}]
        return str(self.inner.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True))
