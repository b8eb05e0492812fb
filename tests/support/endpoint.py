"""A local server with OpenAI's interface, whose model is a function: for tests of what asks over HTTP."""

import ast
import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODEL = "stub/model-1"
Policy = Callable[[str, int], str]
"""(the user's message, seed) -> the model's text."""
Refuse = Callable[[dict[str, Any], int], Response | None]
"""(body, number of the request) -> what is answered in place of a completion; None: nothing is refused."""


@dataclass
class Stub:
    """What the server was asked."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0
    """Requests that were in flight at the same time."""


@contextmanager
def serving(
    policy: Policy,
    refuse: Refuse = lambda body, number: None,
    models: list[dict[str, Any]] | None = None,
    key: str = "",
    listed: Callable[[], Response] | None = None,
) -> Iterator[Stub]:
    """The server on a free port of this machine.

    Args:
        models: that it lists; None: the stub's one.
        listed: what it answers in place of a list.
    """
    stub = Stub()
    rows = [{"id": MODEL, "object": "model"}] if models is None else models

    def entered(request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        stub.keys.append(given)
        if key and given != f"Bearer {key}":
            return JSONResponse({"error": {"message": "invalid api key"}}, 401)
        return None

    async def list_models(request: Request) -> Response:
        return entered(request) or (listed() if listed else JSONResponse({"object": "list", "data": rows}))

    async def complete(request: Request) -> Response:
        if (refused := entered(request)) is not None:
            return refused
        body = await request.json()
        stub.bodies.append(body)
        stub.now += 1
        stub.most = max(stub.most, stub.now)
        try:
            if (refused := refuse(body, len(stub.bodies))) is not None:
                return refused
            text = await asyncio.to_thread(policy, body["messages"][-1]["content"], body.get("seed", 0))
        finally:
            stub.now -= 1
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        found = {
            "id": f"chatcmpl-{len(stub.bodies)}", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }  # fmt: skip
        return Response(json.dumps(found), media_type="application/json")  # escaped: texts may hold half a character

    routes = [Route("/v1/models", list_models), Route("/v1/chat/completions", complete, methods=["POST"])]
    with answering(Starlette(routes=routes)) as url:
        stub.url = url
        yield stub


@contextmanager
def answering(app: Starlette) -> Iterator[str]:
    """Any application on a free port of this machine; its address, up to `/v1`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        # The socket listens already: whoever connects before the server runs waits in its queue.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()


def scripted(text: str, seed: int) -> str:
    """A model that proposes sums, and answers two of three tasks right."""
    return f"Let me see.\n<answer>\n{_blocks(text, seed)}\n</answer>"


def _blocks(text: str, seed: int) -> str:
    if "Write a new Python program" in text:
        return f"```python\ndef f(a):\n    return a + {seed % 100_003}\n```\n```input\n{seed % 11}\n```"
    if "Choose" in text:
        inputs = "\n".join(f"```input\n{seed % 7 + n}\n```" for n in range(10))
        return f"{inputs}\n```message\nWhat is added?\n```"
    if seed % 3 == 0:
        return "```python\ndef f(a):\n    return None\n```\n" if "unknown Python program" in text else _wrong(text)
    blocks = dict(
        reversed(re.findall(r"```(\w+)\n(.*?)\n```", text, re.S))
    )  # the first of each: the last is an example
    if "unknown Python program" in text:
        given, out = ast.literal_eval(blocks["input"]), ast.literal_eval(blocks["output"])
        body = "a" if not isinstance(given, int) or isinstance(given, bool) else f"a + {out - given}"
        return f"```python\ndef f(a):\n    return {body}\n```"
    added = re.search(r"return a \+ (\d+)", blocks["python"])
    plus = int(added[1]) if added else 0
    if "an output" in text:
        return f"```input\n{int(blocks['output']) - plus}\n```"
    return f"```output\n{int(blocks['input']) + plus}\n```"


def _wrong(text: str) -> str:
    return "```input\nNone\n```" if "an output" in text else "```output\nNone\n```"
