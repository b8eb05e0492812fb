"""`azr config`: all config keys, with meaning, default and the files that set them."""

import textwrap
from pathlib import Path

import click
import tomli_w

from azr.config.describe import Key, keys, set_by

WIDTH = 100


@click.command()
@click.argument("words", nargs=-1)
@click.option(
    "--files", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
    help="Folder of config files to search; default: ./configs, if there is one.",
)  # fmt: skip
def config(words: tuple[str, ...], files: Path | None) -> None:
    """Print all config keys, or those that contain all WORDS: default, meaning, and which config files set them."""
    folder = files or (Path("configs") if Path("configs").is_dir() else None)
    setters = set_by(sorted(folder.rglob("*.toml"))) if folder else {}
    for key in keys():
        text = f"{key.name} {key.meaning}".lower()
        if all(word.lower() in text for word in words):
            where = [str(path.relative_to(folder)) for path in setters.get(key.name, ())] if folder else []
            click.echo(entry(key, where))


def entry(key: Key, where: list[str]) -> str:
    """A key with its indented description."""
    lines = [f"{key.name} = {_literal(key.default)}"]
    lines += [f"    {line}" for line in textwrap.wrap(key.meaning, WIDTH)]
    if where:
        lines += textwrap.wrap(f"Set by {', '.join(where)}.", WIDTH, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def _literal(value: object) -> str:
    """The value as in a TOML file."""
    plain = list(value) if isinstance(value, tuple) else value
    return " ".join(tomli_w.dumps({"v": plain}).removeprefix("v = ").split()) if not isinstance(plain, dict) else "{}"
