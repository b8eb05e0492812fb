"""The processes of `azr train`: start them, or be one of them."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import click

from azr.config import Config, dump_config
from azr.config.overrides import in_folder
from azr.distributed.launch import RESTARTS, gpus_seen, launch
from azr.distributed.ranks import ONE, Ranks
from azr.errors import ConfigError
from azr.rollouts.create import check_ranks
from azr.run.events import Observer
from azr.run.folder import CONFIG, read_config
from azr.run.train import Result, resume_run, start_run

UNWATCHED_S = 1800.0
"""Assumed upper bound of a phase without a watchdog limit."""
MARGIN_S = 60.0
"""Added to the time that a rank's watchdog needs to end it, since other ranks may have started to wait earlier."""

Run = Callable[[Observer, Callable[[], bool]], Result]


def launched() -> bool:
    """Whether this process is one of several that torchrun or `azr train` started."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def start_ranks(config: Config | None, resume: Path | None, processes: int, max_restarts: int) -> bool:
    """Start several processes and wait for them, if the run wants several; returns whether it did.

    Raises:
        ConfigError: they share engines, and their number is no multiple of those that share one.
    """
    wanted = config or read_config(Path(str(resume)))
    count = processes or (gpus_seen(os.environ) if wanted.model.device in ("auto", "cuda") else 1)
    if count < 2 and not max_restarts:
        return False
    check_ranks(wanted, count, count)
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        if config is not None:
            config = in_folder(config, config.run.folder or _new_name(config))
            file.write(dump_config(config))
            file.flush()
            start, folder = ["--config", file.name], Path(config.run.folder)
        else:
            assert resume is not None
            start, folder = ["--resume", str(resume)], resume
        if not launch(start, folder, max(1, count), max_restarts, click.echo):
            sys.exit(130)
    return True


@contextmanager
def begin(config: Config | None, resume: Path | None) -> Iterator[tuple[Run, Path, Ranks]]:
    """The function that runs, the run's folder, and the ranks.

    Raises:
        ConfigError: several processes that do not know of one run folder.
    """
    if resume is not None:
        config = read_config(resume)
    assert config is not None
    ranks = _join(config)
    try:
        given = config
        folder = resume or Path(config.run.folder or ranks.first(lambda: _shared_name(given)))
        if resume is None:
            config = in_folder(config, str(folder))
            if _restarted() and ranks.first(lambda: (folder / CONFIG).exists()):
                resume = folder  # torchrun starts the same command again
        ranks.use(folder)
        yield partial(_go, config, resume, ranks), folder, ranks
    finally:
        ranks.close()


def dropped(folder: Path) -> str:
    """How to continue after an interruption in the middle of a step."""
    if not (folder / CONFIG).exists():
        return "stopped before the run began: there is nothing to go on with"
    return f"the step was dropped, the last checkpoint stands; go on with: azr train --resume {folder}"


def _restarted() -> bool:
    return launched() and int(os.environ.get(RESTARTS, "0")) > 0


def _new_name(config: Config) -> str:
    name = Path(config.model.name).name if config.engine.name != "scripted" else "scripted"
    return f"runs/{datetime.now():%Y%m%d-%H%M%S}-{name}"


def _shared_name(config: Config) -> str:
    """A name for a run that has none; the same one when torchrun starts its processes again."""
    if not launched():
        return _new_name(config)
    from azr.distributed.group import remembered

    name = remembered(_new_name(config), _restarted())
    if name is None:
        raise ConfigError("processes that are started again need one run folder: give --set run.folder=FOLDER")
    return name


def _go(
    config: Config, resume: Path | None, ranks: Ranks, observer: Observer, should_stop: Callable[[], bool]
) -> Result:
    if resume is not None:
        return resume_run(resume, observer, should_stop, ranks)
    return start_run(config, observer, should_stop, ranks)


def exchange_limit(config: Config) -> float:
    """Seconds that a rank waits for the others."""
    watchdog = config.oversight.watchdog
    limits = [watchdog.seconds or UNWATCHED_S, *watchdog.phases.values()] if watchdog.enabled else [UNWATCHED_S]
    return config.ranks.exchange_limit_s or max(limits) + watchdog.grace + MARGIN_S


def _join(config: Config) -> Ranks:
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 and config.ranks.sharding != "full":
        return ONE
    from azr.distributed.group import Group
    from azr.trainer.model import pick_device

    device = "cpu" if config.engine.name == "scripted" else pick_device(config.model.device)
    return Group(device.partition(":")[0], timedelta(seconds=exchange_limit(config)))
