"""Requirements of a run, before anything is loaded: GPU memory of each part, tokens and sandbox calls of a step.

Weights are counted from the shapes in the model's config; activations, from the trainer's own data structures. Legend
in `Shape`; sources of the formulas beside them.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azr.config import Config
from azr.errors import ConfigError
from azr.trainer.sharding_mode import check_offload, is_sharded

GB = 10**9
BYTES = {"float32": 4, "bfloat16": 2}
PACKED = 0.516
"""Bytes of an NF4 weight: half a byte, plus one packed constant for 64 weights (arXiv 2305.14314, section 3)."""
HEAD_CHUNK = 1 << 26
"""Logits in memory at one time on a GPU: `trainer.head.CHUNK`."""
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
"""Keys of config.json with the number of experts."""
RESERVE = 1.5 * GB
"""GPU memory for CUDA's context, library workspaces and fragmentation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of a decoder-only model."""

    hidden: int
    inner: int
    layers: int
    heads: int
    key_heads: int
    head_size: int
    vocabulary: int
    tied: bool
    attention_bias: bool

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Shape":
        """Read a model's config.json."""
        if experts := next((name for name in EXPERTS if int(values.get(name) or 1) > 1), None):
            raise ConfigError(
                f"a mixture of experts ({experts} = {values[experts]}): azr plan knows models whose layers are dense"
            )
        try:
            hidden, heads = int(values["hidden_size"]), int(values["num_attention_heads"])
            return cls(
                hidden=hidden,
                inner=int(values["intermediate_size"]),
                layers=int(values["num_hidden_layers"]),
                heads=heads,
                key_heads=int(values.get("num_key_value_heads") or heads),
                head_size=int(values.get("head_dim") or hidden // heads),
                vocabulary=int(values["vocab_size"]),
                tied=bool(values.get("tie_word_embeddings", False)),
                attention_bias=values.get("model_type") == "qwen2" or bool(values.get("attention_bias", False)),
            )
        except KeyError as error:
            raise ConfigError(f"a model config without {error}: azr plan knows decoder-only models") from error

    @property
    def layer(self) -> int:
        """Parameters of one layer."""
        width = (self.heads + 2 * self.key_heads) * self.head_size
        attention = self.hidden * width + self.heads * self.head_size * self.hidden
        return attention + (width if self.attention_bias else 0) + 3 * self.hidden * self.inner + 2 * self.hidden

    @property
    def projections(self) -> Mapping[str, tuple[int, int]]:
        """(inputs, outputs) of a layer's matrices."""
        queries, keys = self.heads * self.head_size, self.key_heads * self.head_size
        return {
            "q_proj": (self.hidden, queries), "k_proj": (self.hidden, keys), "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden), "gate_proj": (self.hidden, self.inner),
            "up_proj": (self.hidden, self.inner), "down_proj": (self.inner, self.hidden),
        }  # fmt: skip

    def adapter(self, rank: int, targets: Collection[str]) -> int:
        """Parameters of an adapter."""
        return self.layers * rank * sum(sum(sizes) for name, sizes in self.projections.items() if name in targets)

    @property
    def embeddings(self) -> int:
        """Parameters of the embedding and the head."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """All of them."""
        return self.layers * self.layer + self.embeddings + self.hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Bytes of each part on one GPU, and the counts of a step."""

    shape: Shape
    trainer: Mapping[str, float]
    """Held during the update."""
    engine: Mapping[str, float]
    """Held during sampling."""
    completions: int
    """Upper bound for a step."""
    tokens: int
    """Upper bound: all prompts and completions at their limits."""
    sandbox_calls: int
    """Upper bound: each proposal runs twice on each of its inputs, each answer once on each."""
    host: Mapping[str, float] = field(default_factory=dict)
    """CPU memory of each process."""
    share: Mapping[str, float] = field(default_factory=dict)
    """The least that vLLM needs of its share (`engine.vllm.memory`); the rest becomes cache."""


def shape_of(name: str) -> Shape:
    """The shape of a model, by its folder or hub name (only its config is read).

    Raises:
        ConfigError: it is neither.
    """
    from azr.trainer.model import locate

    path = Path(locate(name)) / "config.json"
    if path.is_file():
        return Shape.read(json.loads(path.read_text("utf-8")))
    if name in KNOWN:
        return KNOWN[name]
    from transformers import AutoConfig

    try:
        return Shape.read(AutoConfig.from_pretrained(name).to_dict())
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"model.name = {name!r} is no folder here and no model that can be looked up: {reason}"
        ) from error


