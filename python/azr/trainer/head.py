"""Log-probability and entropy of given tokens, without the logits of a whole batch in memory.

The logits are computed and dropped chunk by chunk, in the forward pass and again in the backward pass. Only the hidden
states and one number per token are kept. With p = softmax(z), l_t = z_t - logsumexp(z) and H = -sum p log p:

    d l_t / dz = onehot(t) - p          dH / dz = -p (log p + H)

Legend: N tokens, E hidden size, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor

from azr.trainer.compiled import compiled

CHUNK = {"cpu": 1 << 24, "cuda": 1 << 26}
"""Logits in memory at one time, by kind of device: 64 or 256 MiB of float32, a few times over. A GPU needs a few
hundred tokens at once to be busy, and reads the head's whole gradient for each chunk.

A GPU needs a few hundred tokens at once to be busy, and reads the head's whole gradient for each chunk.
"""


def log_probs_and_entropy(
    hidden: Tensor, weight: Tensor, targets: Tensor, temperature: float, product: torch.dtype | None = None
) -> tuple[Tensor, Tensor]:
    """log p and the entropy at each token.

    Args:
        hidden: [N, E].
        weight: [V, E], the head's.
        targets: [N].
        temperature: of the policy: logits are divided by it; 0 counts as 1.
        product: what the head's product is computed in, whatever `hidden` and `weight` are in; None: as `hidden`.

    Returns:
        [N] and [N], in float32 (float64 if `hidden` is).
    """
    return _Head.apply(hidden, weight, targets, 1.0 / (temperature or 1.0), product or hidden.dtype)  # type: ignore[no-any-return, no-untyped-call]


class _Head(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, scale: float, product: torch.dtype) -> Any:
        wide = torch.promote_types(hidden.dtype, torch.float32)
        log_probs = hidden.new_empty(len(hidden), dtype=wide)
        entropy, normaliser = torch.empty_like(log_probs), torch.empty_like(log_probs)
        head, run = weight.to(product), compiled(_measure, hidden.device.type)
        for part in _chunks(hidden, weight):
            log_probs[part], entropy[part], normaliser[part] = run(hidden[part], head, targets[part], scale, wide)
        ctx.save_for_backward(hidden, weight, targets, entropy, normaliser)
        ctx.scale, ctx.product = scale, product
        return log_probs, entropy

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (of_log_probs, of_entropy), scale, product = grads, ctx.scale, ctx.product
        hidden, weight, targets, entropy, normaliser = ctx.saved_tensors
        of_hidden = torch.empty_like(hidden)
        trained = ctx.needs_input_grad[1]  # not for a frozen head, with an adapter
        wide = torch.promote_types(weight.dtype, torch.float32)
        of_weight = torch.zeros_like(weight, dtype=wide) if trained else None
        head, run = weight.to(product), compiled(_slope, hidden.device.type)
        for part in _chunks(hidden, weight):
            slopes = (of_log_probs[part], of_entropy[part])
            slope = run(hidden[part], head, targets[part], normaliser[part], entropy[part], slopes, scale)
            of_hidden[part] = (slope @ head).to(hidden.dtype)
            if of_weight is not None:
                of_weight += slope.t() @ hidden[part].to(product)
        return of_hidden, None if of_weight is None else of_weight.to(weight.dtype), None, None, None


def _measure(
    hidden: Tensor, head: Tensor, targets: Tensor, scale: float, wide: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """log p of the targets, entropies and log-normalisers of a chunk."""
    logits = _logits(hidden, head, scale, wide)
    total = logits.logsumexp(-1)
    log_probs = logits.gather(-1, targets[:, None]).squeeze(-1) - total
    logits -= total[:, None]
    return log_probs, -torch.linalg.vecdot(logits.exp(), logits), total


def _slope(
    hidden: Tensor,
    head: Tensor,
    targets: Tensor,
    normaliser: Tensor,
    entropy: Tensor,
    slopes: tuple[Tensor, Tensor],
    scale: float,
) -> Tensor:
    """The gradient of a chunk's logits; `slopes`: gradients of log p and of the entropy."""
    of_log_probs, of_entropy = slopes
    logits = _logits(hidden, head, scale, entropy.dtype).sub_(normaliser[:, None])
    slope = (logits + entropy[:, None]).mul_(of_entropy[:, None]).add_(of_log_probs[:, None])
    slope.mul_(logits.exp_()).neg_()
    slope.scatter_add_(-1, targets[:, None], of_log_probs[:, None])
    return slope.mul_(scale).to(head.dtype)


def _logits(hidden: Tensor, head: Tensor, scale: float, wide: torch.dtype) -> Tensor:
    return (hidden.to(head.dtype) @ head.t()).to(wide).mul_(scale)


def _chunks(hidden: Tensor, weight: Tensor) -> list[slice]:
    size = max(1, CHUNK[hidden.device.type] // len(weight))
    return [slice(at, at + size) for at in range(0, len(hidden), size)]
