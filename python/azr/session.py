"""A whole run: open the folder, build the parts, seed or resume, loop."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr.build import assemble, check, make_engine
from azr.config import Config
from azr.loop import Loop
from azr.observe import Observer, Together
from azr.oversight.overseer import Overseer
from azr.oversight.watchdog import Watchdog
from azr.rollouts import Engine
from azr.run import METRICS, RunFolder
from azr.save import latest, oversight_of, position_of, positions_of, restore
from azr.seed import seed
from azr.trainer.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended."""

    folder: Path
    step: int
    complete: bool
    before: dict[str, Any]
    """Numbers of step 0: the probe of the weights that the run started from."""
    after: dict[str, Any]
    """Numbers of the last step that was probed; empty if none was."""


def start_run(config: Config, observer: Observer, should_stop: Callable[[], bool]) -> Result:
    """Make a run folder and train in it.

    Raises:
        AzrError: by the boundary that failed.
    """
    check(config)
    with Watchdog(config.oversight.watchdog) as watchdog:
        observer = Together(watchdog, observer)
        observer.phase("load")
        # The model first: a name that is wrong should not leave a run folder behind.
        built = make_engine(config)
        folder = RunFolder.create(Path(config.run.folder), config)
        watchdog.use(folder.path)
        try:
            return _run(folder, config, built, observer, should_stop)
        finally:
            folder.close()


def resume_run(path: Path, observer: Observer, should_stop: Callable[[], bool]) -> Result:
    """Go on with a run from its last checkpoint, or from its beginning if it was stopped before the first."""
    folder = RunFolder.open(path)
    try:
        with Watchdog(folder.config.oversight.watchdog) as watchdog:
            watchdog.use(folder.path)
            observer = Together(watchdog, observer)
            observer.phase("load")
            return _run(folder, folder.config, make_engine(folder.config), observer, should_stop)
    finally:
        folder.close()


def _run(
    folder: RunFolder,
    config: Config,
    built: tuple[Engine, Policy],
    observer: Observer,
    should_stop: Callable[[], bool],
) -> Result:
    engine, policy = built
    path = latest(folder)
    positions = positions_of(path) if path else {}
    parts = assemble(config, engine, folder.buffer, position_of(path) if path else 0, positions)
    try:
        if path is None:
            folder.cut({})
            observer.phase("seed")
            seed(parts, observer.seeded)
        else:
            restore(path, folder, policy)
            engine.load(policy.model)
        state = oversight_of(path) if path else {}
        with closing(Overseer(parts, folder, observer, policy.step, state)) as overseer:
            loop = Loop(parts, policy, folder, observer, overseer)
            if path is None:
                loop.begin()
            complete = loop.run(should_stop)
    finally:
        parts.store.close()
        engine.close()
    rows = folder.rows(METRICS)
    probed = [row for row in rows[1:] if "probe/sampled" in row]
    return Result(
        folder=folder.path,
        step=policy.step,
        complete=complete,
        before=rows[0],
        after=probed[-1] if probed else {},
    )
