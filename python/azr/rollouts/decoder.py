"""A minimal decoder on a Hugging Face model's weights, for small models on a CPU.

There, the model's `forward` spends most of its time outside of matrix products. Here each layer's query, key and value
projections are one product, and so are gate and up; the cache is written in place; and heads that share a key form one
query with several rows. For the Qwen2, Qwen3 and Llama architectures; logits equal the model's (a test).

What all prompts of a batch begin with is read once: the words of a role and kind, worked examples.

Legend: B rows, T columns so far, V vocabulary, H heads, K key heads, D head size. Rows are padded on the left, behind
what they share, so that all rows write the same column.
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

FAMILIES = frozenset({"qwen2", "qwen3", "llama"})
GROW = 64
"""Columns that the cache grows by."""
SHARED = 16
"""Least number of tokens that are worth a pass of their own."""


def supports(model: Any) -> bool:
    """Whether this decoder supports the model."""
    config = model.config
    scaled = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default") not in ("default", "llama3")
    sliding = "sliding_attention" in (getattr(config, "layer_types", None) or ())
    # Layers with adapters or packed weights are more than the weight that is read here.
    plain = all(type(m) is torch.nn.Linear for name, m in model.named_modules() if name.endswith("_proj"))
    return plain and config.model_type in FAMILIES and not sliding and not scaled and config.hidden_act == "silu"


@dataclass(slots=True)
class Cache:
    """Keys and values of every layer, [B, K, capacity, D] each; `length` columns are filled."""

    keys: list[Tensor]
    values: list[Tensor]
    padding: Tensor
    """[B], padding columns of each row."""
    length: int
    shared: int = 0
    """Columns before the padding, which all rows share."""

    def select(self, rows: Tensor) -> "Cache":
        """The cache of some rows; a row may be repeated (attempts that share a prompt)."""
        keys = [layer.index_select(0, rows) for layer in self.keys]
        values = [layer.index_select(0, rows) for layer in self.values]
        return Cache(keys, values, self.padding.index_select(0, rows), self.length, self.shared)

    @property
    def real(self) -> Tensor:
        """[B, T], the columns that are tokens."""
        columns = torch.arange(self.length, device=self.padding.device)[None]
        return (columns < self.shared) | (columns >= self.shared + self.padding[:, None])

    def reserve(self, columns: int) -> None:
        """Make room for a total of `columns`."""
        missing = columns - self.keys[0].shape[2]
        if missing > 0:
            self.keys = [F.pad(layer, (0, 0, 0, missing)) for layer in self.keys]
            self.values = [F.pad(layer, (0, 0, 0, missing)) for layer in self.values]


@dataclass(slots=True)
class _Layer:
    """One layer's weights, fused."""

    input_norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    q_norm: Tensor | None
    k_norm: Tensor | None
    output: Tensor
    output_bias: Tensor | None
    post_norm: Tensor
    gate_up: Tensor
    down: Tensor


