"""Clean-up of an engine's processes and of the shared memory that they would leave behind.

An engine on several devices is several processes, all of one process group. They share memory under names in /dev/shm,
and a name outlives processes that are killed. So the names are looked up before the processes are killed, and removed.
"""

import os
import select
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

SHARED = "/dev/shm"
OWN = ("psm_", "sem.mp-", "vllm_")
"""Prefixes of names that Python's multiprocessing and vLLM draw. No two engines share a name."""
END_SECONDS = 60.0
"""How long killed processes may take to give back what they hold. A GPU's memory can take seconds."""


def members(group: int) -> list[int]:
    """Processes of a process group."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with suppress(OSError):  # it is gone
                # The name comes first, in parentheses, and may hold any character.
                fields = Path(entry.path, "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                if int(fields[2]) == group:
                    found.append(int(entry.name))
    return found


def segments(group: int) -> set[str]:
    """Paths of shared memory that a process of the group has mapped."""
    found: set[str] = set()
    for pid in members(group):
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/maps").read_text("utf-8", "replace").splitlines():
                path = line.split(maxsplit=5)[5:]
                if path and path[0].startswith(tuple(f"{SHARED}/{own}" for own in OWN)):
                    found.add(path[0])
    return found


def remove(paths: Collection[str]) -> None:
    """Remove names of shared memory. Missing ones are ignored."""
    for path in paths:
        with suppress(OSError):
            os.unlink(path)


def end(group: int, known: Collection[str]) -> None:
    """Kill another process group, remove its shared memory, and wait until its processes have ended.

    Args:
        group: its leader has not been waited for, so that the number is still its own.
        known: shared memory of processes that may have ended already.
    """
    _signal(group, signal.SIGSTOP)  # no new ones while we look
    handles = [handle for pid in members(group) if (handle := _handle(pid)) is not None]
    found = segments(group)
    _signal(group, signal.SIGKILL)
    remove([*found, *known])
    deadline = time.monotonic() + END_SECONDS
    for handle in handles:
        select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
        os.close(handle)


def end_own() -> None:
    """Kill the process group of this process, itself included, and remove its shared memory."""
    remove(segments(os.getpgrp()))
    os.killpg(0, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _handle(pid: int) -> int | None:
    """A file descriptor for select: readable when the process has ended."""
    with suppress(ProcessLookupError):
        return os.pidfd_open(pid)
    return None
