"""Processes that tests start. None outlives its test, and what it said is shown when it fails."""

import os
import random
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn

import pytest

TAG = "AZR_TEST_STARTED"
"""Set in what a test starts, and inherited by all that this starts in turn, whatever session or parent it has."""
TAIL = 20_000
"""Characters of a process's output that a failure shows."""
END_SECONDS = 60.0
"""How long killed processes may take to be gone."""


class Started:
    """A process, and the file that has what it says."""

    def __init__(self, process: "subprocess.Popen[str]", log: IO[bytes]) -> None:
        self.process = process
        self._log = log
        self._read = 0

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    def output(self) -> str:
        """All that it has said so far, or the end of it."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), TAIL, max(0, size - TAIL)).decode("utf-8", "replace")

    def says(self, text: str) -> str:
        """Wait for a line that has this text; the line. The test fails if the process ends without it."""
        rest = b""
        handle = os.pidfd_open(self.pid)
        try:
            while True:
                over = bool(select.select([handle], [], [], 0.05)[0])  # a file cannot be selected on
                while part := os.pread(self._log.fileno(), 1 << 16, self._read):
                    self._read += len(part)
                    rest += part
                *lines, rest = rest.split(b"\n")
                for number, line in enumerate(lines):
                    if text.encode() in line:
                        self._read -= len(rest) + sum(len(later) + 1 for later in lines[number + 1 :])
                        return line.decode("utf-8", "replace")
                if over:
                    self.fail(f"ended without a word of {text!r}")
        finally:
            os.close(handle)

    def ends(self, code: int = 0) -> str:
        """Wait for its end; all that it said. The test fails unless it ends with this exit code."""
        if self.process.wait() != code:
            self.fail(f"ended with {self.process.returncode}, not with {code}")
        return self.output()

    def fail(self, how: str) -> NoReturn:
        """Fail the test: what the process did, and its last words."""
        command = shlex.join(map(str, self.process.args))
        pytest.fail(f"{command}\n{how}; its last words:\n{self.output()}", pytrace=False)


@contextmanager
def started(
    command: Sequence[str | Path], more: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Started]:
    """Start a process in a session of its own, and end it and all that it has started.

    Args:
        more: what its environment has beside ours.
    """
    tag = uuid.uuid4().hex
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=os.environ | {TAG: tag} | dict(more or {}),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        running = Started(process, log)
        try:
            yield running
        except BaseException:  # whatever the test failed by, or a limit of its time
            sys.stdout.write(f"{shlex.join(map(str, command))} has said:\n{running.output()}\n")
            raise
        finally:
            end(tagged(TAG, tag))
            process.wait()


def finish(command: Sequence[str | Path], more: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a command to its end, which must be a good one; what it said."""
    with started(command, more, cwd) as running:
        return running.ends()


def script(path: Path, *arguments: object, more: Mapping[str, str] | None = None) -> str:
    """Run one of our scripts to its end, which must be a good one; what it said."""
    return finish([sys.executable, path, *map(str, arguments)], more)


def free_port() -> int:
    """A port that ranks are told of before the first listens there, so not one that the kernel gives to any program."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    while True:
        port = random.randrange(lowest // 2, lowest)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def tagged(name: str, value: str) -> list[int]:
    """Processes that run, other than this one, with this variable in their environment."""
    wanted, found = f"{name}={value}".encode(), []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):  # it is gone, or another user's
                # What has ended has no environment any more.
                if wanted in Path(entry.path, "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def end(pids: Sequence[int]) -> None:
    """Kill processes, and wait until they have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(pids, END_SECONDS)


def wait_for(pids: Sequence[int], seconds: float) -> list[int]:
    """Wait for processes to end; those that have not after so long."""
    deadline, left = time.monotonic() + seconds, []
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            if not select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0]:
                left.append(pid)
            os.close(handle)
    return left
