"""One-step off-policy rollouts: the next step is sampled while the trainer updates on this one (`engine.ahead`).

    engine     | step k+1, under the weights of step k-1 |            | step k+2, under those of step k ...
    trainer    | update on step k        |               | load k     | update on step k+1 ...

The rollouts run in a thread of this process, which waits for the engine and works in the sandbox; the trainer has the
main thread. Only the rollouts use the task store meanwhile, and the next step's tasks are drawn before, so a step's
content does not depend on timing. The engine gets new weights when both are done, so its staleness is at most one
update (`update/staleness`).

Every rank has such a thread. These threads use their own connections (`Ranks.apart`): on the trainer's, messages of two
threads could be mixed up.

A checkpoint holds the completions of rollouts that are not trained on yet, one file per rank. A resumed run replays
them and repeats the later stages: the same tasks and episodes for any number of ranks.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from azr.distributed.ranks import ONE
from azr.errors import CheckpointError
from azr.pipeline.parts import Parts
from azr.pipeline.rollout_step import Rollouts, roll_out
from azr.rollouts import Engine
from azr.rollouts.recorded import Recorded, Recording, Row
from azr.run.events import Quiet, Stopwatch
from azr.types import Task

FILES = "ahead.rank*.npz"
"""In a checkpoint: each rank's completions of rollouts that are not trained on yet."""
PATIENCE_S = 10.0
"""Seconds that an ending rank waits for its rollouts, which may wait for ranks that are gone."""


def draw(parts: Parts, step: int) -> list[Task]:
    """The solver's tasks for the step's queue; none if they are drawn after it (`solve.lag`)."""
    return parts.store.serve(step) if parts.config.solve.lag else []


class Ahead:
    """The rollouts of a future step."""

    def __init__(self, parts: Parts, step: int, engine: Recording | Recorded) -> None:
        self.step = step
        self.positions = parts.store.positions()
        """Log positions of the task store, before the step drew from it."""
        self._engine = engine
        self._tasks = draw(parts, step)
        self._parts = replace(parts.apart(), engine=engine)
        self._phases: SimpleQueue[str | None] = SimpleQueue()
        self._watch = Stopwatch(_Phases(self._phases))
        self._found: Rollouts | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def start(cls, parts: Parts, step: int) -> "Ahead":
        """Start to sample a step's rollouts with the engine's current weights."""
        made = cls(parts, step, Recording(parts.engine))
        made._thread = threading.Thread(target=made._work, name="azr-ahead", daemon=True)
        made._thread.start()
        return made

    @classmethod
    def load(cls, parts: Parts, step: int, folder: Path) -> "Ahead | None":
        """The rollouts of a checkpoint; None if it was written without any."""
        paths = parts.ranks.first(lambda: sorted(folder.glob(FILES)))
        if not paths:
            return None
        engine, dropped = _read(paths, parts.engine)
        made = cls(parts, step, engine)
        # On one rank, as a run of one: with another number of ranks the engine would get other requests.
        alone = replace(made._parts, ranks=ONE)
        made._found = made._parts.ranks.first(
            lambda: replace(roll_out(alone, step, made._tasks, made._watch), dropped=dropped)
        )
        return made

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds of each stage, parallel to the trainer's work."""
        return self._watch.seconds

    def wait(self, phase: Callable[[str], None]) -> Rollouts:
        """Wait for the rollouts; `phase` gets their current phase.

        Raises:
            AzrError: any error of the rollouts.
        """
        if self._thread is not None:
            while (name := self._phases.get()) is not None:
                phase(name)
            self._thread.join()
            self._thread = None
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found

    def abandon(self) -> None:
        """End them in any state; the engine cannot be used afterwards."""
        if self._thread is not None:
            self._parts.engine.close()
            self._thread.join(None if self._parts.ranks.world == 1 else PATIENCE_S)

    def save(self, folder: Path) -> None:
        """Write this rank's part for `load`. Only after the rollouts are done."""
        assert self._found is not None
        name = FILES.replace("*", str(self._parts.ranks.rank))
        _write(folder / name, self._engine, self._found.dropped)

    def _work(self) -> None:
        try:
            self._found = roll_out(self._parts, self.step, self._tasks, self._watch)
        except BaseException as error:
            self._error = error
        finally:
            self._phases.put(None)


class _Phases(Quiet):
    """Passes the phases of the rollouts to the main thread, which owns the heartbeat."""

    def __init__(self, phases: SimpleQueue[str | None]) -> None:
        self._phases = phases

    def phase(self, name: str) -> None:
        self._phases.put(name)


def _write(path: Path, engine: Recording | Recorded, dropped: int) -> None:
    entries = sorted(engine.completions.items())
    lengths = [len(completion.token_ids) for _, completion in entries]
    np.savez(
        path,
        purposes=np.array([key.purpose for key, _ in entries], dtype=np.str_),
        places=np.array([[key.place, key.draw] for key, _ in entries], dtype=np.int64).reshape(-1, 2),
        lengths=np.array(lengths, dtype=np.int64),
        ids=_joined([completion.token_ids for _, completion in entries], np.int32),
        log_probs=_joined([completion.log_probs for _, completion in entries], np.float64),
        dropped=np.array(dropped),
    )


def _read(paths: Sequence[Path], engine: Engine) -> tuple[Recorded, int]:
    found: list[Row] = []
    dropped = 0
    for path in paths:
        rows, dropped = _rows(path)
        found += rows
    return Recorded(engine.tokenizer, found), dropped


def _rows(path: Path) -> tuple[list[Row], int]:
    """A rank's completions, and the number of dropped trials over all ranks."""
    try:
        with np.load(path, allow_pickle=False) as file:
            ends = np.cumsum(file["lengths"])  # the last part, after the last end, is empty
            keys = zip(file["purposes"].tolist(), file["places"].tolist(), strict=True)
            texts = zip(np.split(file["ids"], ends)[:-1], np.split(file["log_probs"], ends)[:-1], strict=True)
            rows = [
                (purpose, place, draw, ids.tolist(), log_probs.tolist())
                for (purpose, (place, draw)), (ids, log_probs) in zip(keys, texts, strict=True)
            ]
            return rows, int(file["dropped"])
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error


def _joined(rows: Sequence[Sequence[float]], dtype: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.asarray(row, dtype=dtype) for row in rows] or [np.empty(0, dtype=dtype)])
