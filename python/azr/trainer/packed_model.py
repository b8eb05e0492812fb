"""A Hugging Face model's own forward pass over a packed micro-batch.

transformers can replace a model's attention by name; this one takes the micro-batch's layout from the call.
Outside of a micro-batch, such as in sampling, the name falls through to transformers' own `sdpa`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from azr.errors import ModelError
from azr.trainer.attention import attend, grids_of
from azr.trainer.flex import attend as attend_blocks
from azr.trainer.flex import blocks_of
from azr.trainer.packing import Layout, MicroBatch

NAME = "azr_packed"
SCALED_HEADS = ("final_logit_softcapping", "logit_scale", "logits_scaling")
"""Config keys of models whose logits are more than one matrix product."""


@dataclass(frozen=True, slots=True)
class PieceAttention:
    """Attention over one micro-batch, made once for all layers."""

    run: Callable[..., Tensor]
    """(queries [T, H, D], keys [T, K, D], values [T, K, D], scale=) -> [T, H, D]"""

    # Opaque to the compiler, so that a compiled layer is not recompiled for each micro-batch's layout.
    @torch.compiler.disable  # type: ignore[untyped-decorator]  # torch gives it no types
    def __call__(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        return self.run(query, key, value, scale=scale)


def prepare(model: Any) -> None:
    """Let a model read packed micro-batches.

    Raises:
        ModelError: its attention cannot be replaced, or its logits are not a plain product.
    """
    config, kind = model.config, type(model).__name__
    odd = [key for key in SCALED_HEADS if getattr(config, key, None) not in (None, 1, 1.0)]
    head = model.get_output_embeddings()
    if odd or head is None or getattr(head, "bias", None) is not None:
        raise ModelError(f"{kind}: log-probabilities come from the head's weight alone, but it has {odd or 'a bias'}")
    if "sliding_attention" in (getattr(config, "layer_types", None) or ()):
        raise ModelError(f"{kind} has layers with a sliding window, which packed training does not support")
    if not getattr(model, "_supports_attention_backend", False):
        raise ModelError(f"{kind}: its attention cannot be replaced in transformers, so it cannot be trained packed")
    model.set_attn_implementation(NAME)


def hidden_states(model: Any, micro_batch: MicroBatch, padded: bool = False) -> Tensor:
    """The last hidden states of a micro-batch, after the final norm, [T, E]; `padded`: a GPU attends as a CPU does."""
    device = micro_batch.ids.device.type
    embedded = model.get_input_embeddings()(micro_batch.ids[None])
    if torch.is_autocast_enabled(device):
        # Also between the layers, as in the engines; autocast alone keeps the type of the stored weights.
        embedded = embedded.to(torch.get_autocast_dtype(device))
    output = model.get_decoder()(
        inputs_embeds=embedded,
        position_ids=micro_batch.positions[None],
        # A four-dimensional mask is passed through; ours is in the layout.
        attention_mask=micro_batch.ids.new_zeros((1, 1, 1, 1)),
        use_cache=False,
        azr_attention=_attention_over(micro_batch.layout, padded or device != "cuda"),
    )
    hidden: Tensor = output.last_hidden_state[0]
    return hidden


def _attention_over(layout: Layout, padded: bool) -> PieceAttention:
    if padded:
        return PieceAttention(partial(attend, grids=grids_of(layout)))
    return PieceAttention(partial(attend_blocks, blocks=blocks_of(layout)))


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """transformers' signature: [1, H, T, D] in, [1, T, H, D] out."""
    attention = options.pop("azr_attention", None)
    if attention is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    queries, keys, values = (x[0].transpose(0, 1) for x in (query, key, value))
    scale = options.get("scaling") or query.shape[-1] ** -0.5
    return attention(queries, keys, values, scale=scale)[None], None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
