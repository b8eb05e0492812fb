"""The trainer alone on a GPU: tokens/s, MFU and peak memory of whole updates, for randomly initialised models.

    python benchmarks/gpu.py --out benchmarks/gpu.json                            # 0.5B and 3B at 4k and 16k
    python benchmarks/gpu.py --shapes 3B --lengths 16384 --lora 32 [--base 4bit]  # an adapter in place of all weights
    python benchmarks/gpu.py --check                                              # gradients equal to a CPU's?
    python benchmarks/gpu.py --shapes 0.5B --lengths 4096 --profile               # and where the time goes
    python benchmarks/gpu.py --device cpu --shapes toy --lengths 256              # what CI runs

An update is what a step of `azr train` does: forward, backward with layers recomputed, clipping, AdamW; float32
weights and optimizer state, bfloat16 compute. Each episode has as many tokens as `--lengths` says, a sixteenth of them
its prompt's; a micro-batch is one of the longest or several of shorter ones (`--tokens`). The first update
(compilation, warm-up) is not counted; the rate is that of the median of the rest.

MFU: model FLOPs, 6 for each parameter and token without the input embedding, and 12 L H D T / 2 for causal attention
(Megatron's count, arXiv 2205.05198, without recomputation), over the time and the GPU's dense bfloat16 peak. To be
compared with: prime-rl's published 1 x H100, Qwen3-0.6B at 16k, 11,896 tokens/s, 11.1% MFU, 12.5 GiB.

Memory: the most that was allocated at once while updates ran, and what `azr plan` counts for the same.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from azr.cli.measure.plan import KNOWN, Shape, plan
from azr.config import Config, resolve
from azr.rollouts.tokens import ByteTokenizer
from azr.trainer.compiled import compile_layers
from azr.trainer.model import LoadedModel
from azr.trainer.packed_model import prepare
from azr.trainer.packing import pack
from azr.trainer.scoring import score
from azr.trainer.torch_policy import TorchPolicy
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

SHAPES = {
    "toy": Shape(
        hidden=64, inner=128, layers=2, heads=4, key_heads=2, head_size=16, vocabulary=512, tied=True,
        attention_bias=True,
    ),
    **{size: KNOWN[f"Qwen/Qwen2.5-{size}"] for size in ("0.5B", "1.5B", "3B", "7B")},
    "Qwen3-0.6B": KNOWN["Qwen/Qwen3-0.6B"],
}  # fmt: skip
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12, "3090": 71e12}
"""Dense bfloat16 FLOP/s of the makers' data sheets, by a part of the device's name; the first that matches counts."""


FAMILIES: dict[str, tuple[Any, Any]] = {"Qwen3-0.6B": (Qwen3Config, Qwen3ForCausalLM)}
"""Architectures of the shapes that are not Qwen2's."""


def make_model(shape: Shape, longest: int, device: torch.device) -> Any:
    """Random weights of a shape, in float32."""
    torch.manual_seed(0)
    name = next((name for name, known in SHAPES.items() if known is shape), "")
    make_config, make = FAMILIES.get(name, (Qwen2Config, Qwen2ForCausalLM))
    more = {"head_dim": shape.head_size} if name in FAMILIES else {}
    config = make_config(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, intermediate_size=shape.inner,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.key_heads,
        tie_word_embeddings=shape.tied, max_position_embeddings=max(longest, 4096),
        **more,
    )  # fmt: skip
    with device:
        model = make(config)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model


