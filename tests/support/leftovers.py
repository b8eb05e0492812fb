"""Nothing outlives the file of tests that made it: no process, no shared memory, no port.

A process is known by a variable that it inherits, whatever became of its parent. Shared memory carries no such mark:
what is new, belongs to this user and is used by no process counts as ours.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import resource_tracker
from pathlib import Path

import pytest
from processes import end, tagged, wait_for

TAG = "AZR_TEST_SESSION"
SHARED = Path("/dev/shm")
NAMES = ("psm_", "vllm_")
SECONDS = 120.0
"""How long what is ending may take to be gone."""
LISTENS = "0A"


def pytest_configure(config: pytest.Config) -> None:
    os.environ[TAG] = uuid.uuid4().hex
    config.stash[BEFORE] = _shared()


BEFORE = pytest.StashKey[set[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if nextitem is None or nextitem.path != item.path:
        found = [*_processes(), *_segments(item.config), *_ports()]
        if found:
            pytest.fail(f"{item.path.name} has left, {SECONDS:g} s after its end:\n" + "\n".join(found), pytrace=False)


def _processes() -> list[str]:
    """Those that are left, which are then killed."""
    own_tracker = resource_tracker._resource_tracker._pid  # type: ignore[attr-defined]
    running = [pid for pid in tagged(TAG, os.environ[TAG]) if pid != own_tracker]
    left = wait_for(running, SECONDS)
    described = [f"process {pid}: {_command(pid)}, started by {_test(pid)}" for pid in left]
    end(left)
    return described


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").replace("\0", " ").strip()[:500]
    return "(gone)"


def _test(pid: int) -> str:
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_text("utf-8", "replace").split("\0"):
            if entry.startswith("PYTEST_CURRENT_TEST="):
                return entry.partition("=")[2]
    return "an unknown test"


def _shared() -> set[str]:
    if not SHARED.is_dir():
        return set()
    found = set()
    for entry in os.scandir(SHARED):
        with suppress(OSError):
            if entry.name.startswith(NAMES) and entry.stat().st_uid == os.getuid():
                found.add(entry.name)
    return found


def _segments(config: pytest.Config) -> list[str]:
    """Shared memory that is new and that no process uses. Each is told once."""
    deadline = time.monotonic() + SECONDS
    while left := _unused(_shared() - config.stash[BEFORE]):
        if time.monotonic() > deadline:
            config.stash[BEFORE] |= left
            return [f"shared memory {SHARED / name}" for name in sorted(left)]
        time.sleep(0.5)
    return []


def _unused(names: set[str]) -> set[str]:
    """Those that no process has mapped. Who has only begun to make one has not mapped it yet: see `_segments`."""
    left = set(names)
    for entry in os.scandir("/proc") if names else ():
        if entry.name.isdecimal():
            with suppress(OSError):
                maps = Path(entry.path, "maps").read_text("utf-8", "replace")
                left -= {name for name in left if f"{SHARED / name}" in maps}
    return left


def _ports() -> list[str]:
    """Addresses at which this process still listens."""
    own = set()
    for entry in os.scandir("/proc/self/fd"):
        with suppress(OSError):
            own.add(os.readlink(entry.path))
    found = []
    for table in ("tcp", "tcp6"):
        for row in _rows(Path("/proc/self/net", table)):
            if row[3] == LISTENS and f"socket:[{row[9]}]" in own:
                found.append(f"a socket that listens on port {int(row[1].rpartition(':')[2], 16)}")
    return found


def _rows(path: Path) -> list[list[str]]:
    with suppress(OSError):
        return [line.split() for line in path.read_text("ascii").splitlines()[1:]]
    return []
