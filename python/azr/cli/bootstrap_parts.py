"""Shared by the commands of `azr bootstrap`."""

import click

from azr.bootstrap.tokenizer import make_tokenizer
from azr.config import Config, load_config
from azr.pipeline.build import make_sandbox
from azr.pipeline.parts import make_task_kinds
from azr.sandbox import Sandbox
from azr.tasks.render import Renderer
from azr.tasks.templates import Terse


def make_parts() -> tuple[Config, Renderer, Sandbox]:
    """The embedded model's config, its prompts and a sandbox."""
    config = load_config(None, [])
    tokenizer = make_tokenizer()
    renderer = Renderer(
        Terse(),
        make_task_kinds(config),
        lambda text, special: list(tokenizer.encode(text, add_special_tokens=special)),
        (),
    )
    return config, renderer, make_sandbox(config)


def range_of(lengths: str) -> list[int]:
    """`2-6`: from two to six; `4`: four alone; empty: no length of its own."""
    if not lengths:
        return [0]
    low, _, high = lengths.partition("-")
    try:
        found = list(range(int(low), int(high or low) + 1))
    except ValueError:
        found = []
    if not found or found[0] < 1:
        raise click.BadParameter(f"{lengths!r} is no range such as 2-6", param_hint="--lengths")
    return found