def make_batch(shape: Shape, length: int, tokens: int) -> Batch:
    """As many episodes of one length as make up the tokens."""
    rng = np.random.default_rng(0)
    before, episodes = length // 16, []
    for _ in range(max(1, tokens // length)):
        ids = rng.integers(0, shape.vocabulary, length).tolist()
        prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(ids[:before]))
        rest = tuple(ids[before:])
        done = Completion(prompt=prompt, text="", token_ids=rest, log_probs=(-11.0,) * len(rest), finished=True)
        episodes.append(Episode(completion=done, reward=0.0))
    total = sum(episode.length for episode in episodes)
    count = len(episodes)
    return Batch(episodes=tuple(episodes), advantages=rng.normal(size=count), weights=np.full(count, 1.0 / total))


def flops(shape: Shape, batch: Batch) -> float:
    """Of one update of all weights."""
    lengths = [len(e.completion.prompt.token_ids) + e.length for e in batch.episodes]
    weights = shape.layers * shape.layer + shape.vocabulary * shape.hidden
    attention = 6.0 * shape.layers * shape.heads * shape.head_size
    return sum(6.0 * weights * length + attention * length * length for length in lengths)


def settings(given: argparse.Namespace, length: int) -> Config:
    """What a recipe has."""
    lora = [f"model.lora.rank={given.lora}", f"model.lora.base={given.base}", "model.dtype=bfloat16"]
    return resolve(
        {},
        [
            f"model.device={given.device}", "model.compute=bfloat16", "model.gradient_checkpointing=true",
            "engine.name=vllm", f"train.micro_batch_tokens={max(length, given.tokens)}",
            f"train.attention={given.attention}", f"train.compile={str(not given.eager).lower()}",
            *(lora if given.lora else []),
        ],
    )  # fmt: skip


def measure(name: str, length: int, given: argparse.Namespace) -> dict[str, Any]:
    """One shape at one length."""
    shape, device = SHAPES[name], torch.device(given.device)
    cuda = device.type == "cuda"
    config, batch = settings(given, length), make_batch(shape, length, given.batch)
    model = make_model(shape, length, torch.device("cpu") if given.lora else device)
    if given.lora:
        model.to(torch.bfloat16)
    policy = TorchPolicy(LoadedModel(model, cast(Any, ByteTokenizer())), config)
    seconds = []
    for turn in range(given.repeat + 1):
        if cuda:
            torch.cuda.synchronize()
            if turn == 1:
                torch.cuda.reset_peak_memory_stats()
        begin = time.perf_counter()
        stats = policy.update(batch)
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
        assert np.isfinite(stats.loss) and not stats.skipped
    spent = statistics.median(seconds[1:])
    tokens = sum(len(e.completion.prompt.token_ids) + e.length for e in batch.episodes)
    if given.profile:
        profile(policy, batch, cuda)
    peak = next((value for part, value in PEAKS.items() if cuda and part in torch.cuda.get_device_name()), None)
    return {
        "shape": name, "parameters": shape.parameters, "length": length, "tokens": tokens, "adapter": given.lora,
        "base": given.base if given.lora else None, "attention": given.attention, "compiled": not given.eager,
        "seconds": round(spent, 3),
        "first_seconds": round(seconds[0], 3), "tokens_per_second": round(tokens / spent),
        "mfu": round(flops(shape, batch) / spent / peak, 4) if peak and not given.lora else None,
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if cuda else None,
        "planned_gib": round(planned(config, shape) / 2**30, 2),
    }  # fmt: skip


def planned(config: Config, shape: Shape) -> float:
    """Bytes that `azr plan` counts for what the trainer itself allocates."""
    parts = plan(config, 1, 80e9, shape).trainer
    return sum(size for part, size in parts.items() if not part.startswith("engine") and part != "reserve")


def profile(policy: TorchPolicy, batch: Batch, cuda: bool) -> None:
    """Prints the operations that take most of the device's time."""
    with torch.profiler.profile() as seen:
        policy.update(batch)
    key = "self_cuda_time_total" if cuda else "self_cpu_time_total"
    sys.stderr.write(seen.key_averages().table(sort_by=key, row_limit=30, max_name_column_width=90) + "\n")


def check(given: argparse.Namespace) -> dict[str, Any]:
    """Gradients of a micro-batch with shared prompts, in float32: of a GPU's ways beside a CPU's."""
    shape, one = SHAPES["toy"], make_batch(SHAPES["toy"], 700, 2100)
    episodes = tuple(e for e in one.episodes for _ in range(3))
    batch = Batch(episodes=episodes, advantages=np.arange(9.0) - 4, weights=np.full(9, 1e-3))
    initial = make_model(shape, 4096, torch.device("cpu")).state_dict()

    def gradients(device: str, padded: bool, compiled: bool) -> torch.Tensor:
        model = make_model(shape, 4096, torch.device(device))
        model.load_state_dict(initial)
        prepare(model)
        if compiled:
            compile_layers(model.train())
        micro_batch = pack(batch, range(9), torch.device(device))
        log_probs, _ = score(model, micro_batch, 1.0, direct=False, padded=padded)
        (log_probs * micro_batch.advantages * micro_batch.mask).sum().backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).double().cpu()

    truth, found = gradients("cpu", True, False), {}
    for name, padded, compiled in (("padded", True, False), ("flex", False, False), ("flex, compiled", False, True)):
        got = gradients(given.device, padded, compiled)
        found[name] = float((got - truth).norm() / truth.norm())
        assert found[name] < 1e-3, f"{name}: the gradients differ by {found[name]}"
    return {"gradients_differ_by": found}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--shapes", nargs="+", default=["0.5B", "3B"], choices=list(SHAPES))
    options.add_argument("--lengths", nargs="+", type=int, default=[4096, 16384])
    options.add_argument("--device", default="cuda")
    options.add_argument("--batch", type=int, default=65536, help="tokens of an update")
    options.add_argument("--tokens", type=int, default=16384, help="tokens of a micro-batch")
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--lora", type=int, default=0, help="rank of an adapter")
    options.add_argument("--base", choices=["whole", "4bit"], default="whole")
    options.add_argument("--attention", choices=["auto", "padded"], default="auto")
    options.add_argument("--eager", action="store_true", help="layers that are not compiled")
    options.add_argument("--profile", action="store_true")
    options.add_argument("--check", action="store_true")
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    result: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if given.device == "cuda" else given.device,
        "torch": torch.__version__, "command": " ".join(sys.argv),
    }  # fmt: skip
    if given.check:
        result |= check(given)
    else:
        result["measured"] = [measure(name, length, given) for name in given.shapes for length in given.lengths]
    text = json.dumps(result, indent=1) + "\n"
    if given.out:
        given.out.write_text(text, "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
