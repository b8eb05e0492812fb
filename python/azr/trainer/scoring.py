"""Log-probabilities and entropies of sampled tokens under a model.

Legend: B rows, C completion columns, N completion tokens.
"""

from typing import Any

import torch
from torch import Tensor

from azr.trainer import cpu_forward, packed_model
from azr.trainer.head import log_probs_and_entropy
from azr.trainer.packing import MicroBatch


def score(
    model: Any,
    micro_batch: MicroBatch,
    temperature: float,
    product: torch.dtype | None = None,
    direct: bool = True,
    padded: bool = False,
    compute: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    """log pi of each target, and the entropy of its distribution, both [B, C]; 0 at padding.

    The logits are divided by the temperature that the completions were drawn at, so that pi is the policy that drew
    them; 0 counts as 1.

    Args:
        product: type of the head's product; None: that of the hidden states.
        direct: small models on a CPU may use `cpu_forward`.
        padded: padded grids also on a GPU.
        compute: type of the products of `cpu_forward`; elsewhere autocast and the weights decide.
    """
    if direct and cpu_forward.supports(model):
        with torch.autocast("cpu", enabled=False):
            hidden = cpu_forward.hidden_states(model, micro_batch, compute)
    else:
        hidden = packed_model.hidden_states(model, micro_batch, padded=padded)
    picked = hidden.index_select(0, micro_batch.source)
    weight = model.get_output_embeddings().weight
    with torch.autocast(picked.device.type, enabled=False):
        targets = micro_batch.targets[micro_batch.mask]
        log_probs, entropy = log_probs_and_entropy(picked, weight, targets, temperature, product or picked.dtype)
    return _spread(log_probs, micro_batch.mask), _spread(entropy, micro_batch.mask)


def _spread(values: Tensor, mask: Tensor) -> Tensor:
    """[N] -> [B, C]"""
    return torch.zeros(mask.shape, dtype=values.dtype, device=values.device).masked_scatter(mask, values)
