"""What the parts share: where they run, and commands with a limit."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Figures = dict[str, Any]
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a round runs."""

    toy: bool
    folder: Path
    smollm2: Path | None = None
    """The real model."""

    @property
    def device(self) -> str:
        return "cpu" if self.toy else "cuda"


@dataclass(frozen=True, slots=True)
class Part:
    """One question."""

    name: str
    least: float
    """Seconds on a GPU with less of which there is no answer."""
    wanted: float
    """The most seconds that it may take."""
    ask: Callable[[Place, float], Figures]
    """(place, the end by `time.monotonic`) -> what was found."""
    left_out: Callable[[Place], str] = lambda place: ""
    """Why it cannot be asked here, as far as can be told at once; empty where it can."""


class LeftOut(Exception):
    """A part found that it cannot be asked here."""


def needs(*packages: str) -> Callable[[Place], str]:
    """Left out without these packages."""

    def why(place: Place) -> str:
        missing = [name for name in packages if not version(name)]
        return f"{', '.join(missing)} not installed" if missing else ""

    return why


def version(name: str) -> str:
    """Of an installed package; empty where it is not."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def azr(*arguments: object) -> list[str]:
    """A command of azr."""
    return [sys.executable, "-m", "azr", *map(str, arguments)]


def settings(values: list[str]) -> list[str]:
    """Options `--set`."""
    return [part for value in values for part in ("--set", value)]


def run(command: list[str], end: float) -> Done:
    """A command that is done by `end`.

    Raises:
        TimeoutExpired: it is not; it was killed with all that it started, such as an engine that holds the GPU.
        CalledProcessError: it failed.
    """
    done = _finish(_start(command), end)
    done.check_returncode()
    return done


def run_until(command: list[str], end: float, grace: float) -> Done:
    """A command that is asked to stop `grace` seconds before the end, and saves what it has.

    Raises:
        TimeoutExpired, CalledProcessError: as of `run`.
    """
    process = _start(command)
    try:
        done = _finish(process, end - grace, kill=False)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        done = _finish(process, end)
    done.check_returncode()
    return done


def _start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )


def _finish(process: "subprocess.Popen[str]", end: float, *, kill: bool = True) -> Done:
    try:
        out, err = process.communicate(timeout=max(end - time.monotonic(), 0.1))
    except BaseException as error:
        if kill or not isinstance(error, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        raise
    return Done(process.args, process.returncode, out, err)
