"""Processes that share the import of torch: started in a moment, even where cores are few."""

import os
import socket
import sys
import traceback
from collections.abc import Callable, Mapping


def fork(world: int, work: Callable[[], None], more: Mapping[str, str] | None = None) -> None:
    """Do the work as each of `world` ranks, in torchrun's environment; all must end well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    children = []
    for rank in range(world):
        if (child := os.fork()) != 0:
            children.append(child)
            continue
        status = 1
        try:
            os.environ |= {
                "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port, **(more or {}),
            }  # fmt: skip
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(codes):
        sys.exit(f"ranks of {world} ended with {codes}")
