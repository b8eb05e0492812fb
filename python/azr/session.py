"""A whole run: open the folder, build the parts, seed or resume, loop."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azr.build import build, check
from azr.config import Config
from azr.loop import Loop
from azr.observe import Observer
from azr.run import METRICS, RunFolder
from azr.save import latest, position_of, restore
from azr.seed import seed


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
    folder = RunFolder.create(Path(config.run.folder), config)
    try:
        return _run(folder, config, observer, should_stop)
    finally:
        folder.close()


def resume_run(path: Path, observer: Observer, should_stop: Callable[[], bool]) -> Result:
    """Go on with a run from its last checkpoint, or from its beginning if it was stopped before the first."""
    folder = RunFolder.open(path)
    try:
        return _run(folder, folder.config, observer, should_stop)
    finally:
        folder.close()


def _run(folder: RunFolder, config: Config, observer: Observer, should_stop: Callable[[], bool]) -> Result:
    observer.phase("load")
    path = latest(folder)
    built = build(config, folder.buffer, position_of(path) if path else 0)
    loop = Loop(built.parts, built.policy, folder, observer)
    if path is None:
        folder.cut({})
        observer.phase("seed")
        seed(built.parts, observer.seeded)
        loop.begin()
    else:
        restore(path, folder, built.policy)
        built.parts.engine.load(built.policy.model)
    complete = loop.run(should_stop)
    rows = folder.rows(METRICS)
    probed = [row for row in rows[1:] if "probe/sampled" in row]
    return Result(
        folder=folder.path,
        step=built.policy.step,
        complete=complete,
        before=rows[0],
        after=probed[-1] if probed else {},
    )
