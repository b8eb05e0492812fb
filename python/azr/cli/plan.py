"""`azr plan`: memory, tokens and sandbox calls of a run, before any model is loaded."""

import re
from collections.abc import Mapping
from pathlib import Path

import click

from azr.config import load_config
from azr.config.overrides import name_model
from azr.errors import ConfigError


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="TOML file with the keys that differ from the defaults.",
)
@click.option("--model", help="A folder or a Hugging Face name; without it the config's.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key: train.optim.lr=1e-5.")
@click.option("--gpus", required=True, metavar="NxSIZE", help="Number and memory of the GPUs, such as 8x80GB.")
def plan(config_path: Path | None, model: str | None, overrides: tuple[str, ...], gpus: str) -> None:
    """Count memory, tokens and sandbox calls of a run; refuse what cannot fit."""
    from azr.cli.measure.plan import GB, plan, shape_of
    from azr.trainer.sharding_mode import is_sharded

    count, size = read_gpus(gpus)
    config = load_config(config_path, [*overrides, *name_model(model)])
    found = plan(config, count, size, shape_of(config.model.name))
    click.echo(
        f"{config.model.name}: {found.shape.parameters / 1e9:.2f}B parameters, {count} GPUs of {size / GB:.0f} GB"
    )
    for title, parts in (("while it trains", found.trainer), ("while it samples", found.engine)):
        click.echo(f"\n{title}, on each GPU")
        _table(parts, GB)
    if found.share:
        click.echo("\nof the engine's share, at least")
        _table(found.share, GB)
    click.echo("\nin the CPU's memory, for each process")
    _table(found.host, GB)
    if count > 1:
        click.echo(f"  {f'{count} processes on one machine':<36} {count * sum(found.host.values()) / GB:8.2f} GB")
    step = f"{found.completions:,} completions, {found.tokens:,} tokens, {found.sandbox_calls:,} sandbox calls"
    click.echo(f"\na step, at most: {step}")
    sharded = is_sharded(config, count, "cuda")
    for title, parts in (("training", found.trainer), ("sampling", found.engine)):
        if (needed := sum(parts.values())) > size:
            raise ConfigError(
                f"does not fit {count} x {size / GB:.0f} GB: {title} needs {needed / GB:.1f} GB on each GPU."
                f" {_way_out(parts, sharded)}"
            )
    share = config.engine.vllm.memory * size
    if (needed := sum(found.share.values())) > share:
        raise ConfigError(
            f"does not fit {count} x {size / GB:.0f} GB: engine.vllm.memory = {config.engine.vllm.memory} gives the"
            f" engine {share / GB:.1f} GB, and weights with one longest text need {needed / GB:.1f} GB. Raise it, let"
            " several GPUs share an engine (engine.vllm.tensor_parallel), or lower prompt.max_tokens or"
            " sampling.max_tokens"
        )
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


def _way_out(parts: Mapping[str, float], sharded: bool) -> str:
    largest = max((name for name in parts if "reserve" not in name), key=lambda name: parts[name])
    offload = ", or set ranks.offload = true" if sharded else ""
    ways = {
        "activations": "lower train.micro_batch_tokens, or set model.gradient_checkpointing = true",
        "optimizer": f"take more GPUs{offload}, or train an adapter (model.lora.rank)",
        "weights": "take more GPUs, or model.dtype = 'bfloat16', or an adapter (model.lora.rank)",
        "gradients": f"take more GPUs{offload}",
        "trainer's weights and optimizer": f"take more GPUs{offload}, or train an adapter (model.lora.rank)",
        "engine's share": "set engine.vllm.sleep = true, or lower engine.vllm.memory",
    }
    return f"Most is {largest}: " + ways.get(largest, "take more or larger GPUs")
