"""`azr seed`: make a model's seed tasks once, and save them."""

import os
import tempfile
from contextlib import closing
from pathlib import Path

import click

from azr.cli.models import named
from azr.config import load_config


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="TOML file with the keys that differ from the defaults.",
)
@click.option("--model", help="A folder, a run, a GGUF file or a Hugging Face name.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key.")
def seed(out: Path, config_path: Path | None, model: str | None, overrides: tuple[str, ...]) -> None:
    """Fill the seed buffers of a model and save them to OUT (JSONL), for `seeding.path`."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from azr.cli.progress import Progress
    from azr.pipeline.build import assemble, check, make_engine
    from azr.run.seed import seed as fill
    from azr.tasks.io import write_tasks

    # One process that trains nothing, so there are no ranks to shard the weights over.
    alone = ["ranks.sharding=none", "ranks.offload=false"]
    config = load_config(config_path, [*overrides, *named(model), *alone])
    check(config)
    with tempfile.TemporaryDirectory() as folder, closing(make_engine(config)[0]) as engine:
        parts = assemble(config, engine, Path(folder))
        with closing(parts.store):
            fill(parts, Progress().seeded)
            tasks = parts.store.everything()
    write_tasks(out, tasks)
    click.echo(f"{len(tasks)} seeds in {out}")