def plan(config: Config, gpus: int, size: float, shape: Shape) -> Plan:
    """Requirements of a run with one rank on each of several GPUs of `size` bytes.

    Raises:
        ConfigError: engines that these GPUs cannot share, or an offload without split weights.
    """
    _refuse(config, gpus, shape)
    model, stored = config.model, BYTES[config.model.dtype]
    compute = BYTES[model.compute]
    adapted, total = model.adapted, shape.parameters
    sharded = is_sharded(config, gpus, "cuda")
    split = gpus if sharded else 1
    # Optimizer state has the type of the trained weights; an adapter is float32.
    trained = 4.0 * shape.adapter(model.lora.rank, model.lora.targets) if adapted else float(total * stored)
    weights = trained + (_base(shape, config) if adapted else 0.0)
    # A plain copy that engines sample from, where weights are sharded or an adapter is trained.
    copied = float(total * compute) if sharded or adapted else 0.0
    samples_here = config.engine.name == "transformers"
    trainer = {
        "weights": weights / split,
        "gradients": trained / split,
        "optimizer": 2 * trained / split,
        "starting weights (KL)": weights / split if config.train.loss.kl and not adapted else 0.0,
        "weights to sample from": copied if samples_here else 0.0,
        "gathered layers": 2 * max(shape.layer, shape.embeddings) * compute if sharded else 0.0,
        "activations": activations(shape, config, compute),
        "head": head(shape, config, compute, sharded),
        "reserve": RESERVE,
    }
    host: dict[str, float] = {"model while loading": float(total * stored)}
    if copied and not samples_here:
        host["weights for the engine"] = copied
    if sharded and trainer["starting weights (KL)"]:
        host["starting weights while loading"] = float(total * stored)
    if config.ranks.offload:
        for part in ("weights", "gradients", "optimizer", "starting weights (KL)"):
            host[part], trainer[part] = trainer[part], 0.0
    kept = sum(trainer[part] for part in ("weights", "optimizer", "starting weights (KL)"))
    engine = {"trainer's weights and optimizer": kept, "trainer's reserve": RESERVE}
    share: dict[str, float] = {}
    cache = cache_of_text(shape, config)
    if config.engine.name == "vllm":
        given = config.engine.vllm
        # Outside of its share: its CUDA context and graphs, asleep or awake.
        engine |= {"engine's share": given.memory * size, "engine's reserve": RESERVE}
        # Its weights are compared with the trainer's while it is awake.
        engine["gathered layers"] = trainer["gathered layers"]
        trainer |= {"engine's share": 0.0 if given.sleep else given.memory * size, "engine's reserve": RESERVE}
        # Each GPU of an engine has its part of every matrix.
        held = total * engine_bytes(config) / given.tensor_parallel
        share = {"weights": held, "one longest text": cache, "workspace": RESERVE}
    else:
        engine |= {
            "weights": copied if samples_here else float(total * compute),
            "keys and values of 8 longest texts": 8 * cache,
        }
    completions, tokens, calls = counts(config)
    return Plan(
        shape=shape, trainer=trainer, engine=engine, share=share, completions=completions, tokens=tokens,
        sandbox_calls=calls, host=host,
    )  # fmt: skip


def _refuse(config: Config, gpus: int, shape: Shape) -> None:
    several = devices(config)
    if gpus % several:
        raise ConfigError(
            f"engine.vllm.tensor_parallel = {several}: the number of GPUs ({gpus}) must be a multiple of it"
        )
    if shape.heads % several:
        raise ConfigError(
            f"engine.vllm.tensor_parallel = {several} has to divide the model's {shape.heads} attention heads"
        )
    check_offload(config, is_sharded(config, gpus, "cuda"))


def devices(config: Config) -> int:
    """GPUs of one engine."""
    return config.engine.vllm.tensor_parallel if config.engine.name == "vllm" else 1


def engine_bytes(config: Config) -> int:
    """Bytes of one weight, key or value in vLLM."""
    dtype = config.engine.vllm.dtype
    return BYTES[config.model.compute if dtype == "auto" else dtype]


