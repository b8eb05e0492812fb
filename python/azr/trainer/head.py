"""Log-probability and entropy of given tokens without the logits of a whole batch in memory.

The logits are made, used and dropped chunk by chunk, in the forward pass and again in the backward pass; what is kept
is the hidden states and one number a token. With p = softmax(z), l_t = z_t - logsumexp(z) and H = -sum p log p:

    d l_t / dz = onehot(t) - p          dH / dz = -p (log p + H)

Legend: N tokens, E hidden size, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor

CHUNK = 1 << 24
"""Logits that are in memory at one time: 64 MiB of float32, a few times over."""


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
        for part in _chunks(len(hidden), len(weight)):
            logits = _logits(hidden[part], weight, scale, product, wide)
            total = logits.logsumexp(-1)
            log_probs[part] = logits.gather(-1, targets[part, None]).squeeze(-1) - total
            logits -= total[:, None]
            entropy[part] = -torch.linalg.vecdot(logits.exp(), logits)
            normaliser[part] = total
        ctx.save_for_backward(hidden, weight, targets, entropy, normaliser)
        ctx.scale, ctx.product = scale, product
        return log_probs, entropy

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (of_log_probs, of_entropy), scale, product = grads, ctx.scale, ctx.product
        hidden, weight, targets, entropy, normaliser = ctx.saved_tensors
        of_hidden = torch.empty_like(hidden)
        trained = ctx.needs_input_grad[1]  # not where an adapter is trained in its place
        wide = torch.promote_types(weight.dtype, torch.float32)
        of_weight = torch.zeros_like(weight, dtype=wide) if trained else None
        for part in _chunks(len(hidden), len(weight)):
            logits = _logits(hidden[part], weight, scale, product, entropy.dtype) - normaliser[part, None]
            slope = (logits + entropy[part, None]).mul_(of_entropy[part, None]).add_(of_log_probs[part, None])
            slope.mul_(logits.exp_()).neg_()
            slope.scatter_add_(-1, targets[part, None], of_log_probs[part, None])
            slope = slope.mul_(scale).to(product)
            of_hidden[part] = (slope @ weight.to(product)).to(hidden.dtype)
            if of_weight is not None:
                of_weight += slope.t() @ hidden[part].to(product)
        return of_hidden, None if of_weight is None else of_weight.to(weight.dtype), None, None, None


def _logits(hidden: Tensor, weight: Tensor, scale: float, product: torch.dtype, wide: torch.dtype) -> Tensor:
    return (hidden.to(product) @ weight.to(product).t()).to(wide).mul_(scale)


def _chunks(tokens: int, vocabulary: int) -> list[slice]:
    size = max(1, CHUNK // vocabulary)
    return [slice(at, at + size) for at in range(0, tokens, size)]
