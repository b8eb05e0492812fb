"""The engine's process, seen from the trainer: start it, talk to it, know when it is dead or stuck."""

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
from azr.rollouts.vllm.wire import Closed, Header, Message, Stalled, Wire

TAIL = 2000
"""Characters of the process's own output that an error shows."""


class Lost(Exception):
    """The process is gone or of no use: how, and what it said last."""


class EngineProcess:
    """One process of `azr.rollouts.vllm.worker`, in a session of its own: Ctrl-C is the trainer's to handle."""

    def __init__(self, environment: Mapping[str, str], handles: Sequence[int], patience: float) -> None:
        """Start it.

        Args:
            environment: all of it.
            handles: file descriptors that it inherits.
            patience: seconds that it may hold up a message, in either direction.
        """
        self._patience = patience
        ours, theirs = socket.socketpair()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "azr.rollouts.vllm.worker", str(theirs.fileno())],
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

    def send(self, header: Header, payload: bytes = b"") -> None:
        """Tell it something.

        Raises:
            Lost: it is gone, or does not take the message.
        """
        try:
            self._wire.send(header, payload)
        except Closed as error:
            raise self._lost(self._how(error)) from error

    def receive(self, seconds: float) -> Message:
        """What it says next, within `seconds`.

        Raises:
            Lost: it is gone, said nothing for that long, or says that it is broken.
        """
        message = self.poll(seconds)
        if message is None:
            raise self.silent(seconds)
        return message

    def silent(self, seconds: float) -> Lost:
        """The end of a process that has said nothing for so long."""
        return self._lost(f"said nothing for {seconds:.0f} s")

    def poll(self, seconds: float = 0.0) -> Message | None:
        """What it says within `seconds`, or None."""
        if not select.select([self._wire], [], [], seconds)[0]:
            return None
        try:
            header, payload = self._wire.receive()
        except Closed as error:
            raise self._lost(self._how(error)) from error
        if header["op"] == "broken":
            raise self._lost("ran out of memory" if header["memory"] else f"failed: {header['text']}")
        return header, payload

    def ask(self, header: Header, answer: str, seconds: float, payload: bytes = b"") -> Message:
        """Send, and wait for an answer of that kind, past anything said before."""
        self.send(header, payload)
        end = time.monotonic() + seconds
        while True:
            found = self.receive(max(0.0, end - time.monotonic()))
            if found[0]["op"] == answer:
                return found

    def close(self) -> None:
        """End it, whatever state it is in."""
        self._wire.close()
        self._end()
        self._output.close()

    def _end(self) -> int:
        """Kill it, and its own children too, also where it is dead itself: a tensor-parallel engine has workers."""
        if self._process.returncode is None:  # not waited for: its number is still its own
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def _how(self, error: Closed) -> str:
        return f"held up a message for {self._patience:g} s" if isinstance(error, Stalled) else "died"

    def _lost(self, how: str) -> Lost:
        """Kill what is left, after a look at where it stands."""
        if how != "died":
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGUSR1)  # it dumps its stacks
            time.sleep(0.5)
        said = self._tail()
        self._wire.close()
        code = self._end()
        ending = f" by signal {signal.Signals(-code).name}" if code < 0 and how == "died" else ""
        return Lost(f"the engine's process {how}{ending}" + (f"; its last words:\n{said}" if said else ""))

    def _tail(self) -> str:
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), TAIL, max(0, size - TAIL)).decode("utf-8", "replace").strip()


def give_up(lost: Lost, restarts: int) -> EngineError:
    """The error for a process that does not come back."""
    return EngineError(
        f"{lost}\nIt was started again {restarts} times since it last finished a completion. If memory is short, lower"
        " engine.batch, engine.vllm.cache_gib or engine.vllm.memory; if it is slow, raise engine.vllm.stuck_seconds."
    )
