"""Commands to a running trainer, and decisions about its findings, as files of the run folder.

`azr pause|resume|stop` and `azr review` write them; the trainer reads them between steps. Nothing listens on a port.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from azr.errors import RunError
from azr.run.folder import ALARMS, LOCK, config_file

CONTROL, REVIEWS = "control.json", "reviews.jsonl"


class Command(StrEnum):
    """A command to a running trainer, weakest first."""

    RESUME = "resume"
    PAUSE = "pause"
    STOP = "stop"


def strongest(*commands: Command | None) -> Command | None:
    """Precedence of several commands: stop, pause, resume."""
    order = tuple(Command)
    return max((command for command in commands if command is not None), key=order.index, default=None)


class Decision(StrEnum):
    """What a person decides about a finding."""

    ACCEPT = "accept"
    """The finding is harmless: a quarantined task is released."""
    QUARANTINE = "quarantine"
    """The finding is right: its task is quarantined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One decision."""

    id: str
    step: int
    finding: str
    """`fingerprint` of the finding: a resumed run may reuse its id for another one."""
    decision: Decision
    task: int | None
    time: float


class Control:
    """The trainer's side."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._command = folder, folder / CONTROL

    def clear(self) -> None:
        """Drop commands to an earlier trainer; those to this one, sent while it started, stay."""
        if self._asked() is None:
            self._command.unlink(missing_ok=True)

    def take(self) -> Command | None:
        """Take the pending command."""
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

    def due(self, step: int, seen: int, waiting: Sequence[int]) -> tuple[list[Review], int, list[int]]:
        """Decisions to apply before a step, the number of decisions read, and the indices of those that wait.

        A resumed run drops findings and tasks after its checkpoint, but keeps decisions. A decision about a step that
        will be repeated waits for it. One whose finding does not recur has no effect.
        """
        reviews = read_reviews(self._folder)
        numbers = [number for number in (*waiting, *range(seen, len(reviews))) if number < len(reviews)]
        now = [reviews[number] for number in numbers if reviews[number].step < step]
        known = {fingerprint(row) for row in read_lines(self._folder / ALARMS)} if now else set()
        later = [number for number in numbers if reviews[number].step >= step]
        return [review for review in now if review.finding in known], len(reviews), later


def fingerprint(row: Mapping[str, Any]) -> str:
    """A hash that identifies a row of alarms.jsonl, its evidence included."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode("ascii")).hexdigest()[:16]


def read_reviews(folder: Path) -> list[Review]:
    """All decisions, in order."""
    return [Review(**{**row, "decision": Decision(row["decision"])}) for row in read_lines(folder / REVIEWS)]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Rows of a `.jsonl` file that another process may be appending to; an incomplete last line is left out."""
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
    """Send a command to the trainer, which acts on it between two steps.

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
    """Findings for review without a decision: rows of alarms.jsonl, oldest first."""
    decided = {review.finding for review in read_reviews(folder)}
    return [row for row in read_lines(folder / ALARMS) if row["action"] != "log" and fingerprint(row) not in decided]


def decide(folder: Path, decisions: Mapping[str, Decision]) -> list[Review]:
    """Record decisions by id, all or none. The trainer applies them between two steps, or on resume.

    Raises:
        RunError: an id is no flagged finding, or `quarantine` is asked of one that has no task.
    """
    known = {row["id"]: row for row in read_lines(folder / ALARMS)}
    made = []
    for one, decision in decisions.items():
        if one not in known:
            raise RunError(f"{folder} has no finding {one!r}: `azr review {folder}` lists them")
        row = known[one]
        if decision is Decision.QUARANTINE and row["task"] is None:
            raise RunError(f"finding {one} is about no stored task, so there is nothing to quarantine")
        made.append(
            Review(
                id=one, step=row["step"], finding=fingerprint(row), decision=decision, task=row["task"],
                time=time.time(),
            )
        )  # fmt: skip
    with (folder / REVIEWS).open("a", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("".join(json.dumps(asdict(review)) + "\n" for review in made))
    return made
