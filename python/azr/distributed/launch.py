"""Start the processes of a run on this machine, watch them, and start them again from the last checkpoint.

Each process gets torchrun's environment (RANK, WORLD_SIZE, MASTER_ADDR, ...), so both launchers start the same program.
Use torchrun for several machines.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from azr.errors import HangError, RankError
from azr.run.folder import CONFIG
from azr.run.watchdog import ASK, stacks_file
from azr.run.watchdog import ranks as heartbeats

FIRST_GRACE_S, GRACE_S = 5.0, 15.0
"""Seconds for ranks to end by themselves after the first and the second request, when one has died or all shall end."""
STACKS_S = 30.0
"""Seconds for the remaining ranks to begin to write their stack traces."""
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = (130, -signal.SIGTERM)
"""Exit code of a rank that was stopped before it finished its step."""
RESTARTS = "TORCHELASTIC_RESTART_COUNT"
"""torchrun's variable for the number of restarts."""
DOOR = "AZR_RENDEZVOUS_FD"
"""File descriptor of the socket that listens on MASTER_PORT, for rank 0. A port number alone could be taken by another
program first."""
LAUNCHER = "AZR_LAUNCHER_FD"
"""File descriptor of a pipe that only the launcher writes to. It ends when the launcher does, however that dies."""


def gpus_seen(environment: Mapping[str, str], drivers: Path = Path("/proc/driver/nvidia/gpus")) -> int:
    """Number of usable GPUs, without importing torch."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    return len(list(drivers.iterdir())) if drivers.is_dir() else 0


def stop_without_launcher(stop: Callable[[], None]) -> None:
    """In a rank: call `stop`, in a thread, once the launcher is gone. Under another launcher nothing happens."""
    handle = os.environ.pop(LAUNCHER, "")
    if not handle:
        return

    def wait() -> None:
        with open(int(handle), "rb") as pipe:
            pipe.read()
        stop()

    threading.Thread(target=wait, name="azr-launcher", daemon=True).start()


class _Asked:
    """Counts the stop signals to the launcher while entered. The launcher forwards them to the ranks."""

    def __init__(self) -> None:
        self.times = 0
        self._previous: list[tuple[int, Any]] = []

    def __enter__(self) -> Self:
        self._previous = [(number, signal.signal(number, self._count)) for number in STOPPING]
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous:
            signal.signal(number, handler)

    def _count(self, number: int, frame: object) -> None:
        self.times += 1


def launch(start: Sequence[str], folder: Path, processes: int, restarts: int, say: Callable[[str], None]) -> bool:
    """Run `azr train` in several processes until it ends or a signal stops it; returns whether no step was dropped.

    The first signal lets the ranks finish the step and save. The second ends them at once.

    Args:
        start: the arguments of `azr train` that begin the run in `folder`.
        restarts: how often all are started again when one died.

    Raises:
        RankError: a rank died and no restart is left: names it, and the last heartbeat of each.
    """
    with _Asked() as asked:
        for attempt in range(restarts + 1):
            arguments = ["--resume", str(folder)] if (folder / CONFIG).exists() and attempt else list(start)
            found = _run(arguments, folder, processes, attempt, asked)
            if found is None:
                return asked.times < 2
            rank, code = found
            if asked.times and code in INTERRUPTED:
                return False
            died = f"rank {rank} died ({_how(code)})\n{heartbeats(folder)}"
            if code == 2 or attempt == restarts or asked.times:  # an error in the config would recur after a restart
                raise RankError(died)
            say(f"{died}starting again from the last checkpoint ({attempt + 1} of {restarts})")
    raise AssertionError("the last attempt returns or raises")


def _run(arguments: Sequence[str], folder: Path, processes: int, attempt: int, asked: _Asked) -> tuple[int, int] | None:
    """Until all are done or two stop signals came; returns the rank that died first and its exit code."""
    children: list[subprocess.Popen[bytes]] = []
    told = False
    read, write = os.pipe()
    try:
        _start(children, arguments, processes, attempt, read)
        while asked.times < 2:
            if asked.times and not told:
                _tell(children)
                told = True
            codes = [child.poll() for child in children]
            # The signal tells the first death from those that it causes.
            dead = sorted((code > 0, rank) for rank, code in enumerate(codes) if code)
            if dead:
                rank = dead[0][1]
                code = codes[rank] or 0
                if code in (RankError.exit_code, HangError.exit_code):
                    # It gave up on another rank, which may hang and can report its stacks only while it lives.
                    _ask_for_stacks(children, folder)
                return rank, code
            if all(code == 0 for code in codes):
                return None
            time.sleep(0.1)
        return None
    finally:
        _end(children)
        os.close(read)
        os.close(write)


def _start(
    children: list[subprocess.Popen[bytes]], arguments: Sequence[str], processes: int, attempt: int, launcher: int
) -> None:
    """Start the ranks, appending each to `children`. `launcher`: the pipe's end that they read."""
    with socket.create_server(("127.0.0.1", 0), backlog=processes) as door:
        for rank in range(processes):
            environment = os.environ | {
                "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes),
                "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(door.getsockname()[1]), RESTARTS: str(attempt),
                LAUNCHER: str(launcher),
            }  # fmt: skip
            environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
            listens = [door.fileno()] if rank == 0 else []
            environment[DOOR] = "".join(map(str, listens))
            command = [sys.executable, "-m", "azr", "train", *arguments]
            # In their own sessions: Ctrl-C in the terminal should reach the launcher only.
            children.append(
                subprocess.Popen(command, env=environment, pass_fds=[launcher, *listens], start_new_session=True)
            )


def _ask_for_stacks(children: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    """Make the ranks that still run write their stack traces."""
    before = {rank: _size(folder, rank) for rank, child in enumerate(children) if child.poll() is None}
    for rank in before:
        children[rank].send_signal(ASK)
    deadline = time.monotonic() + STACKS_S
    while time.monotonic() < deadline and any(
        children[rank].poll() is None and _size(folder, rank) == size for rank, size in before.items()
    ):
        time.sleep(0.05)


def _size(folder: Path, rank: int) -> int:
    path = stacks_file(folder, rank)
    return path.stat().st_size if path.exists() else 0


def _tell(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let the ranks end, then kill those that do not."""
    for seconds in (FIRST_GRACE_S, GRACE_S):  # twice: the step is dropped, not finished
        _tell(children)
        deadline = time.monotonic() + seconds
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
