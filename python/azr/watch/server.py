"""A read-only HTTP server on 127.0.0.1.

Requests from pages of other origins are rejected first: a foreign host name (DNS rebinding), a cross-site request, any
method except GET.
"""

import json
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from azr.errors import AzrError, RunError
from azr.report.charts import layout
from azr.report.gallery import Wanted
from azr.report.index import Filter
from azr.report.page import page, policy
from azr.watch.live import Live

HOST: Final = "127.0.0.1"
NAMES: Final = ("127.0.0.1", "localhost")
COUNT: Final = 200
"""Default number of lines per response."""
MOST: Final = 2**31 - 1

KEY: Final = re.compile(r"-?[0-9]{1,11}")

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


def application(live: Live, title: str) -> Starlette:
    """The web application of one run."""

    def index(request: Request) -> Response:
        known = live.run("")
        data = {
            "live": True, "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "layout": layout(),
            "version": known["version"], "runs": known["runs"],
        }  # fmt: skip
        return Response(page(f"{title} - azr watch", data, connect=True), media_type="text/html")

    def run(request: Request) -> Response:
        return answer(live.run(request.query_params.get("known", "")))

    def programs(request: Request) -> Response:
        asked = Asked(request)
        wanted = Wanted(
            kind=asked.text("kind"), verdict=asked.text("verdict"), first_step=asked.whole("first", 0),
            last_step=asked.whole("last", MOST), low=asked.number("low", 0.0), high=asked.number("high", 1.0),
        )  # fmt: skip
        return answer(live.programs(wanted, *asked.paging()))

    def program(request: Request) -> Response:
        return answer(live.program(int(request.path_params["key"])))

    def completions(request: Request) -> Response:
        asked = Asked(request)
        wanted = Filter(
            purpose=asked.text("purpose"), kind=asked.text("kind"), verdict=asked.text("verdict"),
            flagged=asked.flag("flagged"), first_step=asked.whole("first", 0), last_step=asked.whole("last", MOST),
        )  # fmt: skip
        return answer(live.completions(wanted, *asked.paging()))

    def completion(request: Request) -> Response:
        return answer(live.completion(int(request.path_params["key"])))

    routes: list[tuple[str, Callable[[Request], Response]]] = [
        ("/", index),
        ("/api/run", run),
        ("/api/programs", programs),
        ("/api/programs/{key}", program),
        ("/api/completions", completions),
        ("/api/completions/{key}", completion),
    ]
    app = Starlette(
        routes=[Route(path, guarded(handler), methods=["GET"]) for path, handler in routes],
        middleware=[
            Middleware(Shield),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(NAMES), www_redirect=False),
            Middleware(GZipMiddleware, minimum_size=4096, compresslevel=4),
        ],
    )
    app.router.redirect_slashes = False
    return app


class Shield:
    """Security headers; rejects cross-site requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        rules = f"{policy(connect=True)}; frame-ancestors 'none'"
        named = {**HEADERS, "content-security-policy": rules}
        self._headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        sites = [value for name, value in scope.get("headers", ()) if name == b"sec-fetch-site"]
        if any(site not in (b"same-origin", b"none") for site in sites) and scope.get("path") != "/":
            await PlainTextResponse("only this page may ask", status_code=403)(scope, receive, shielded)
            return
        await self._app(scope, receive, shielded)


class Asked:
    """The parameters of a request. Invalid ones raise HTTPException 400.

    Every method raises HTTPException 400 for what is not meant.
    """

    def __init__(self, request: Request) -> None:
        self._given = request.query_params

    def text(self, name: str) -> str | None:
        return self._given.get(name, "")[:200] or None

    def flag(self, name: str) -> bool:
        return self._given.get(name) == "true"

    def whole(self, name: str, default: int) -> int:
        return int(min(max(self.number(name, default), 0), MOST))

    def number(self, name: str, default: float) -> float:
        text = self._given.get(name, "")[:40]
        try:
            found = float(text) if text else default
        except ValueError:
            found = float("nan")
        if found != found:
            raise HTTPException(400, f"{name} is no number")
        return found

    def paging(self) -> tuple[str, int, int, bool]:
        """(search text, offset, count, newest first)."""
        return (
            self.text("text") or "", self.whole("offset", 0), min(self.whole("count", 50), COUNT), self.flag("newest")
        )  # fmt: skip


def guarded(handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Invalid numbers in a path are 404; errors of reading the run are reported as such."""

    def handle(request: Request) -> Response:
        key = request.path_params.get("key", "0")
        if not KEY.fullmatch(key):
            raise HTTPException(404, "there is no such thing")
        try:
            return handler(request)
        except AzrError as error:
            return answer({"error": str(error)}, 500)

    return handle


def answer(found: dict[str, Any] | None, status: int = 200) -> Response:
    """Data as ASCII JSON; None is 404."""
    if found is None:
        raise HTTPException(404, "there is no such thing")
    text = json.dumps(found, allow_nan=False, separators=(",", ":"))
    return Response(text, status_code=status, media_type="application/json")


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1.

    Raises:
        RunError: the port is taken or not allowed.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
        made.listen(64)
    except OSError as error:
        made.close()
        raise RunError(f"cannot listen on {HOST}:{port}: {error.strerror}; choose another by --port") from error
    return made


def server(app: Starlette) -> uvicorn.Server:
    """The server; `run(sockets=[listen(port)])` serves until the process is stopped."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=1,
        ws="none", proxy_headers=False,
    )  # fmt: skip
    return uvicorn.Server(config)
