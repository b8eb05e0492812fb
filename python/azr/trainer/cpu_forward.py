"""A fast forward pass for training small models on a CPU, on a Hugging Face model's weights.

There, the model's own forward spends most of its time outside of matrix products. Here norms, rotations and gates are
single functions with their own backward pass, projections of one input are one product, and residuals are added by the
last product of a block. For the architectures of `rollouts.decoder`; hidden states and gradients equal the model's (a
test).

Products may be in bfloat16, which processors with instructions for it multiply about four times as fast as float32. The
residual stream, the norms, the weights and their gradients keep the weights' type.

Legend: T tokens, E hidden size, H heads, K key heads, D head size, I inner size.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from azr.rollouts.decoder import supports as decodable
from azr.trainer.attention import attend, grids_of
from azr.trainer.packing import MicroBatch


def supports(model: Any) -> bool:
    """Whether this forward pass supports the model: plain weights of a known architecture, on a CPU."""
    config = model.config
    plain = type(model).__name__ in ("Qwen2ForCausalLM", "Qwen3ForCausalLM", "LlamaForCausalLM")
    drops = getattr(config, "attention_dropout", 0.0)
    biased = getattr(config, "mlp_bias", False)
    recomputes = model.is_gradient_checkpointing
    return plain and model.device.type == "cpu" and decodable(model) and not (drops or biased or recomputes)


def hidden_states(model: Any, micro_batch: MicroBatch, compute: torch.dtype | None = None) -> Tensor:
    """The last hidden states of a micro-batch, after the final norm, [T, E]. `compute`: dtype of products; None: the
    weights'."""
    base, config = model.model, model.config
    compute = compute or base.embed_tokens.weight.dtype
    grids = grids_of(micro_batch.layout)
    x = F.embedding(micro_batch.ids, base.embed_tokens.weight)
    cos, sin = base.rotary_emb(x, micro_batch.positions[None])
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    half = size // 2
    rotary = (cos[0, :, None, :half].contiguous(), sin[0, :, None, :half].contiguous())
    heads = (config.num_attention_heads, config.num_key_value_heads)
    for layer in base.layers:
        attention, mlp = layer.self_attn, layer.mlp
        qkv = _project(_norm(x, layer.input_layernorm), compute, attention.q_proj, attention.k_proj, attention.v_proj)
        query, key, value = torch.split(qkv.view(len(x), -1, size), [heads[0], heads[1], heads[1]], 1)
        if hasattr(attention, "q_norm"):
            query, key = _norm(query, attention.q_norm), _norm(key, attention.k_norm)
        query, key = _Rotate.apply(query, *rotary), _Rotate.apply(key, *rotary)  # type: ignore[no-untyped-call]
        mixed = attend(query.to(compute), key.to(compute), value.to(compute), grids, attention.scaling)
        x = _project_onto(x, mixed.flatten(1), attention.o_proj)
        gates = _project(_norm(x, layer.post_attention_layernorm), compute, mlp.gate_proj, mlp.up_proj)
        x = _project_onto(x, _Gate.apply(gates), mlp.down_proj)  # type: ignore[no-untyped-call]
    return _norm(x, base.norm)


def _norm(x: Tensor, norm: Any) -> Tensor:
    return _Norm.apply(x.to(norm.weight.dtype), norm.weight, norm.variance_epsilon)  # type: ignore[no-any-return, no-untyped-call]


def _project(x: Tensor, compute: torch.dtype, *layers: Any) -> Tensor:
    """Several projections of one input in one product, in the type of products."""
    bias = torch.cat([layer.bias for layer in layers]).to(compute) if layers[0].bias is not None else None
    weight = torch.cat([layer.weight for layer in layers])
    if compute is weight.dtype:
        return F.linear(x, weight, bias)
    product: Tensor = _Product.apply(x, weight, compute)  # type: ignore[no-untyped-call]
    return product if bias is None else product + bias


def _project_onto(residual: Tensor, x: Tensor, layer: Any) -> Tensor:
    """The residual with a projection added, in the residual's type."""
    if x.dtype is layer.weight.dtype:
        added: Tensor = torch.addmm(residual, x, layer.weight.t())
    else:
        added = residual + _Product.apply(x, layer.weight, x.dtype)  # type: ignore[no-untyped-call]
    return added if layer.bias is None else torch.add(added, layer.bias)


class _Product(torch.autograd.Function):
    """x times weight, transposed, in another type than the weight's. Each gradient has its tensor's own type."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, compute: torch.dtype) -> Tensor:
        low, cast = x.to(compute), weight.to(compute)
        ctx.save_for_backward(low, cast)
        ctx.types = (x.dtype, weight.dtype)
        return F.linear(low, cast)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        low, cast = ctx.saved_tensors
        grad = grads[0].to(low.dtype)
        of_x, of_weight = ctx.types
        return (grad @ cast).to(of_x), (grad.t() @ low).to(of_weight), None


class _Norm(torch.autograd.Function):
    """RMSNorm over the last axis."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        inverse = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        normed: Tensor = x * inverse
        return normed.mul_(weight)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        x, weight, inverse = ctx.saved_tensors
        normed = x * inverse
        product = grad * normed
        of_weight = product.flatten(0, -2).sum(0)
        # mean(grad w normed) over the last axis, as a matrix-vector product
        mean = torch.mv(product.flatten(0, -2), weight).view(*product.shape[:-1], 1).div_(-x.shape[-1])
        return torch.mul(grad, weight).addcmul_(normed, mean).mul_(inverse), of_weight, None


class _Rotate(torch.autograd.Function):
    """Rotary positions: each pair (a, b) of halves -> (a cos - b sin, b cos + a sin)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turn(x, cos, sin, -1)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        cos, sin = ctx.saved_tensors
        return _turn(grads[0], cos, sin, 1), None, None


def _turn(x: Tensor, cos: Tensor, sin: Tensor, sign: int) -> Tensor:
    first, second = x.chunk(2, -1)
    result = x.new_empty(x.shape)
    one, two = result.chunk(2, -1)
    torch.mul(first, cos, out=one).addcmul_(second, sin, value=sign)
    torch.mul(second, cos, out=two).addcmul_(first, sin, value=-sign)
    return result


class _Gate(torch.autograd.Function):
    """[T, 2 I] -> silu(first half) x second half."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor) -> Tensor:
        ctx.save_for_backward(gates)
        gate, up = gates.chunk(2, -1)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        (gates,) = ctx.saved_tensors
        gate, up = gates.chunk(2, -1)
        result = torch.empty_like(gates)
        of_gate, of_up = result.chunk(2, -1)
        # d silu(g) = s + g s (1 - s), s = sigmoid(g)
        share = torch.sigmoid(gate)
        silu = share * gate
        torch.mul(silu, grad, out=of_up)
        torch.addcmul(share, silu, 1.0 - share, out=of_gate).mul_(grad).mul_(up)
        return result
