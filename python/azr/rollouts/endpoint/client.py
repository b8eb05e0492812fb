"""Chat completions over HTTP, in the form of OpenAI's interface, which vLLM, SGLang, llama.cpp and others serve.

What a server says is untrusted: a body has a size limit. What may pass by itself is tried again: a lost connection, a
busy server. What concerns one request (an answer that is no chat completion, a prompt that is refused) costs that
request, unless it is so many times in a row. Everything else (a wrong key, an unknown model) ends the run at once, with
the server's own words.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from azr.errors import EngineError
from azr.util.sanitize import one_line

PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses that may be different the next time."""
REFUSED: Final = frozenset({401, 403})
OF_ONE_REQUEST: Final = frozenset({400, 413, 422})
"""Statuses that another request may not get: its prompt is too long, or a filter stops it."""
MOST_LOST: Final = 8
"""So many requests in a row without a completion end the run."""
MAX_BODY: Final = 32 << 20
"""Bytes of an answer."""
LONGEST_PAUSE: Final = 60.0
CONNECT_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 30.0
"""For the list of models, which needs no work of the server."""
KEY: Final = "OPENAI_API_KEY"

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the model is, and how to ask it."""

    url: str
    """With the version's path, or without: then `/v1` is meant."""
    model: str
    key: str = field(default="", repr=False)
    """Sent as a bearer token if not empty."""
    key_name: str = KEY
    """Environment variable that the key is from, for messages."""
    concurrency: int = 32
    """Requests in flight."""
    timeout: float = 600.0
    """Seconds without a byte of the answer."""
    retries: int = 6
    """Of one request, before the run ends."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of each request; a field that is None is left out."""

    @property
    def base(self) -> str:
        """The URL that the interface's paths follow."""
        url = self.url.rstrip("/").removesuffix("/chat/completions")
        scheme, there, rest = url.partition("://")
        if not there or scheme not in ("http", "https") or not rest.partition("/")[0]:
            raise EngineError(f"{self.url!r} is no URL of an endpoint, such as http://127.0.0.1:8000/v1")
        return url if "/" in rest else f"{url}/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One completion."""

    text: str
    finished: bool
    """False: cut at the token limit."""
    tokens: int
    """As the server counted them; 0 if it did not."""
    error: str = ""
    """Why there is no completion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model as the server lists it."""

    model: str
    positions: int
    """Tokens of prompt and completion together; 0: the server does not say."""


