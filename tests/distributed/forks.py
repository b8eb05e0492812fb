"""Processes that share the import of torch: started in a moment, even where cores are few."""

import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence

from azr.distributed.launch import DOOR

GRACE_S = 60.0
"""How long ranks may go on after one has failed: they may have something to say about it."""


def fork(world: int, work: Callable[[], None], more: Mapping[str, str] | None = None) -> None:
    """Do the work as each of `world` ranks, in torchrun's environment; all must end well."""
    with socket.create_server(("127.0.0.1", 0), backlog=world) as door:
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(door.getsockname()[1]), "WORLD_SIZE": str(world)}
        children = []
        for rank in range(world):
            if (child := os.fork()) != 0:
                children.append(child)
                continue
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank), DOOR: str(door.detach()) if rank == 0 else ""}
            door.close()
            _work(work, address | own | dict(more or {}))
    codes = _ended(children)
    if any(codes):
        sys.exit(f"ranks of {world} ended with {codes}")


def _work(work: Callable[[], None], environment: Mapping[str, str]) -> None:
    status = 1
    try:
        os.environ |= environment
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _ended(children: Sequence[int]) -> list[int]:
    """How each ended. One that fails leaves the others little time."""
    running = {os.pidfd_open(child): child for child in children}
    codes: dict[int, int] = {}
    while running:
        readable, _, _ = select.select(list(running), [], [], GRACE_S if any(codes.values()) else None)
        if not readable:
            names = [f"rank {children.index(child)}" for child in running.values()]
            sys.stderr.write(f"killed, {GRACE_S:g} s after another rank had failed: {', '.join(names)}\n")
            for child in running.values():
                os.kill(child, signal.SIGKILL)
        for handle in readable:
            child = running.pop(handle)
            codes[child] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            os.close(handle)
    return [codes[child] for child in children]
