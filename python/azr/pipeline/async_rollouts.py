"""One step off: the next step's rollouts while the trainer updates on this one's (`engine.ahead`).

    engine     | step k+1, under the weights of step k-1 |            | step k+2, under those of step k ...
    trainer    | update on step k        |               | load k     | update on step k+1 ...

The rollouts run in a thread of this process, which waits for the engine's and works in the sandbox; the trainer has the
main thread. Nothing but they touches the task store meanwhile, and the next step's tasks are drawn before: so what a
step holds does not depend on who is faster. Weights go to the engine when both are done, so what it samples is never
older than one update (`update/staleness`).

Every rank has such a thread. What these threads exchange goes over connections of their own (`Ranks.apart`): on the
trainer's, two ranks could take one thread's message for the other's.

A checkpoint holds the completions of rollouts that no update has seen, each rank's in a file. Whoever resumes gives
them out again, and everything that follows from them is done again: the same tasks, the same episodes, for any number
of ranks.
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
"""Of a checkpoint: each rank's completions of rollouts that no update has seen."""
PATIENCE_S = 10.0
"""How long a rank that ends waits for its rollouts to end: they may wait for ranks that are gone."""


def draw(parts: Parts, step: int) -> list[Task]:
    """The solver's tasks that go into the step's queue: none if they are drawn after it (`solve.lag`)."""
    return parts.store.serve(step) if parts.config.solve.lag else []


class Ahead:
    """The rollouts of a step that has not begun."""

    def __init__(self, parts: Parts, step: int, engine: Recording | Recorded) -> None:
        self.step = step
        self.positions = parts.store.positions()
        """Of the task store, before the step drew from it."""
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
        """Begin to sample a step's rollouts with the weights that the engine has."""
        made = cls(parts, step, Recording(parts.engine))
        made._thread = threading.Thread(target=made._work, name="azr-ahead", daemon=True)
        made._thread.start()
        return made

    @classmethod
    def load(cls, parts: Parts, step: int, folder: Path) -> "Ahead | None":
        """The rollouts that a checkpoint holds; None if it was written with none under way."""
        paths = parts.ranks.first(lambda: sorted(folder.glob(FILES)))
        if not paths:
            return None
        engine, dropped = _read(paths, parts.engine)
        made = cls(parts, step, engine)
        # By one rank, as a run of one: another number of ranks asks for other completions on the way to the same.
        alone = replace(made._parts, ranks=ONE)
        made._found = made._parts.ranks.first(
            lambda: replace(roll_out(alone, step, made._tasks, made._watch), dropped=dropped)
        )
        return made

    @property
    def seconds(self) -> Mapping[str, float]:
        """Of each stage, beside the trainer's work."""
        return self._watch.seconds

    def wait(self, phase: Callable[[str], None]) -> Rollouts:
        """The rollouts, when they are there; `phase` is told what they are at.

        Raises:
            AzrError: whatever went wrong with them.
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
        """End them, whatever state they are in; the engine cannot be used afterwards."""
        if self._thread is not None:
            self._parts.engine.close()
            self._thread.join(None if self._parts.ranks.world == 1 else PATIENCE_S)

    def save(self, folder: Path) -> None:
        """Write this rank's part of what `load` needs. Only when they are there."""
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
    """Tells the main thread, whose heartbeat it is, what the rollouts are at."""

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
    """A rank's completions, and how many attempts all ranks dropped."""
    try:
        with np.load(path, allow_pickle=False) as file:
            ends = np.cumsum(file["lengths"])  # the last piece, behind the last end, is empty
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
