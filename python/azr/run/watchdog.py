"""A run never hangs silently: each phase has a time limit, after which all stack traces are written and the run ends.

A thread of its own writes a heartbeat file every few seconds, with the phase that the run is in and since when; with
several ranks each writes its own, in the same folder. When a phase has passed its limit, the watchdog writes what every
rank was doing and the stacks of its own process's threads to `hang.rank<N>.txt`, and interrupts the main thread with a
`HangError`. Where the main thread is stuck in native code that does not come back, the process ends itself after
`grace` seconds: an error, never a hang.

With several ranks, a rank also writes its stacks on request: another rank may have given up on it before.
"""

import contextlib
import faulthandler
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self, TextIO

from azr.config.oversight import WatchdogConfig
from azr.errors import HangError
from azr.run.events import Quiet
from azr.types import Kind

SIGNAL: Final = signal.SIGUSR2
ASK: Final = signal.SIGUSR1
"""Signal that requests a rank's stack traces before it is killed (`azr.distributed.launch`)."""
EVERY_SECONDS: Final = 1.0
STDERR: Final = 2
PAUSED: Final = "paused"
"""Phase of a paused run: no limit."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What the run is doing."""

    phase: str
    since: float
    """Monotonic time when the phase began or last made progress."""
    wall: float
    """Time of day when the phase began."""
    step: int


class Watchdog(Quiet):
    """An observer that measures the current phase."""

    def __init__(self, config: WatchdogConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._rank = int(os.environ.get("RANK", "0"))
        self._folder: Path | None = None
        self._beat = Beat("start", clock(), time.time(), 0)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._main = threading.get_ident()
        self._previous: Any = None
        self._hung = ""
        self._asked: TextIO | None = None

    def __enter__(self) -> Self:
        if _of_several():
            faulthandler.register(ASK, file=STDERR, all_threads=True)
        if self._config.enabled:
            if threading.current_thread() is threading.main_thread():
                self._previous = signal.signal(SIGNAL, self._interrupt)
            self._thread = threading.Thread(target=self._watch, name="azr-watchdog", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        if self._previous is not None:
            signal.signal(SIGNAL, self._previous)
        if self._asked is not None:
            # Not unregistered: unhandled, the signal would kill a rank that is about to exit well.
            faulthandler.register(ASK, file=STDERR, all_threads=True)
            self._asked.close()
            if (path := Path(self._asked.name)).exists() and not path.stat().st_size:
                path.unlink()

    def use(self, folder: Path) -> None:
        """Set the heartbeat's folder and write the first one: a rank that dies early has one too."""
        self._folder = folder
        if _of_several():
            # By faulthandler, with the file open beforehand: it works whatever blocks the main thread.
            with contextlib.suppress(OSError):
                self._asked = stacks_file(folder, self._rank).open("a", encoding="utf-8")
                faulthandler.register(ASK, file=self._asked, all_threads=True)
        if self._config.enabled:
            self._write_heartbeat()

    # Events of the run.

    def started(self, step: int, steps: int) -> None:
        self._set(self._beat.phase, step)

    def phase(self, name: str) -> None:
        self._set(name, self._beat.step)

    def seeded(self, kind: Kind, found: int, wanted: int) -> None:
        self._set(self._beat.phase, self._beat.step)

    def sampled(self, tokens: int) -> None:
        # A slow model is no stuck one: each token is progress.
        self._set(self._beat.phase, self._beat.step)

    def stepped(self, report: Any, numbers: Any) -> None:
        self._set(self._beat.phase, report.step)

    def _set(self, phase: str, step: int) -> None:
        # One assignment: the watching thread sees the old beat or the new one.
        self._beat = Beat(phase, self._clock(), time.time(), step)

    # The watching thread.

    def limit(self, phase: str) -> float:
        """Seconds that a phase may take; 0: no limit."""
        return 0.0 if phase == PAUSED else self._config.phases.get(phase, self._config.seconds)

    def check(self) -> str:
        """The current problem; empty if there is none."""
        beat = self._beat
        limit, taken = self.limit(beat.phase), self._clock() - beat.since
        if limit <= 0.0 or taken <= limit:
            return ""
        return (
            f"phase {beat.phase} after step {beat.step} has taken {taken:.1f} s, its limit is {limit:g} s"
            " (oversight.watchdog)"
        )

    def _watch(self) -> None:
        smallest = min([self._config.seconds, *self._config.phases.values()], default=EVERY_SECONDS)
        every = min(EVERY_SECONDS, smallest / 4) if smallest > 0.0 else EVERY_SECONDS
        while not self._stopped.wait(every):
            self._write_heartbeat()
            if wrong := self.check():
                self._end(wrong)
                return

    def _write_heartbeat(self) -> None:
        if self._folder is None or not self._folder.is_dir():
            return
        beat = self._beat
        row = {
            "rank": self._rank, "pid": os.getpid(), "step": beat.step, "phase": beat.phase,
            "since": beat.wall, "alive": time.time(),
        }  # fmt: skip
        path = self._folder / f"heartbeat.rank{self._rank}.json"
        working = path.with_suffix(".writing")
        try:
            working.write_text(json.dumps(row), "ascii")
            os.replace(working, path)
        except OSError:
            # A full disk is for the trainer to report; the heartbeat only shows that it lives.
            return

    def _end(self, wrong: str) -> None:
        self._hung = f"{wrong}; {write_stacks(self._folder, self._rank, wrong)}"
        if self._previous is not None:
            signal.pthread_kill(self._main, SIGNAL)
        if not self._stopped.wait(self._config.grace):
            with contextlib.suppress(OSError):
                os.write(2, f"azr: {self._hung}; the main thread does not come back: ending the process\n".encode())
            os._exit(HangError.exit_code)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        raise HangError(self._hung)


def stacks_file(folder: Path, rank: int) -> Path:
    """Where a rank's stacks go."""
    return folder / f"hang.rank{rank}.txt"


def write_stacks(folder: Path | None, rank: int, wrong: str) -> str:
    """Write the problem, the ranks' phases and all stacks to a file of the run folder, or else to stderr; returns
    which."""
    why = ""
    try:
        if folder is not None and folder.is_dir():
            path = stacks_file(folder, rank)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{wrong}\n\n{ranks(folder)}\n")
                file.flush()
                faulthandler.dump_traceback(file=file, all_threads=True)
            return f"the stacks of all threads are in {path}"
    except Exception as error:
        # Any error here, such as a full disk: the caller still has to end the run.
        why = f" (not in the run folder: {error})"
    # By number: works even if sys.stderr was replaced.
    faulthandler.dump_traceback(file=STDERR, all_threads=True)
    return f"the stacks of all threads are above{why}"


def _of_several() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def ranks(folder: Path) -> str:
    """What each rank was doing, by heartbeat, the longest first: others wait for ranks in an earlier phase."""
    rows = []
    for path in folder.glob("heartbeat.rank*.json"):
        try:
            rows.append(json.loads(path.read_text("ascii")))
        except (OSError, ValueError):
            continue
    now = time.time()
    rows.sort(key=lambda row: (row["step"], row["since"]))
    lines = [
        f"rank {row['rank']} (process {row['pid']}): phase {row['phase']} after step {row['step']}"
        f" for {now - row['since']:.0f} s, last heartbeat {now - row['alive']:.0f} s ago"
        for row in rows
    ]
    return "".join(line + "\n" for line in lines)