class _Again(Exception):
    """It did not work now, and may work later."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after
        """Seconds that the server asks for."""


class _Lost(Exception):
    """This request has no completion; another may have one."""


class Client:
    """Asks one endpoint. Use it in one event loop, as an asynchronous context manager."""

    def __init__(self, endpoint: Endpoint, pause: Pause = asyncio.sleep) -> None:
        """`pause` waits between tries.

        Raises:
            EngineError: httpx is not installed, or the URL is none.
        """
        try:
            import httpx
        except ImportError as error:
            raise EngineError("asking an endpoint needs httpx: pip install 'azr[endpoint]'") from error
        self._httpx = httpx
        self._endpoint, self._pause = endpoint, pause
        self._http: httpx.AsyncClient | None = None
        self.retried = 0
        """Tries that failed and were repeated."""
        self._lost = 0
        """Requests without a completion since the last that had one."""

    async def __aenter__(self) -> Self:
        given, httpx = self._endpoint, self._httpx
        headers = {"Authorization": f"Bearer {given.key}"} if given.key else {}
        try:
            self._http = httpx.AsyncClient(
                base_url=given.base, headers=headers,
                limits=httpx.Limits(max_connections=given.concurrency, max_keepalive_connections=given.concurrency),
            )  # fmt: skip
        except httpx.InvalidURL as error:
            raise EngineError(f"{given.url!r} is no URL of an endpoint: {error}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def look(self) -> Served:
        """The model among those that the server lists; the only one if the endpoint names none.

        A server without such a list is taken at its word.

        Raises:
            EngineError: nobody answers there, the key is refused, or the model is not among them.
        """
        given = self._endpoint
        try:
            status, found = await self._once("GET", "/models", None, min(LOOK_SECONDS, given.timeout))
        except (_Again, _Lost) as error:
            raise EngineError(
                f"no answer from {given.base}: {error}. Does the server run, and is the URL right?"
            ) from error
        if status in REFUSED:
            raise EngineError(self._refusal(status, found))
        rows = found.get("data") if status == 200 and isinstance(found, dict) else None
        models = {row["id"]: row for row in rows if _is_model(row)} if isinstance(rows, list) else {}
        if not models and given.model:
            return Served(model=given.model, positions=0)
        names = ", ".join(one_line(name, 80) for name in list(models)[:8]) or "none"
        if not given.model:
            if not models:
                raise EngineError(
                    f"{given.base} lists no model (status {status}): is it an OpenAI-compatible endpoint? If so, name"
                    " the model by --model"
                )
            if len(models) != 1:
                raise EngineError(f"name one of the models at {given.base} by --model: {names}")
            (given_model,) = models
        elif given.model not in models:
            raise EngineError(f"{given.base} has no model {given.model!r}; it has: {names}")
        else:
            given_model = given.model
        length = models[given_model].get("max_model_len")
        return Served(model=given_model, positions=length if type(length) is int and length > 0 else 0)

    async def complete(self, text: str, body: Mapping[str, Any]) -> Reply:
        """The model's answer to one user message; or none, which has an error.

        Raises:
            EngineError: the server refuses all requests, or failed more often than `Endpoint.retries` on this one.
        """
        try:
            reply = await self._complete(text, body)
        except _Lost as error:
            self._lost += 1
            if self._lost >= MOST_LOST:
                raise EngineError(str(error)) from error
            return Reply(text="", finished=True, tokens=0, error=str(error))
        self._lost = 0
        return reply

    async def _complete(self, text: str, body: Mapping[str, Any]) -> Reply:
        given = self._endpoint
        asked = {"model": given.model, "messages": [{"role": "user", "content": text}], **body, **given.body}
        asked = {name: value for name, value in asked.items() if value is not None}
        tries = 0
        while True:
            try:
                status, found = await self._once("POST", "/chat/completions", asked, given.timeout)
                if status == 200:
                    status = _status_inside(found)
                if status == 200:
                    return read_reply(found, given.base)
                if status in PASSING:
                    raise _Again(f"status {status}: {_words(found)}")
                refusal = self._refusal(status, found)
                raise _Lost(refusal) if status in OF_ONE_REQUEST else EngineError(refusal)
            except _Again as error:
                tries += 1
                if tries > given.retries:
                    raise EngineError(
                        f"{given.base} failed {tries} times on one request; the last time: {error}"
                    ) from error
                self.retried += 1
                await self._pause(error.after or _backoff(tries))

    async def _once(self, method: str, path: str, asked: Mapping[str, Any] | None, seconds: float) -> tuple[int, Any]:
        """Status and body of one request; the body as JSON, or as text where it is none."""
        assert self._http is not None, "inside of its context"
        limit = self._httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        try:
            async with self._http.stream(method, path, json=asked, timeout=limit) as answer:
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > MAX_BODY:
                        raise _Lost(f"{self._endpoint.base} answered with more than {MAX_BODY:,} bytes")
                if answer.status_code in PASSING and (after := _seconds(answer.headers.get("Retry-After"))):
                    raise _Again(f"status {answer.status_code}: {_words(_parsed(bytes(body)))}", after)
                return answer.status_code, _parsed(bytes(body))
        except (self._httpx.TransportError, self._httpx.DecodingError) as error:
            raise _Again(f"{type(error).__name__} {error}".strip()) from error

    def _refusal(self, status: int, found: Any) -> str:
        """Why a request cannot succeed, and what to do."""
        given, words = self._endpoint, _words(found)
        if status in REFUSED:
            hint = (
                f"the key of {given.key_name} is not valid there" if given.key else f"put a key into {given.key_name}"
            )
            return f"{given.base} refused access (status {status}: {words}): {hint}"
        if status == 404:
            return f"{given.base} knows no chat completions, or no model {given.model!r} (status 404: {words})"
        return f"{given.base} refused a request (status {status}: {words})"


def read_reply(found: Any, where: str) -> Reply:
    """The completion in a server's answer.

    Raises:
        _Lost: it is no chat completion.
    """
    try:
        choice = found["choices"][0]
        content, end = choice["message"].get("content"), choice.get("finish_reason")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise _Lost(f"{where} does not answer with chat completions: {one_line(str(found))}") from error
    usage = found.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return Reply(
        text=content if isinstance(content, str) else "", finished=end != "length",
        tokens=tokens if type(tokens) is int and 0 < tokens < MAX_BODY else 0,
    )  # fmt: skip


def _status_inside(found: Any) -> int:
    """Some routers answer with status 200, and an error with the true one."""
    error = found.get("error") if isinstance(found, dict) and not found.get("choices") else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 400 <= code < 600 else 200


def _is_model(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _words(found: Any) -> str:
    """What an error's body says, on one line."""
    error = found.get("error", found) if isinstance(found, dict) else found
    message = error.get("message", error) if isinstance(error, dict) else error
    return one_line(str(message)) or "without a word"


def _seconds(text: str | None) -> float:
    """`Retry-After` in seconds; 0 where it is absent or a date."""
    try:
        return min(max(float(text or 0.0), 0.0), LONGEST_PAUSE)
    except ValueError:
        return 0.0


def _backoff(tries: int) -> float:
    """Twice as long each time, and not the same for all who wait."""
    return min(0.5 * 2.0 ** (tries - 1), LONGEST_PAUSE) * random.uniform(0.5, 1.0)
