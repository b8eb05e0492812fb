"""Start the grader, and stop it without losing a request.

    python examples/http_grader/serve.py --port 8000 [--domain FOLDER ...] [--buffer FOLDER] [--capacity 4096]
        [--max-body BYTES]

On SIGTERM or SIGINT: no new connection is taken; whoever has one gets an answer to everything sent, marked by
`Connection: close`; when nobody has asked for QUIET seconds, or after --grace seconds, what is left in the queue is
finished and the process ends. A second signal ends it at once.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from types import FrameType

import uvicorn

sys.path.insert(0, str(Path(__file__).parent))

from azr.grading import Grader
from fastapi import FastAPI
from grader import MAX_BODY, make_app

QUIET = 0.5


class Server(uvicorn.Server):
    """Drains before it stops."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, grace: float) -> None:
        super().__init__(config)
        self._app, self._grace = app, grace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None
        self._stopping = False

    async def startup(self, sockets: object = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            sys.stdout.write(f"listening on {self.servers[0].sockets[0].getsockname()[1]}\n")
            sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is None or self._stopping:
            super().handle_exit(sig, frame)
            return
        self._stopping = True
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        assert self._loop is not None
        self._drain = self._loop.create_task(self.drain())

    async def drain(self) -> None:
        """Take no connections, answer those there are, then let uvicorn finish."""
        for _ in range(5):
            await asyncio.sleep(0)  # what the kernel has taken already is accepted first
        for server in self.servers:
            server.close()
        # Only now: a client that is told to come back finds nobody, rather than a door that closes on it.
        state = self._app.state
        state.draining = True
        now = time.monotonic()
        end = now + self._grace
        state.seen = max(state.seen, now)
        while self.server_state.connections and now < end:
            if not self.server_state.tasks and now - state.seen >= QUIET:
                break
            await asyncio.sleep(QUIET / 10)
            now = time.monotonic()
        self.should_exit = True


def main() -> None:
    """Parse the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0: a free one")
    parser.add_argument("--domain", action="append", default=[], help="folder or name of a domain; repeatable")
    parser.add_argument("--buffer", type=Path, help="folder of the task buffer; in memory without it")
    parser.add_argument("--capacity", type=int, default=4096, help="items that may wait")
    parser.add_argument("--max-body", type=int, default=MAX_BODY, help="bytes of a request's body")
    parser.add_argument("--grace", type=float, default=30.0, help="seconds to finish in after SIGTERM")
    options = parser.parse_args()
    app = make_app(Grader(domains=options.domain), options.buffer, options.capacity, options.max_body)
    config = uvicorn.Config(app, host=options.host, port=options.port, log_level="warning", access_log=False)
    Server(config, app, options.grace).run()


if __name__ == "__main__":
    main()
