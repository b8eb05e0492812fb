"""`azr plan`: what a run needs, before any model is loaded."""

import re
from collections.abc import Mapping
from pathlib import Path

import click

from azr.config import load_config
from azr.config.overrides import name_model
from azr.errors import ConfigError


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="TOML of differences to the defaults.")
@click.option("--model", help="A folder or a Hugging Face name; without it the config's.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key: train.optim.lr=1e-5.")
@click.option("--gpus", required=True, metavar="NxSIZE", help="Such as 8x80GB.")
def plan(config_path: Path | None, model: str | None, overrides: tuple[str, ...], gpus: str) -> None:
    """Count memory, tokens and sandbox calls of a run; refuse what cannot fit."""
    from azr.measure.plan import GB, plan, shape_of

    count, size = read_gpus(gpus)
    config = load_config(config_path, [*overrides, *name_model(model)])
    found = plan(config, count, shape_of(config.model.name))
    click.echo(
        f"{config.model.name}: {found.shape.parameters / 1e9:.2f}B parameters, {count} GPUs of {size / GB:.0f} GB"
    )
    for title, parts in (("while it trains", found.trainer), ("while it samples", found.engine)):
        click.echo(f"\n{title}, on each GPU")
        _table(parts, GB)
    click.echo("\nin the CPU's memory, for each process")
    _table(found.host, GB)
    step = f"{found.completions:,} completions, {found.tokens:,} tokens, {found.sandbox_calls:,} sandbox calls"
    click.echo(f"\na step, at most: {step}")
    short = {
        title: sum(parts.values())
        for title, parts in (("training", found.trainer), ("sampling", found.engine))
        if sum(parts.values()) > size
    }
    if short:
        needs = ", ".join(f"{title} needs {needed / GB:.1f} GB" for title, needed in short.items())
        raise ConfigError(f"does not fit {count} x {size / GB:.0f} GB: {needs} on each GPU. {_way_out(found.trainer)}")
    click.echo("\nfits")


def read_gpus(text: str) -> tuple[int, float]:
    """`8x80GB` -> 8 and 80e9.

    Raises:
        ConfigError: it is not of that form.
    """
    match = re.fullmatch(r"(\d+)x(\d+(?:\.\d+)?)GB", text.strip(), re.IGNORECASE)
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"--gpus {text!r}: expected a count and a size, such as 8x80GB")
    return int(match[1]), float(match[2]) * 1e9


def _table(parts: Mapping[str, float], unit: float) -> None:
    for name, value in parts.items():
        if value:
            click.echo(f"  {name:<36} {value / unit:8.2f} GB")
    click.echo(f"  {'all':<36} {sum(parts.values()) / unit:8.2f} GB")


def _way_out(parts: Mapping[str, float]) -> str:
    largest = max((name for name in parts if name != "reserve"), key=lambda name: parts[name])
    ways = {
        "activations": "lower train.micro_batch_tokens, or set model.gradient_checkpointing = true",
        "optimizer": "take more GPUs, or set ranks.offload = true, or train an adapter (model.lora.rank)",
        "weights": "take more GPUs, or model.dtype = 'bfloat16', or an adapter (model.lora.rank)",
        "gradients": "take more GPUs, or set ranks.offload = true",
    }
    return f"Most is {largest}: " + ways.get(largest, "take more or larger GPUs")
