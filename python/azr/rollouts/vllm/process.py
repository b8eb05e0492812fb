"""The trainer's handle of the engine's process: start it, exchange messages, detect when it is dead or stuck."""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from azr.errors import EngineError
from azr.rollouts.vllm import process_group
from azr.rollouts.vllm.wire import Closed, Header, Message, Stalled, Wire

PROGRAM = ("-m", "azr.rollouts.vllm.worker")
"""Program of the process; its last argument is the file descriptor of the connection."""
TAIL = 2000
"""Characters of the process's output in an error."""
EXIT_SECONDS = 30.0
"""Seconds for a process that closed its connection to exit by itself, before it is killed."""


class Lost(Exception):
    """The process is dead or unusable; with the reason and its last output."""


class EngineProcess:
    """One process of `azr.rollouts.vllm.worker`, in its own session, so that Ctrl-C reaches only the trainer."""

    def __init__(self, environment: Mapping[str, str], handles: Sequence[int], patience: float) -> None:
        """Start it.

        Args:
            environment: the complete one.
            handles: file descriptors that it inherits.
            patience: seconds that it may hold up a message, in either direction.
        """
        self._patience = patience
        self._segments: set[str] = set()
        ours, theirs = socket.socketpair()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, *PROGRAM, str(theirs.fileno())],
            env=dict(environment),
            pass_fds=[theirs.fileno(), *handles],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        theirs.close()
        self._wire = Wire(ours, patience)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def fileno(self) -> int:
        """For `select`."""
        return self._wire.fileno()

    def note_shared_memory(self) -> None:
        """Record the shared memory of its processes, so that it is removed with them even if they exit first."""
        self._segments |= process_group.segments(self._process.pid)

    def send(self, header: Header, payload: bytes = b"") -> None:
        """Send a message.

        Raises:
            Lost: it is gone, or does not take the message.
        """
        try:
            self._wire.send(header, payload)
        except Closed as error:
            raise self._cut_off(error) from error

    def receive(self, seconds: float) -> Message:
        """Receive its next message, within `seconds`.

        Raises:
            Lost: it is gone, was silent for that long, or reported an error.
        """
        message = self.poll(seconds)
        if message is None:
            raise self.silent(seconds)
        return message

    def silent(self, seconds: float) -> Lost:
        """Kill a process that was silent for too long."""
        return self._lost(f"said nothing for {seconds:g} s")

    def poll(self, seconds: float = 0.0) -> Message | None:
        """Its next message within `seconds`, or None."""
        try:
            if not select.select([self._wire], [], [], seconds)[0]:
                return None
            header, payload = self._wire.receive()
        except ValueError as error:
            raise self._lost("was ended", alive=False) from error  # closed by another thread
        except Closed as error:
            raise self._cut_off(error) from error
        if header["op"] == "broken":
            raise self._lost(_failure(header))
        return header, payload

    def ask(self, header: Header, answer: str, seconds: float, payload: bytes = b"") -> Message:
        """Send, and wait for an answer of that kind, skipping earlier messages."""
        self.send(header, payload)
        end = time.monotonic() + seconds
        while True:
            found = self.poll(max(0.0, end - time.monotonic()))
            if found is None:
                raise self._lost(f"did not answer {header['op']!r} within {seconds:g} s")
            if found[0]["op"] == answer:
                return found

    def close(self) -> None:
        """End it, in any state."""
        self._wire.close()
        self._end()
        self._output.close()

    def _end(self) -> None:
        """Kill its process group: also its workers on several devices, and also if it is dead itself."""
        if self._process.returncode is None:  # not reaped, so its number is still its own
            process_group.end(self._process.pid, self._segments)
        self._process.wait()

    def _cut_off(self, error: Closed) -> Lost:
        """Why the connection failed: the error that the process sent, or else how it ended."""
        if isinstance(error, Stalled):
            return self._lost(f"held up a message for {self._patience:g} s")
        return self._lost(self._last_failure() or self._ending(), alive=False)

    def _last_failure(self) -> str | None:
        """The last error that a process sent before it closed its connection. A failed `send` leaves it unread."""
        with suppress(Closed):
            while True:
                header, _ = self._wire.receive()
                if header["op"] == "broken":
                    return _failure(header)
        return None

    def _ending(self) -> str:
        """How a process that closed its connection ended, before `_end` kills the rest."""
        try:
            handle = os.pidfd_open(self._process.pid)
            try:
                select.select([handle], [], [], EXIT_SECONDS)
                # Not reaped: `_end` needs its number, which is also its process group's.
                found = os.waitid(os.P_PIDFD, handle, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            finally:
                os.close(handle)
        except (ProcessLookupError, ChildProcessError):
            return "was ended"  # closed by another thread
        if found is None:
            return f"closed its connection and was still running {EXIT_SECONDS:g} s later"
        if found.si_code == os.CLD_EXITED:
            return f"died with exit code {found.si_status}"
        return f"died by signal {signal.Signals(found.si_status).name}"

    def _lost(self, how: str, alive: bool = True) -> Lost:
        """Kill the rest, after collecting stack traces."""
        if alive:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGUSR1)  # it dumps its stack traces
            time.sleep(0.5)
        said = self._tail()
        self._wire.close()
        self._end()
        return Lost(f"the engine's process {how}" + (f"; its last words:\n{said}" if said else ""))

    def _tail(self) -> str:
        if self._output.closed:
            return ""  # closed by another thread
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), TAIL, max(0, size - TAIL)).decode("utf-8", "replace").strip()


def _failure(header: Header) -> str:
    """The error that the process reported."""
    return "ran out of memory" if header["memory"] else f"failed: {header['text']}"


def give_up(lost: Lost, restarts: int) -> EngineError:
    """The error for a process that cannot be restarted."""
    return EngineError(
        f"{lost}\nIt was started again {restarts} times since it last finished a completion. If memory is short, lower"
        " engine.batch, engine.vllm.cache_gib or engine.vllm.memory; if it is slow, raise engine.vllm.stuck_seconds."
    )
