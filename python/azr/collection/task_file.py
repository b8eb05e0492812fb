"""The file that `azr propose` writes: one verified task a line, with what attempts at it came to.

It only grows, a round's tasks at a time, flushed to disk. What a crash left of a line is cut when it is opened again. A
line is also one that `azr.tasks.io` reads, so the file can seed a run (`seeding.path`).
"""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from azr.errors import RunError
from azr.util.lines import cut_torn_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task."""

    kind: str
    program: str
    inputs: list[str]
    outputs: list[str]
    """For people: running the program is what counts."""
    message: str
    attempts: int
    """Those with a verdict."""
    solve_rate: float
    """Their mean score."""
    step: int
    """Round that made it."""
    model: str
    """That proposed it and attempted it."""
    azr: str
    """Version that verified it."""


class TaskFile:
    """An open, locked file of tasks."""

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes it.

        Raises:
            RunError: it cannot be written, another process holds it, or a line of it is no such task.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("a+b")
        except OSError as error:
            raise RunError(f"cannot write {path}: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            cut_torn_tail(self._file.fileno())
            self.rows = read_rows(path)
            """What it held when it was opened, and what was appended since."""
        except BlockingIOError as error:
            self._file.close()
            raise RunError(f"{path} is being written by another process") from error
        except BaseException:
            self._file.close()
            raise

    def append(self, rows: Sequence[Row]) -> None:
        """Add tasks; they are on disk when it returns."""
        text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
        try:
            self._file.write(text.encode("ascii"))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunError(f"cannot write {self.path}: {error}") from error
        self.rows += rows

    def close(self) -> None:
        """Release the lock."""
        self._file.close()


def read_rows(path: Path) -> list[Row]:
    """The tasks of a file.

    Raises:
        RunError: the file cannot be read, or a line is no such task; names the line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RunError(f"cannot read the tasks of {path}: {error}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = Row(**json.loads(line))
            row = Row(**{**asdict(row), "attempts": int(row.attempts), "solve_rate": float(row.solve_rate)})
        except (ValueError, TypeError, RecursionError) as error:
            raise RunError(f"{path}, line {number}: not a task that `azr propose` wrote: {error}") from error
        rows.append(row)
    return rows