class Decoder:
    """Prefill and step on a snapshot of the model's weights; `refresh` updates it."""

    def __init__(self, model: Any, compute: torch.dtype | None = None) -> None:
        """`compute`: type of products and of the cache; None: the weights'."""
        if not supports(model):
            raise ValueError(f"no fast decoder for the architecture {model.config.model_type}")
        config = model.config
        self._compute = compute or model.dtype
        self._model = model
        self._heads, self._key_heads = config.num_attention_heads, config.num_key_value_heads
        self._size = getattr(config, "head_dim", None) or config.hidden_size // self._heads
        self._epsilon = config.rms_norm_eps
        self._rotary: tuple[Tensor, Tensor] | None = None
        self.refresh()

    def refresh(self) -> None:
        """Take the model's current weights."""
        base = self._model.model
        self._embedding = base.embed_tokens.weight.detach()
        self._head = self._model.lm_head.weight.detach().to(self._compute)
        self._norm = base.norm.weight.detach()
        self._layers = [_fuse(layer, self._compute) for layer in base.layers]

    def prefill(self, ids: Tensor, padding: Tensor) -> tuple[Tensor, Cache]:
        """Read the prompts.

        Args:
            ids: [B, T], padded on the left.
            padding: [B], columns of padding.

        Returns:
            Logits [B, V] after the last column, and the cache.
        """
        shared = _shared(ids, padding)
        if not shared:
            cache = self._empty(padding, ids.shape[1])
            return self._forward(ids, cache), cache
        start = int(padding[0])
        once = self._empty(padding.new_zeros(1), ids.shape[1])
        self._forward(ids[:1, start : start + shared], once)
        cache = once.select(torch.zeros(len(ids), dtype=torch.long, device=ids.device))
        cache.padding, cache.shared = padding, shared
        # What a row has left of its own beginning stands where the padding goes now.
        return self._forward(ids[:, shared:], cache), cache

    def _empty(self, padding: Tensor, columns: int) -> Cache:
        shape = (len(padding), self._key_heads, columns + GROW, self._size)
        empty = [self._embedding.new_zeros(shape, dtype=self._compute) for _ in range(2 * len(self._layers))]
        return Cache(empty[::2], empty[1::2], padding, 0)

    def step(self, tokens: Tensor, cache: Cache) -> Tensor:
        """Read one more token of each row: [B] -> logits [B, V]."""
        if cache.length == cache.keys[0].shape[2]:
            cache.reserve(cache.length + GROW)
        return self._forward(tokens[:, None], cache)

    def _forward(self, ids: Tensor, cache: Cache) -> Tensor:
        new, begin = ids.shape[1], cache.length
        cache.length = end = begin + new
        columns = torch.arange(end, device=ids.device)
        mask = cache.real[:, None, None, :]
        if new > 1:
            own = columns[begin:, None]
            mask = (mask & (columns[None, :] <= own)) | (columns[None, :] == own)  # padding attends to itself
        positions = (columns[None, begin:] - cache.padding[:, None]).clamp(min=0)
        cos, sin = (table[positions][:, None] for table in self._tables(end))
        hidden = F.embedding(ids, self._embedding)
        for index, layer in enumerate(self._layers):
            normed = self._normed(hidden, layer.input_norm)
            hidden = hidden + self._attend(normed, layer, index, cache, mask, (cos, sin))
            normed = self._normed(hidden, layer.post_norm)
            gate, up = F.linear(normed, layer.gate_up).chunk(2, -1)
            hidden = hidden + F.linear(F.silu(gate) * up, layer.down)
        return F.linear(self._normed(hidden[:, -1], self._norm), self._head)

    def _normed(self, hidden: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(hidden, (hidden.shape[-1],), weight, self._epsilon).to(self._compute)

    def _attend(
        self, hidden: Tensor, layer: _Layer, index: int, cache: Cache, mask: Tensor, rotary: tuple[Tensor, Tensor]
    ) -> Tensor:
        rows, new, _ = hidden.shape
        heads, key_heads, size = self._heads, self._key_heads, self._size
        fused = F.linear(hidden, layer.qkv, layer.qkv_bias).view(rows, new, heads + 2 * key_heads, size).transpose(1, 2)
        query, key, value = torch.split(fused, [heads, key_heads, key_heads], 1)
        if layer.q_norm is not None and layer.k_norm is not None:
            query = F.rms_norm(query.to(layer.q_norm.dtype), (size,), layer.q_norm, self._epsilon)
            key = F.rms_norm(key.to(layer.k_norm.dtype), (size,), layer.k_norm, self._epsilon)
        query, key = _rotate(query, rotary).to(self._compute), _rotate(key, rotary)
        end = cache.length
        cache.keys[index][:, :, end - new : end] = key
        cache.values[index][:, :, end - new : end] = value
        keys, values = cache.keys[index][:, :, :end], cache.values[index][:, :, :end]
        if new == 1:
            # The heads of one key are rows of one query.
            query = query.reshape(rows, key_heads, heads // key_heads, size)
            mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
            mixed = mixed.reshape(rows, 1, heads * size)
        else:
            mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, enable_gqa=True)
            mixed = mixed.transpose(1, 2).reshape(rows, new, heads * size)
        return F.linear(mixed, layer.output, layer.output_bias)

    def _tables(self, length: int) -> tuple[Tensor, Tensor]:
        """cos and sin of each position, [positions, D], from the model's own rotary embedding."""
        if self._rotary is None or len(self._rotary[0]) < length:
            positions = torch.arange(2 * length, device=self._embedding.device)[None]
            cos, sin = self._model.model.rotary_emb(self._embedding, positions)
            self._rotary = cast(tuple[Tensor, Tensor], (cos[0], sin[0]))
        return self._rotary


def _fuse(layer: Any, compute: torch.dtype) -> _Layer:
    """The layer's weights; those of products in their type, which are the model's own where it is the same."""
    attention, mlp = layer.self_attn, layer.mlp
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    biased = attention.q_proj.bias is not None

    def cast(*weights: Tensor) -> Tensor:
        low = [weight.detach().to(compute) for weight in weights]
        return torch.cat(low) if len(low) > 1 else low[0]

    return _Layer(
        input_norm=layer.input_layernorm.weight.detach(),
        qkv=cast(*(p.weight for p in projections)),
        qkv_bias=cast(*(p.bias for p in projections)) if biased else None,
        q_norm=attention.q_norm.weight.detach() if hasattr(attention, "q_norm") else None,
        k_norm=attention.k_norm.weight.detach() if hasattr(attention, "k_norm") else None,
        output=cast(attention.o_proj.weight),
        output_bias=cast(attention.o_proj.bias) if attention.o_proj.bias is not None else None,
        post_norm=layer.post_attention_layernorm.weight.detach(),
        gate_up=cast(mlp.gate_proj.weight, mlp.up_proj.weight),
        down=cast(mlp.down_proj.weight),
    )


def _shared(ids: Tensor, padding: Tensor) -> int:
    """Tokens that all rows begin with, each keeping one of its own; 0 where a pass of their own does not pay."""
    least = ids.shape[1] - int(padding.max()) - 1
    if len(ids) < 2 or least < SHARED:
        return 0
    begins = ids.gather(1, padding[:, None] + torch.arange(least, device=ids.device))
    count = int((begins == begins[0]).all(0).long().cumprod(0).sum())
    return count if count >= SHARED else 0


def _rotate(x: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = rotary
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin
