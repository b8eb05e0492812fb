"""How people reach a running trainer: a command file, and a list of decisions about what was flagged.

Both are files of the run folder, written by `azr pause|resume|stop` and `azr review`, read by the trainer between two
steps. Nothing listens on a port.
"""

import fcntl
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from azr.errors import RunError
from azr.run import ALARMS, LOCK, config_file

CONTROL, REVIEWS = "control.json", "reviews.jsonl"


class Command(StrEnum):
    """What a person asks of a running trainer."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class Decision(StrEnum):
    """What a person decides about a finding."""

    ACCEPT = "accept"
    """It is all right: a task that was held back is let go."""
    QUARANTINE = "quarantine"
    """It is not: its task is held back from all sampling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One decision."""

    id: str
    decision: Decision
    task: int | None
    time: float


class Control:
    """The trainer's end."""

    def __init__(self, folder: Path) -> None:
        self._command, self._reviews = folder / CONTROL, folder / REVIEWS

    def clear(self) -> None:
        """Forget what was asked of an earlier trainer; what this one was asked while it started stays."""
        if self._asked() is None:
            self._command.unlink(missing_ok=True)

    def take(self) -> Command | None:
        """The command that waits, and forget it."""
        command = self._asked()
        self._command.unlink(missing_ok=True)
        return command

    def _asked(self) -> Command | None:
        """The command to this process, if there is one."""
        try:
            text = self._command.read_text("utf-8")
        except FileNotFoundError:
            return None
        try:
            row = json.loads(text)
            return Command(row["command"]) if row["pid"] == os.getpid() else None
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self._command} holds no command of azr: {text[:80]!r}; remove it") from error

    def reviews(self, done: int) -> list[Review]:
        """Decisions after the first `done`."""
        if not self._reviews.exists():
            return []
        return read_reviews(self._reviews)[done:]


def read_reviews(path: Path) -> list[Review]:
    """All decisions, in order."""
    return [
        Review(id=row["id"], decision=Decision(row["decision"]), task=row["task"], time=row["time"])
        for row in read_lines(path)
    ]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Rows of a `.jsonl` file that another process may be adding to: a last line without its end is not there yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]


def running(folder: Path) -> bool:
    """Whether a trainer holds the run folder.

    Raises:
        RunError: it is no run folder.
    """
    config_file(folder)
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def send(folder: Path, command: Command) -> None:
    """Ask something of the trainer; it is done between two steps.

    Raises:
        RunError: no trainer runs there.
    """
    if not running(folder):
        raise RunError(f"no trainer runs in {folder}; go on with it by: azr train --resume {folder}")
    holder = (folder / LOCK).read_text("ascii").strip()
    if not holder.isdigit():
        raise RunError(f"the trainer of {folder} is just starting: ask again")
    working = folder / f".{CONTROL}.{os.getpid()}"
    working.write_text(json.dumps({"command": str(command), "pid": int(holder)}), "ascii")
    os.replace(working, folder / CONTROL)


def flagged(folder: Path) -> list[dict[str, Any]]:
    """What is up for review and not decided: rows of alarms.jsonl, oldest first."""
    decided = {review.id for review in read_reviews(folder / REVIEWS)}
    return [row for row in read_lines(folder / ALARMS) if row["action"] != "log" and row["id"] not in decided]


def decide(folder: Path, ids: Sequence[str], decision: Decision) -> list[Review]:
    """Write decisions down; the trainer applies them between two steps, or when the run goes on.

    Raises:
        RunError: an id is no flagged finding, or `quarantine` is asked of one that has no task.
    """
    known = {row["id"]: row for row in read_lines(folder / ALARMS)}
    made = []
    for one in ids:
        if one not in known:
            raise RunError(f"{folder} has no finding {one!r}: `azr review {folder}` lists them")
        task = known[one]["task"]
        if decision is Decision.QUARANTINE and task is None:
            raise RunError(f"finding {one} is about no stored task, so there is nothing to hold back")
        made.append(Review(id=one, decision=decision, task=task, time=time.time()))
    with (folder / REVIEWS).open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("".join(json.dumps(asdict(review)) + "\n" for review in made))
    return made
