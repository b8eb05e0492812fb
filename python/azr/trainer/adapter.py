"""A low-rank adapter instead of all weights (LoRA, arXiv 2106.09685), on a base that may be in 4 bits (QLoRA, arXiv
2305.14314), for small GPUs.

The adapter is inserted into the model's own layers, so other code sees the same model. Engines and checkpoints, which
need plain weights, get them merged in a plain twin of the model.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from azr.config.schema import LoraConfig
from azr.errors import CheckpointError, ModelError

FOLDER = "adapter"
"""Folder in a checkpoint: the adapter alone, in peft's format."""
NAME = "default"
"""peft's name for the single adapter."""
BLOCK_TYPE = "nf4"


def add_adapter(model: Any, config: LoraConfig, source: str, compute: torch.dtype, device: torch.device) -> None:
    """Freeze the model, in 4 bits if the config says so, and insert a new adapter, which is zero at first.

    Args:
        source: what the model was loaded from; the adapter's own config names it.
        compute: what products of 4-bit weights are computed in.
        device: where the model goes.

    Raises:
        ModelError: no layer of the model has such a name.
    """
    from peft import LoraConfig as PeftConfig
    from peft import inject_adapter_in_model

    model.requires_grad_(False)
    if config.base == "4bit":
        _quantize(model, compute)
    model.to(device)
    given = PeftConfig(
        r=config.rank, lora_alpha=config.alpha, target_modules=list(config.targets), lora_dropout=0.0,
        task_type="CAUSAL_LM", base_model_name_or_path=source,
    )  # fmt: skip
    try:
        inject_adapter_in_model(given, model, NAME)
    except ValueError as error:
        raise ModelError(f"model.lora.targets = {list(config.targets)}: {error}") from error
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and ".lora_" in name:
            parameter.data = parameter.data.float()  # the type of the trained weights, and so of the optimizer state
    model.azr_adapter_config = given


def merge_into(plain: Any, model: Any) -> None:
    """Write base plus adapter into the plain twin."""
    with torch.no_grad():
        for name, layer in model.named_modules():
            if not name.endswith(".base_layer") and (hasattr(layer, "base_layer") or _is_packed(layer)):
                plain.get_submodule(name).weight.copy_(_weight(layer))


@contextmanager
def without_adapter(model: Any) -> Iterator[None]:
    """The base model without the adapter."""
    layers = [layer for layer in model.modules() if hasattr(layer, "base_layer")]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)


def save_adapter(model: Any, folder: Path) -> None:
    """Save in the format of `peft.PeftModel.from_pretrained`."""
    from safetensors.torch import save_file

    folder.mkdir()
    tensors = {_saved_name(name): p.detach().cpu().contiguous() for name, p in _own(model)}
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    model.azr_adapter_config.save_pretrained(str(folder))


def load_adapter(model: Any, folder: Path) -> None:
    """Load the saved adapter, bit for bit.

    Raises:
        CheckpointError: it is of another rank, of other layers, or of another base.
    """
    from safetensors.torch import load_file

    saved = load_file(folder / "adapter_model.safetensors")
    base = json.loads((folder / "adapter_config.json").read_text("utf-8"))["base_model_name_or_path"]
    if base != model.azr_adapter_config.base_model_name_or_path:
        raise CheckpointError(f"{folder} adapts {base}, not {model.azr_adapter_config.base_model_name_or_path}")
    own = {_saved_name(name): parameter for name, parameter in _own(model)}
    if {name: p.shape for name, p in own.items()} != {name: t.shape for name, t in saved.items()}:
        raise CheckpointError(f"{folder} holds an adapter of another rank or of other layers")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(saved[name])


def _own(model: Any) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


def _saved_name(name: str) -> str:
    """peft's parameter name, without the adapter's name."""
    return "base_model.model." + name.replace(f".{NAME}.", ".")


def _weight(layer: Any) -> Tensor:
    """The effective weight of a layer, in float32 where an adapter is added."""
    base = getattr(layer, "base_layer", layer)
    weight: Tensor = base.weight
    if _is_packed(base):
        from bitsandbytes.functional import dequantize_4bit

        weight = dequantize_4bit(base.weight.data, base.weight.quant_state)
    return weight if layer is base else weight.float() + layer.get_delta_weight(NAME)


def _is_packed(layer: Any) -> bool:
    return hasattr(getattr(layer, "weight", None), "quant_state")


def _quantize(model: Any, compute: torch.dtype) -> None:
    """Replace the projections of all layers by 4-bit ones, which are packed when they move to their device."""
    from bitsandbytes.nn.modules import Linear4bit, Params4bit

    model.is_loaded_in_4bit = True  # peft looks here
    head = model.get_output_embeddings()
    linear = [(name, m) for name, m in model.named_modules() if type(m) is nn.Linear and m is not head]
    for name, layer in linear:
        packed = Linear4bit(
            layer.in_features, layer.out_features, bias=layer.bias is not None, compute_dtype=compute,
            quant_type=BLOCK_TYPE, device="meta",
        )  # fmt: skip
        packed.weight = Params4bit(
            layer.weight.data, requires_grad=False, quant_type=BLOCK_TYPE, compress_statistics=True
        )
        packed.bias = layer.bias
        model.set_submodule(name, packed)
