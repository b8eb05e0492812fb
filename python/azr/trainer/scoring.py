"""Log-probabilities and entropies of sampled tokens under a model.

Legend: B rows, C completion columns, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor

from azr.trainer.packing import MicroBatch


def score(model: Any, piece: MicroBatch, temperature: float) -> tuple[Tensor, Tensor]:
    """log pi of each target and the entropy of its distribution, both [B, C] in float32.

    The logits are divided by the temperature that the completions were drawn at, so that pi is the policy that drew
    them; 0 counts as 1.
    """
    columns = piece.targets.shape[1]
    output = model(
        input_ids=piece.ids,
        attention_mask=piece.attention,
        position_ids=piece.positions,
        logits_to_keep=columns + 1,
        use_cache=False,
    )
    logits = output.logits[:, :-1].float() / (temperature or 1.0)
    log_probs = torch.log_softmax(logits, -1)
    entropy = -(log_probs.exp() * log_probs).sum(-1)
    return log_probs.gather(-1, piece.targets[..., None]).squeeze(-1), entropy
