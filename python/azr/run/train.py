"""A whole run: open the folder, build the parts, make seed tasks or resume, run the loop."""

from collections.abc import Callable
from contextlib import closing, suppress
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
from azr.pipeline.context import fit
from azr.rollouts import Engine
from azr.rollouts.base import Pulse
from azr.run.checkpoint import Past, latest, oversight_of, position_of, positions_of, restore
from azr.run.events import Observer, Together
from azr.run.folder import RunFolder
from azr.run.seed import SeedingStopped, seed
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
    config, note = fit(folder.config, _positions(policy))
    if note:
        observer.noted(note)
    path = ranks.first(lambda: latest(folder))
    positions = positions_of(path) if path else {}
    parts = assemble(config, engine, folder.buffer, position_of(path) if path else 0, positions, ranks)
    complete, loop = False, None
    try:
        if path is None:
            folder.cut({})
        else:
            restore(path, folder, policy)
            engine.load(policy.model)
        state = oversight_of(path) if path else {}
        # Stopped while it seeds, a run has no checkpoint: going on with it begins anew.
        with suppress(SeedingStopped), closing(Overseer(parts, folder, observer, policy.step, state)) as overseer:
            if path is None:
                observer.phase("seed")
                engine.watch(_stopping(observer.sampled, should_stop) if ranks.world == 1 else observer.sampled)
                with overseer.seeding() as watch:
                    seed(parts, observer.seeded, watch, lambda: ranks.any(should_stop()))
            engine.watch(observer.sampled)
            ahead = Ahead.load(parts, policy.step + 1, path) if path else None
            loop = Loop(parts, policy, folder, observer, overseer, ahead, Past.of(config, path))
            if path is None:
                loop.begin()
            complete = loop.run(lambda: ranks.any(should_stop()))
    finally:
        engine.close()
        parts.store.close()
    rows = ranks.first(lambda: folder.metrics())
    ended_with = loop.ended_with if loop is not None else None
    probed = [row for row in rows if "probe/sampled" in row and ended_with in (None, row["step"])]
    return Result(
        folder=folder.path,
        step=policy.step,
        complete=complete,
        before=rows[0] if rows else {},
        after=probed[-1] if probed and probed[-1] is not rows[0] else {},
    )


def _stopping(pulse: Pulse, should_stop: Callable[[], bool]) -> Pulse:
    """`pulse`, and an end to the sampling as soon as it should stop: a pass of a slow model takes minutes."""

    def told(tokens: int) -> None:
        pulse(tokens)
        if should_stop():
            raise SeedingStopped

    return told


def _positions(policy: Policy) -> int:
    """Tokens of prompt and completion together that the policy's model was made for; 0: not known, or no model."""
    return int(getattr(policy.model.config, "max_position_embeddings", 0)) if policy.model is not None else 0
