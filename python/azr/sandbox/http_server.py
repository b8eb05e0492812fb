"""The sandbox over HTTP: JSON requests in, JSON answers out.

`POST /run` takes {"code", "session", "stdin", "files"} (all but the code optional, files as texts by path) and answers
how it ended. `POST /sessions` opens a session and gives its name, `DELETE /sessions/NAME` closes it. A failure of the
sandbox is a status of 503 and never an outcome.
"""

import asyncio
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from azr.errors import SandboxError
from azr.sandbox.workbench import BODY_BYTES, UnknownSession, Workbench


class _Refused(ValueError):
    """A request that is none."""


def make(workbench: Workbench) -> Starlette:
    """An application that uses this workbench."""

    async def run(request: Request) -> JSONResponse:
        given = _fields(await _body(request))
        return JSONResponse(await asyncio.to_thread(workbench.run, given.pop("code"), **given))

    async def open_session(request: Request) -> JSONResponse:
        return JSONResponse({"session": await asyncio.to_thread(workbench.open)}, status_code=201)

    async def close_session(request: Request) -> JSONResponse:
        await asyncio.to_thread(workbench.close, request.path_params["name"])
        return JSONResponse({})

    async def healthy(request: Request) -> JSONResponse:
        return JSONResponse({"threads": workbench.sandbox.threads})

    def failed(status: int) -> Any:
        async def answer(request: Request, error: Exception) -> JSONResponse:
            code = error.code if isinstance(error, SandboxError) else "bad_request"
            mine = 400 if code in ("bad_session", "bad_limit") else status
            return JSONResponse({"error": str(error), "code": code}, status_code=mine)

        return answer

    return Starlette(
        routes=[
            Route("/run", run, methods=["POST"]),
            Route("/sessions", open_session, methods=["POST"]),
            Route("/sessions/{name}", close_session, methods=["DELETE"]),
            Route("/health", healthy),
        ],
        exception_handlers={_Refused: failed(400), UnknownSession: failed(404), SandboxError: failed(503)},
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise _Refused(f"a request has at most {BODY_BYTES} bytes")
    return bytes(body)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refused("the body is no JSON") from error
    if not isinstance(given, dict) or not isinstance(given.get("code"), str):
        raise _Refused('a request is {"code": "..."}')
    if unknown := given.keys() - {"code", "session", "stdin", "files"}:
        raise _Refused(f"unknown: {', '.join(sorted(unknown)[:5])}")
    files = given.get("files") or {}
    texts = [given.get("session") or "", given.get("stdin") or ""]
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in (*texts, *files.values())):
        raise _Refused("session, stdin and the files' contents are texts")
    encoded = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    return {"code": given["code"], "session": given.get("session"), "stdin": given.get("stdin"), "files": encoded}
