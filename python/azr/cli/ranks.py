"""The processes of `azr train`: start them, or be one of them."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import click

from azr.config import Config, dump_config, load_config
from azr.distributed.launch import RESTARTS, gpus_seen, launch
from azr.distributed.ranks import ONE, Ranks
from azr.errors import ConfigError
from azr.observe import Observer
from azr.run import CONFIG, config_file
from azr.session import Result, resume_run, start_run

UNWATCHED_S = 1800.0
"""What a phase is taken to last at most where the watchdog has no limit for it."""
MARGIN_S = 60.0
"""How much longer the others wait than a rank's watchdog and its end take: they may have begun before its phase did."""

Run = Callable[[Observer, Callable[[], bool]], Result]


def launched() -> bool:
    """Whether this process is one of several that torchrun or `azr train` started."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def start_ranks(config: Config | None, resume: Path | None, processes: int, max_restarts: int) -> bool:
    """Start several processes and wait for them, if the run wants several; whether it did."""
    device = (config or load_config(config_file(Path(str(resume))))).model.device
    count = processes or (gpus_seen(os.environ) if device in ("auto", "cuda") else 1)
    if count < 2 and not max_restarts:
        return False
    if resume is not None:
        launch(["--resume", str(resume)], resume, max(1, count), max_restarts, click.echo)
        return True
    assert config is not None
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(dump_config(config))
        file.flush()
        launch(["--config", file.name], Path(config.run.folder), max(1, count), max_restarts, click.echo)
    return True


@contextmanager
def begin(config: Config | None, resume: Path | None) -> Iterator[tuple[Run, Ranks]]:
    """How to run, and the ranks that it takes part in.

    Raises:
        ConfigError: several processes that do not know of one run folder.
    """
    if launched() and config is not None and int(os.environ.get(RESTARTS, "0")) > 0:
        folder = Path(config.run.folder)
        if (folder / CONFIG).exists():  # torchrun starts the same command again
            resume = folder
    if resume is not None:
        config = load_config(config_file(resume))
    assert config is not None
    ranks = _join(config, resume or Path(config.run.folder))
    if ranks.world > 1 and resume is None and not config.run.folder:
        raise ConfigError("several processes need one run folder: give --set run.folder=FOLDER")
    try:
        yield partial(_go, config, resume, ranks), ranks
    finally:
        ranks.close()


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


def _join(config: Config, folder: Path) -> Ranks:
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 and config.ranks.sharding != "full":
        return ONE
    from azr.distributed.group import Group
    from azr.trainer.model import pick_device

    for name, value in (("RANK", "0"), ("WORLD_SIZE", "1"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "29511")):
        os.environ.setdefault(name, value)
    device = "cpu" if config.engine.name == "scripted" else pick_device(config.model.device)
    return Group(device.partition(":")[0], timedelta(seconds=exchange_limit(config)), folder)