def cache_of_text(shape: Shape, config: Config) -> float:
    """Keys and values of the longest text that can be sampled, on each GPU of an engine."""
    size = engine_bytes(config) if config.engine.name == "vllm" else BYTES[config.model.compute]
    longest = config.prompt.max_tokens + config.sampling.longest
    key_heads = -(-shape.key_heads // devices(config))  # at least one head; on several GPUs the same one
    return float(2 * shape.layers * key_heads * shape.head_size * size * longest)


def _base(shape: Shape, config: Config) -> float:
    """Bytes of an adapter's frozen base."""
    stored = BYTES[config.model.dtype]
    matrices = shape.layers * sum(inputs * outputs for inputs, outputs in shape.projections.values())
    if config.model.lora.base == "whole":
        return float(shape.parameters * stored)
    return (shape.parameters - matrices) * stored + matrices * PACKED


def activations(shape: Shape, config: Config, size: int) -> float:
    """Kept for the backward pass of one micro-batch: what a layer saves, or its input alone if layers are recomputed.

    A layer saves its input, two normed inputs, queries, keys, values, the attention's output, gate, up and their
    product (compare arXiv 2205.05198, section 4.1, for dense layers).
    """
    width = (2 * shape.heads + 2 * shape.key_heads) * shape.head_size
    # Attention works on copies: queries, keys and values of prompts and of completions, for every head.
    copies = 6 * shape.heads * shape.head_size
    layer = 4 * shape.hidden + width + copies + 3 * shape.inner
    tokens = config.train.micro_batch_tokens
    if config.model.gradient_checkpointing:
        return float(tokens * size * (shape.layers * shape.hidden + layer))
    return float(tokens * size * shape.layers * layer)


def head(shape: Shape, config: Config, size: int, sharded: bool) -> float:
    """A chunk of logits and its derivatives; the head's weight in the compute type; its gradient, twice."""
    chunk = 4.0 * 4 * min(HEAD_CHUNK, config.train.micro_batch_tokens * shape.vocabulary)
    weight = shape.vocabulary * shape.hidden
    # Gathered layers already have that type.
    cast = 0 if sharded else weight * size
    return chunk + cast + (0 if config.model.adapted else weight * (4 + size))


def counts(config: Config) -> tuple[int, int, int]:
    """Completions, tokens and sandbox calls of a step, upper bounds."""
    kinds = len(config.tasks.kinds)
    proposals, solves = kinds * config.propose.batch, kinds * config.solve.batch * config.solve.answers
    trials = proposals * config.solve.trials
    completions = proposals + solves + trials
    names = [str(kind).rpartition(".")[2] for kind in config.tasks.kinds]
    inputs = sum(config.tasks.inputs if name == "induction" else 1 for name in names)
    answers = config.solve.batch * config.solve.answers + config.propose.batch * config.solve.trials
    calls = (2 * config.propose.batch + answers) * inputs
    return completions, completions * (config.prompt.max_tokens + config.sampling.longest), calls


def _qwen(hidden: int, inner: int, layers: int, heads: int, key_heads: int, vocabulary: int, tied: bool) -> Shape:
    return Shape(
        hidden=hidden, inner=inner, layers=layers, heads=heads, key_heads=key_heads, head_size=hidden // heads,
        vocabulary=vocabulary, tied=tied, attention_bias=True,
    )  # fmt: skip


# From the models' published config.json, so that a recipe can be planned without a network.
_SIZES = {
    "0.5B": _qwen(896, 4864, 24, 14, 2, 151936, True),
    "1.5B": _qwen(1536, 8960, 28, 12, 2, 151936, True),
    "3B": _qwen(2048, 11008, 36, 16, 2, 151936, True),
    "7B": _qwen(3584, 18944, 28, 28, 4, 152064, False),
    "14B": _qwen(5120, 13824, 48, 40, 8, 152064, False),
}
KNOWN: dict[str, Shape] = {
    **{f"Qwen/Qwen2.5-{size}": shape for size, shape in _SIZES.items()},
    **{f"Qwen/Qwen2.5-Coder-{size}": shape for size, shape in _SIZES.items()},
    "Qwen/Qwen3-0.6B": Shape(
        hidden=1024, inner=3072, layers=28, heads=16, key_heads=8, head_size=128, vocabulary=151936, tied=True,
        attention_bias=False,
    ),
    "Qwen/Qwen3-4B-Base": Shape(
        hidden=2560, inner=9728, layers=36, heads=32, key_heads=8, head_size=128, vocabulary=151936, tied=True,
        attention_bias=False,
    ),
    "meta-llama/Llama-3.1-8B": Shape(
        hidden=4096, inner=14336, layers=32, heads=32, key_heads=8, head_size=128, vocabulary=128256, tied=False,
        attention_bias=False,
    ),
}  # fmt: skip
