"""Attention on packed micro-batches by padded grids of prompts and completions; on a GPU `flex` is faster.

Prompts are causal. A completion's queries attend to its prompt's keys, padded to the longest prompt of the
micro-batch, and to its own. So shared prompts are projected once, and only attention sees padding.

Legend: T tokens, H heads, K key heads, D head size; G prompts of at most P tokens, B completions of at most C.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from azr.trainer.packing import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Grids:
    """A layout as padded index grids, made once per micro-batch for all layers. Padding points at token 0."""

    prompts: Tensor
    """[G, P] -> T"""
    completions: Tensor
    """[B, C] -> T"""
    keys: Tensor
    """[B, P + C] -> T"""
    visible: Tensor
    """[B, 1, C, P + C], which keys a completion's token attends to."""
    order: Tensor
    """[T], positions of the tokens in the concatenated, flattened grids."""


def grids_of(layout: Layout) -> Grids:
    """Index grids of a layout."""
    prompts, real_prompts = _grid(layout.prompts)
    completions, real = _grid(layout.completions)
    keys = torch.cat([prompts[layout.prompt_of], completions], 1)
    columns = torch.arange(completions.shape[1], device=real.device)
    causal = (columns[None, :] <= columns[:, None]).expand(len(real), -1, -1)
    before = real_prompts[layout.prompt_of][:, None, :].expand(-1, len(columns), -1)
    # Padded queries attend to what the first one does; their results are unused.
    visible = torch.cat([before, causal], 2)[:, None]
    order = torch.cat([real_prompts.flatten(), real.flatten()]).nonzero().squeeze(1)
    return Grids(prompts=prompts, completions=completions, keys=keys, visible=visible, order=order)


def attend(query: Tensor, key: Tensor, value: Tensor, grids: Grids, scale: float) -> Tensor:
    """[T, H, D] queries on [T, K, D] keys and values -> [T, H, D]."""
    heads, size = query.shape[1:]
    repeat = heads // key.shape[1]
    shared = F.scaled_dot_product_attention(
        _pick(query, grids.prompts, 1),
        _pick(key, grids.prompts, repeat),
        _pick(value, grids.prompts, repeat),
        is_causal=True,
        scale=scale,
    )
    own = F.scaled_dot_product_attention(
        _pick(query, grids.completions, 1),
        _pick(key, grids.keys, repeat),
        _pick(value, grids.keys, repeat),
        attn_mask=grids.visible,
        scale=scale,
    )
    flat = torch.cat([x.transpose(1, 2).reshape(-1, heads, size) for x in (shared, own)])
    return flat.index_select(0, grids.order)


def _pick(x: Tensor, grid: Tensor, repeat: int) -> Tensor:
    """[T, heads, D] -> [rows, heads x repeat, columns, D]"""
    picked = x.index_select(0, grid.flatten()).view(*grid.shape, *x.shape[1:]).transpose(1, 2)
    return picked.repeat_interleave(repeat, 1) if repeat > 1 else picked


def _grid(bounds: Tensor) -> tuple[Tensor, Tensor]:
    """[n + 1] bounds -> [n, longest] token indices, and which of them are real."""
    lengths = bounds[1:] - bounds[:-1]
    columns = torch.arange(int(lengths.max()), device=bounds.device)
    real = columns[None, :] < lengths[:, None]
    return (bounds[:-1, None] + columns[None, :]) * real, real
