"""Messages between the trainer and its engine's process: a length, a JSON header, raw numbers.

Nothing is pickled. Each message is `header length, payload length` (two little-endian unsigned 32-bit and 64-bit
numbers), the header, and the payload's bytes.
"""

import json
import socket
import struct
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTHS = struct.Struct("<IQ")
Header = dict[str, Any]
Message = tuple[Header, bytes]
IDS = np.dtype("<i4")
NUMBERS = np.dtype("<f4")


class Closed(Exception):
    """The other end is closed."""


class Stalled(Closed):
    """The other end is open, but stopped in the middle of a message."""


class Wire:
    """One end of a connection."""

    def __init__(self, end: socket.socket, patience: float | None = None) -> None:
        """`patience`: seconds that the other end may stop within a message; without it, no limit."""
        end.settimeout(patience)
        self._end = end

    def fileno(self) -> int:
        """For `select`."""
        return self._end.fileno()

    def send(self, header: Header, payload: bytes = b"") -> None:
        """Write one message.

        Raises:
            Closed: the other end is gone.
            Stalled: it has not taken the message in time.
        """
        text = json.dumps(header).encode("utf-8")
        try:
            self._end.sendall(LENGTHS.pack(len(text), len(payload)) + text + payload)
        except TimeoutError as error:
            raise Stalled(str(error)) from error
        except OSError as error:
            raise Closed(str(error)) from error

    def receive(self) -> Message:
        """Read one message; waits for it.

        Raises:
            Closed: the other end is gone.
            Stalled: it stopped within a message.
        """
        text, payload = LENGTHS.unpack(self._read(LENGTHS.size))
        return json.loads(self._read(text)), self._read(payload)

    def close(self) -> None:
        """Close this end, which wakes a thread that waits for a message."""
        with suppress(OSError):  # the other end may be closed already
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = self._end.recv(min(size - len(parts), 1 << 20))
            except TimeoutError as error:
                raise Stalled(str(error)) from error
            except OSError as error:
                raise Closed(str(error)) from error
            if not part:
                raise Closed("the connection is closed")
            parts += part
        return bytes(parts)


def pack_ids(rows: "list[tuple[int, ...]] | list[list[int]]") -> bytes:
    """Concatenated token ids of several rows; the header has their lengths."""
    return np.concatenate([np.asarray(row, dtype=IDS) for row in rows]).tobytes() if rows else b""


def unpack(payload: bytes, kind: np.dtype[Any], lengths: list[int]) -> list[NDArray[Any]]:
    """The rows of a payload."""
    return np.split(np.frombuffer(payload, dtype=kind), np.cumsum(lengths)[:-1]) if lengths else []
