"""Attention of packed pieces without padding, by torch's flex attention: for GPUs, where it is compiled.

A token attends to what stands before it in its own text, and to the whole of its prompt. Blocks of 128 by 128 tokens
that have nothing to see are never computed.

Legend: T tokens, H heads, K key heads, D head size; G prompts, B completions.
"""

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from azr.trainer.compiled import compiled
from azr.trainer.packing import Layout


def blocks_of(layout: Layout) -> BlockMask:
    """What a layout's tokens see, made once for a piece and used by every layer."""
    prompts = len(layout.prompts) - 1
    bounds = torch.cat([layout.prompts[:-1], layout.completions])
    tokens = int(bounds[-1])
    text = torch.searchsorted(bounds, torch.arange(tokens, device=bounds.device), right=True) - 1
    # Of a prompt's own tokens: none.
    prompt_of = torch.cat([layout.prompt_of.new_full((prompts,), -1), layout.prompt_of])
    prompt = prompt_of[text]

    def sees(_: Tensor, __: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & ((text[key] == text[query]) | (text[key] == prompt[query]))

    return compiled(create_block_mask, bounds.device.type)(  # type: ignore[no-any-return]
        sees, None, None, tokens, tokens, device=bounds.device
    )


def attend(query: Tensor, key: Tensor, value: Tensor, blocks: BlockMask, scale: float) -> Tensor:
    """[T, H, D] queries on [T, K, D] keys and values -> [T, H, D]."""
    # One row of H or K heads. Rotary positions may have left queries and keys wider than what autocast computes in.
    queries, keys, values = (x.to(value.dtype).transpose(0, 1)[None] for x in (query, key, value))
    grouped = query.shape[1] != key.shape[1]
    # On a GPU the kernel exists only compiled; a CPU (tests) runs it as it is.
    run = compiled(flex_attention, query.device.type)
    mixed: Tensor = run(queries, keys, values, block_mask=blocks, scale=scale, enable_gqa=grouped)
    return mixed[0].transpose(0, 1)
