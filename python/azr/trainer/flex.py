"""Attention on packed micro-batches without padding, by torch's flex attention, compiled on GPUs.

A token attends to the earlier tokens of its own text and to its whole prompt. Blocks of 128 by 128 tokens that are
fully masked are skipped.

Legend: T tokens, H heads, K key heads, D head size; G prompts, B completions.
"""

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from azr.trainer.compiled import compiled
from azr.trainer.packing import Layout


def blocks_of(layout: Layout) -> BlockMask:
    """The mask of a layout, made once per micro-batch for all layers."""
    prompts = len(layout.prompts) - 1
    bounds = torch.cat([layout.prompts[:-1], layout.completions])
    tokens = int(bounds[-1])
    text = torch.searchsorted(bounds, torch.arange(tokens, device=bounds.device), right=True) - 1
    # Value for a prompt's own tokens.
    prompt_of = torch.cat([layout.prompt_of.new_full((prompts,), -1), layout.prompt_of])
    prompt = prompt_of[text]

    def sees(_: Tensor, __: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & ((text[key] == text[query]) | (text[key] == prompt[query]))

    return compiled(create_block_mask, bounds.device.type)(  # type: ignore[no-any-return]
        sees, None, None, tokens, tokens, device=bounds.device
    )


def attend(query: Tensor, key: Tensor, value: Tensor, blocks: BlockMask, scale: float) -> Tensor:
    """[T, H, D] queries on [T, K, D] keys and values -> [T, H, D]."""
    # One row of H or K heads. Rotary positions may have promoted queries and keys beyond autocast's type.
    queries, keys, values = (x.to(value.dtype).transpose(0, 1)[None] for x in (query, key, value))
    grouped = query.shape[1] != key.shape[1]
    # On a GPU the kernel exists only compiled; on a CPU (tests) it runs eagerly.
    run = compiled(flex_attention, query.device.type)
    mixed: Tensor = run(queries, keys, values, block_mask=blocks, scale=scale, enable_gqa=grouped)
    return mixed[0].transpose(0, 1)
