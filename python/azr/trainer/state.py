"""Weights and optimizer state to safetensors and back, bit for bit. Checkpoints contain no pickle."""

from pathlib import Path
from typing import Any

import torch

from azr.errors import CheckpointError

MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def save_optimizer(optimizer: torch.optim.AdamW, model: Any, path: Path) -> None:
    """AdamW's moments by parameter name; empty before the first step."""
    from safetensors.torch import save_file

    tensors = {
        f"{name}/{moment}": state[moment].detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        if (state := optimizer.state.get(parameter))
        for moment in MOMENTS
    }
    save_file(tensors, path)


def load_optimizer(optimizer: torch.optim.AdamW, model: Any, path: Path) -> None:
    """Load the optimizer's moments."""
    from safetensors.torch import load_file

    saved = load_file(path)
    optimizer.state.clear()
    for name, parameter in model.named_parameters():
        if f"{name}/step" not in saved:
            continue
        step, *moments = (saved.pop(f"{name}/{moment}") for moment in MOMENTS)
        average, square = (moment.to(parameter.device) for moment in moments)
        optimizer.state[parameter] = {"step": step, "exp_avg": average, "exp_avg_sq": square}
    if saved:
        raise CheckpointError(f"{path} has state of parameters that the model lacks: {sorted(saved)[0]}")


def load_weights(model: Any, folder: Path) -> None:
    """Load weights that `save_pretrained` wrote."""
    from transformers import AutoModelForCausalLM

    saved = AutoModelForCausalLM.from_pretrained(folder, dtype=model.dtype)
    with torch.no_grad():
        for (name, own), (other, value) in zip(model.named_parameters(), saved.named_parameters(), strict=True):
            if name != other or own.shape != value.shape:
                raise CheckpointError(f"{folder} holds another model: {other} stands where {name} should")
            own.copy_(value)


def save_parameters(model: Any, path: Path) -> None:
    """A model's parameters by name."""
    from safetensors.torch import save_file

    save_file({name: value.detach().cpu().contiguous() for name, value in model.named_parameters()}, path)


def load_parameters(model: Any, path: Path) -> None:
    """Replace a model's parameters by the saved ones."""
    from safetensors.torch import load_file

    saved = load_file(path)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name not in saved or saved[name].shape != value.shape:
                raise CheckpointError(f"{path} holds another model: it has no {name} of this shape")
            value.copy_(saved[name])
