"""A whole run: open the folder, build the parts, make seed tasks or resume, run the loop."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr.config import Config
from azr.distributed.follow import FollowedFolder
from azr.distributed.ranks import ONE, Ranks
from azr.loop import Loop
from azr.oversight.overseer import Overseer
from azr.pipeline.async_rollouts import Ahead
from azr.pipeline.build import assemble, check, make_engine
from azr.rollouts import Engine
from azr.run.checkpoint import Past, latest, oversight_of, position_of, positions_of, restore
from azr.run.events import Observer, Together
from azr.run.folder import RunFolder
from azr.run.seed import seed
from azr.run.watchdog import Watchdog
from azr.trainer.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Result of a run."""

    folder: Path
    step: int
    complete: bool
    before: dict[str, Any]
    """Metrics of step 0: the probe of the starting weights."""
    after: dict[str, Any]
    """Metrics of the last probed step; empty if there was none."""


def start_run(config: Config, observer: Observer, should_stop: Callable[[], bool], ranks: Ranks = ONE) -> Result:
    """Make a run folder and train in it. Collective: every rank passes the same config.

    Raises:
        AzrError: by the boundary that failed.
    """
    check(config)
    with Watchdog(config.oversight.watchdog) as watchdog:
        observer = Together(watchdog, observer)
        observer.phase("load")
        # The model first: a wrong name should not leave a run folder behind.
        built = make_engine(config, ranks)
        path = Path(config.run.folder)
        folder = _held(path, lambda: RunFolder.create(path, config), ranks)
        watchdog.use(folder.path)
        try:
            return _run(folder, built, observer, should_stop, ranks)
        finally:
            folder.close()


def resume_run(path: Path, observer: Observer, should_stop: Callable[[], bool], ranks: Ranks = ONE) -> Result:
    """Resume a run from its last checkpoint, or from its start if it has none."""
    folder = _held(path, lambda: RunFolder.open(path), ranks)
    try:
        with Watchdog(folder.config.oversight.watchdog) as watchdog:
            watchdog.use(folder.path)
            observer = Together(watchdog, observer)
            observer.phase("load")
            return _run(folder, make_engine(folder.config, ranks), observer, should_stop, ranks)
    finally:
        folder.close()


def _held(path: Path, hold: Callable[[], RunFolder], ranks: Ranks) -> RunFolder:
    """The run folder: locked by rank 0, read-only on the others."""
    held: list[RunFolder] = []
    ranks.first(lambda: held.append(hold()))
    return held[0] if held else FollowedFolder(path)


def _run(
    folder: RunFolder,
    built: tuple[Engine, Policy],
    observer: Observer,
    should_stop: Callable[[], bool],
    ranks: Ranks,
) -> Result:
    engine, policy = built
    config = folder.config
    path = ranks.first(lambda: latest(folder))
    positions = positions_of(path) if path else {}
    parts = assemble(config, engine, folder.buffer, position_of(path) if path else 0, positions, ranks)
    try:
        if path is None:
            folder.cut({})
        else:
            restore(path, folder, policy)
            engine.load(policy.model)
        state = oversight_of(path) if path else {}
        with closing(Overseer(parts, folder, observer, policy.step, state)) as overseer:
            if path is None:
                observer.phase("seed")
                with overseer.seeding() as watch:
                    seed(parts, observer.seeded, watch)
            ahead = Ahead.load(parts, policy.step + 1, path) if path else None
            loop = Loop(parts, policy, folder, observer, overseer, ahead, Past.of(config, path))
            if path is None:
                loop.begin()
            complete = loop.run(lambda: ranks.any(should_stop()))
    finally:
        engine.close()
        parts.store.close()
    rows = ranks.first(lambda: folder.metrics())
    probed = [row for row in rows if "probe/sampled" in row and loop.ended_with in (None, row["step"])]
    return Result(
        folder=folder.path,
        step=policy.step,
        complete=complete,
        before=rows[0],
        after=probed[-1] if probed and probed[-1] is not rows[0] else {},
    )
