"""`azr train`: start or resume a run."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

import click

from azr.cli.models import named
from azr.cli.stop import Stop
from azr.config import Config, load_config
from azr.config.overrides import in_folder
from azr.errors import ConfigError


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="TOML file with the keys that differ from the defaults.",
)
@click.option("--model", help="A folder, a run, a GGUF file or a Hugging Face name.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key: train.optim.lr=1e-5.")
@click.option("--run", "run_path", type=click.Path(path_type=Path), help="The run folder to make.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with this run folder; its own config counts.")
@click.option("--processes", type=click.IntRange(0), default=0, help="Ranks on this machine; 0: one for each GPU.")
@click.option(
    "--max-restarts",
    type=click.IntRange(0),
    default=0,
    help="Restart from the last checkpoint this many times after a rank died.",
)
@click.option("--try", "attempt", is_flag=True, help="Show what the model writes for each prompt; train nothing.")
@click.option("--dry-run", is_flag=True, help="Show the resolved config, a step's plan and the prompts; train nothing.")
def train(
    config_path: Path | None,
    model: str | None,
    overrides: tuple[str, ...],
    run_path: Path | None,
    resume: Path | None,
    attempt: bool,
    dry_run: bool,
    **crew: int,
) -> None:
    """Train a model by self-play, from nothing or from a run folder."""
    if resume is not None and (config_path or model or run_path or overrides):
        raise ConfigError("--resume takes the run's own config: leave out --config, --model, --set and --run")
    # Idle OpenMP threads spin by default; beside other work on the machine that makes a run several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if dry_run:
        from azr.cli.dry_run import show

        show(_config(config_path, model, overrides, run_path))
        return
    if attempt:
        from azr.cli.try_out import try_out

        try_out(_config(config_path, model, overrides, run_path))
        return
    from azr.cli.ranks import begin, dropped, launched, start_ranks

    config = None if resume else _config(config_path, model, overrides, run_path)
    if not launched() and start_ranks(config, resume, **crew):
        return
    from azr.cli.progress import Progress
    from azr.distributed.launch import stop_without_launcher
    from azr.run.events import Quiet

    stop = Stop("stopping after this step (while seeding: at once); once more to drop it")
    stop_without_launcher(partial(os.kill, os.getpid(), signal.SIGTERM))
    with begin(config, resume) as (run, folder, ranks):
        progress = Progress() if ranks.leads else None
        try:
            done = run(progress.view if progress else Quiet(), stop)
        except KeyboardInterrupt:
            if ranks.leads:
                click.echo(f"\n{dropped(folder)}", err=True)
            sys.exit(130)
        finally:
            if progress is not None:
                progress.close()
    if progress is not None:
        progress.finish(done)


def _config(path: Path | None, model: str | None, overrides: tuple[str, ...], run_path: Path | None) -> Config:
    config = load_config(path, [*overrides, *named(model)])
    return in_folder(config, str(run_path)) if run_path else config
