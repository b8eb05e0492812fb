"""Prefill and step by the model's own forward pass: any causal language model of transformers, on any device."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

C = TypeVar("C")


class Decoding(Protocol[C]):
    """Interface of the sampling loop; C is the decoder's cache type, with `select(rows)`."""

    def refresh(self) -> None:
        """Take the model's current weights."""
        ...

    def prefill(self, ids: Tensor, padding: Tensor) -> tuple[Tensor, C]:
        """Prompts [B, T] padded on the left by `padding` [B] -> logits [B, V] after the last column, and the cache."""
        ...

    def step(self, tokens: Tensor, cache: C) -> Tensor:
        """One more token of each row, [B] -> logits [B, V]."""
        ...


@dataclass(slots=True)
class ModelCache:
    """The model's own cache, and its mask of real tokens."""

    inner: Any
    mask: Tensor
    """[B, T]"""

    def select(self, rows: Tensor) -> "ModelCache":
        """Keep some rows, or repeat them. The inner cache is changed in place, as transformers does it."""
        self.inner.batch_select_indices(rows)
        return ModelCache(self.inner, self.mask.index_select(0, rows))


class ModelDecoder:
    """The decoder for any model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def refresh(self) -> None:
        """Nothing to do: the weights are the model's own."""

    def prefill(self, ids: Tensor, padding: Tensor) -> tuple[Tensor, ModelCache]:
        """See `Decoding.prefill`."""
        from transformers import DynamicCache

        columns = torch.arange(ids.shape[1], device=ids.device)
        mask = (columns[None, :] >= padding[:, None]).long()
        cache = ModelCache(DynamicCache(config=self._model.config), mask)
        return self._forward(ids, cache), cache

    def step(self, tokens: Tensor, cache: ModelCache) -> Tensor:
        """See `Decoding.step`."""
        cache.mask = torch.cat([cache.mask, cache.mask.new_ones(len(tokens), 1)], 1)
        return self._forward(tokens[:, None], cache)

    def _forward(self, ids: Tensor, cache: ModelCache) -> Tensor:
        positions = (cache.mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        output = self._model(
            input_ids=ids,
            attention_mask=cache.mask,
            position_ids=positions,
            past_key_values=cache.inner,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits
