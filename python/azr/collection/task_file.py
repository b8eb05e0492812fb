"""The file that `azr propose` writes: one verified task a line, with what attempts at it came to.

It only grows, a round's tasks at a time, flushed to disk; one that stays empty is removed again. What a crash left of a
line is cut when it is opened again. A file with anything else in it is refused and left as it is. A line is also one
that `azr.tasks.io` reads, so the file can seed a run (`seeding.path`).
"""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from azr.errors import RunError
from azr.util.text import is_text

BEGINS = b'{"kind"'
"""What every line begins with."""
MOST = 1 << 31
"""Of a count, exclusive."""


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
        self._is_new = not path.exists()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("a+b")
        except OSError as error:
            raise RunError(f"cannot write {path}: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(self._file.fileno()).st_nlink:
                raise BlockingIOError  # who held it has removed it since it was opened here
            self.rows = self._recover()
            """What it held when it was opened, and what was appended since."""
        except BlockingIOError as error:
            self._file.close()
            raise RunError(f"{path} is being written by another process") from error
        except BaseException:
            self._file.close()
            raise

    def _recover(self) -> list[Row]:
        """Its rows. A last line without its end is completed if it is a row, and cut if it is the beginning of one."""
        text = self.path.read_bytes()
        end = text.rfind(b"\n") + 1
        rows, tail = _rows(self.path, text[:end]), text[end:]
        if not tail:
            return rows
        try:
            rows += _rows(self.path, tail, first=len(rows) + 1)
        except RunError:
            if not tail.startswith(BEGINS) and not BEGINS.startswith(tail):
                raise
            os.ftruncate(self._file.fileno(), end)
        else:
            self._file.write(b"\n")
            self._file.flush()
        return rows

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
        """Release the lock. What was made here and has no task is removed."""
        if self._is_new and not self.rows:
            self.path.unlink(missing_ok=True)
        self._file.close()


def read_rows(path: Path) -> list[Row]:
    """The tasks of a file.

    Raises:
        RunError: the file cannot be read, or a line is no such task; names the line.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read the tasks of {path}: {error}") from error
    return _rows(path, text)


def _rows(path: Path, text: bytes, first: int = 1) -> list[Row]:
    rows = []
    for number, line in enumerate(text.splitlines(), first):
        try:
            rows.append(_checked(Row(**json.loads(line))))
        except (ValueError, TypeError, RecursionError) as error:
            raise RunError(f"{path}, line {number}: not a task that `azr propose` wrote: {error}") from error
    return rows


def _checked(row: Row) -> Row:
    texts = [row.kind, row.program, row.message, row.model, row.azr]
    for named in (row.inputs, row.outputs):
        if not isinstance(named, list):
            raise ValueError("inputs and outputs are lists")
        texts += named
    if not all(isinstance(text, str) and is_text(text) for text in texts):
        raise ValueError("a field is no text")
    if not _is_count(row.attempts, 1) or not _is_count(row.step, 0):
        raise ValueError("attempts and step are counts")
    rate = row.solve_rate
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0.0 <= rate <= 1.0:  # not of NaN either
        raise ValueError("solve_rate is between 0 and 1")
    return row


def _is_count(number: object, least: int) -> bool:
    return type(number) is int and least <= number < MOST
