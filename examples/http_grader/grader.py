"""An HTTP grader: azr's sandbox and task buffer as a service, for teams that already have a trainer.

    POST /grade   {"items": [{"task", "completion"}]} -> {"answers": [{"score", "reason"}]}, or 429 and Retry-After;
                  an item without a verdict has the score null and an "error", and takes no other's away
    POST /tasks   {"items": [{"kind", "program", "inputs", "message"}]} -> {"verdicts": [{"id"} or ...]}
    GET  /tasks   ?kind=&count=&seed= -> {"rows": [{"prompt", "task"}]}
    GET  /health  200, or 503 while stopping

Items wait in one bounded queue and are graded in batches that mix requests, so that the sandbox's threads stay busy
whatever the size of a request. A request that does not fit is refused at once: 429, with how long to wait. A request
that was taken is answered, also when the server is told to stop. A body longer than `--max-body` is refused while it is
read (413).
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from azr.buffer.client import Duplicate, Inserted, TaskBuffer
from azr.errors import GradingError, SandboxError
from azr.grading import NOT_A_TASK, Grader
from azr.tasks.io import verify
from azr.types import Answer, Draft, Kind, Task
from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

Item = tuple[Task, str]


class GradeItem(BaseModel):
    """An answer: the task's text (`Grader.row`), and what the model wrote."""

    task: str
    completion: str


class GradeRequest(BaseModel):
    items: Annotated[list[GradeItem], Field(min_length=1, max_length=1024)]


class NewTask(BaseModel):
    """A proposal: it becomes a task if the sandbox finds that it is one."""

    kind: str
    program: str
    inputs: Annotated[list[str], Field(min_length=1, max_length=64)]
    message: str = ""


class TasksRequest(BaseModel):
    items: Annotated[list[NewTask], Field(min_length=1, max_length=1024)]


MAX_BODY = 32 << 20
"""Bytes of a request's body. Whoever sends completions of many thousand tokens, a thousand at a time, may need more."""


class Full(Exception):
    """The queue has no room."""


@dataclass
class Batches:
    """A bounded queue of items in front of a grader. Made and used inside the event loop.

    `capacity`: items that may wait. `largest`: of one batch. `workers`: batches at a time; two, so that one is prepared
    while the sandbox runs the other.
    """

    grader: Grader
    capacity: int = 4096
    largest: int = 256
    workers: int = 2
    _waiting: deque[tuple[Sequence[Item], "asyncio.Future[list[Answer]]"]] = field(default_factory=deque)
    _queued: int = 0
    _rate: float = 500.0
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _open: bool = True

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self.workers)]

    async def grade(self, items: Sequence[Item]) -> list[Answer]:
        """The verdicts on a request's items, in order.

        Raises:
            Full: there is no room; nothing of it was taken.
        """
        if self._queued + len(items) > self.capacity and self._queued:
            raise Full
        done: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, done))
        self._queued += len(items)
        self._more.set()
        return await done

    def wait_seconds(self) -> int:
        """How long until what waits now is done, about."""
        return max(1, math.ceil(self._queued / self._rate))

    async def stop(self) -> None:
        """Finish everything that was taken, then end."""
        self._open = False
        self._more.set()
        await asyncio.gather(*self._tasks)

    async def _work(self) -> None:
        while self._waiting or self._open:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
                continue
            await self._run(self._take())

    def _take(self) -> list[tuple[Sequence[Item], "asyncio.Future[list[Answer]]"]]:
        """The requests that come next, up to a batch; a request stays whole."""
        taken = [self._waiting.popleft()]
        size = len(taken[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= self.largest:
            taken.append(self._waiting.popleft())
            size += len(taken[-1][0])
        return taken

    async def _run(self, taken: list[tuple[Sequence[Item], "asyncio.Future[list[Answer]]"]]) -> None:
        items = [item for request, _ in taken for item in request]
        begin = time.monotonic()
        try:
            answers = iter(await asyncio.to_thread(self.grader.check, items))
        except Exception as error:
            for _, done in taken:
                if not done.cancelled():
                    done.set_exception(error)
            return
        finally:
            self._queued -= len(items)
        spent = max(time.monotonic() - begin, 1e-6)
        self._rate += 0.2 * (self.workers * len(items) / spent - self._rate)
        for request, done in taken:
            mine = [next(answers) for _ in request]
            if not done.cancelled():
                done.set_result(mine)


class Door:
    """Notes when requests come and go; while the server stops, tells every client to come back by a new connection.

    Grading is answered here: with one item a request, the framework's routing, conversions and responses cost several
    times what reading the request does, and more than a tenth of what checking the answer does.
    """

    def __init__(self, app: Any, state: Any) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def last_words(message: Any) -> None:
            if message["type"] == "http.response.start" and self._state.draining:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        self._state.seen = time.monotonic()
        try:
            if scope["method"] == "POST":
                await self._post(scope, receive, last_words)
            else:
                await self._app(scope, receive, last_words)
        finally:
            self._state.seen = time.monotonic()

    async def _post(self, scope: Any, receive: Any, send: Any) -> None:
        """A request with a body, which is read here: no longer than it may be, whatever its head says."""
        body = bytearray()
        said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        more = True
        while more and len(body) <= self._state.max_body:
            if said.isdigit() and int(said[:20]) > self._state.max_body:
                break
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if more or len(body) > self._state.max_body:
            large = _detail(f"a body has at most {self._state.max_body} bytes")
            await self._respond(send, 413, {"content-type": "application/json", "connection": "close"}, large)
        elif scope["path"] == "/grade":
            await self._respond(send, *await verdicts(self._state.batches, bytes(body)))
        else:
            await self._app(scope, _replayed(bytes(body), receive), send)

    async def _respond(self, send: Any, status: int, headers: dict[str, str], content: bytes) -> None:
        length = (b"content-length", str(len(content)).encode())
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": [length, *sent]})
        await send({"type": "http.response.body", "body": content})


def _replayed(body: bytes, receive: Any) -> Any:
    """A channel that gives the body, and then what comes."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    return again


async def verdicts(batches: Batches, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request for grading: status, headers, JSON."""
    headers = {"content-type": "application/json"}
    try:
        given = GradeRequest.model_validate_json(body)
        read = [_read(batches.grader, item.task) for item in given.items]
        if isinstance(read[0], GradingError) and not any(isinstance(task, Task) for task in read):
            raise read[0]
        pairs = zip(read, given.items, strict=True)
        asked = [(task, item.completion) for task, item in pairs if isinstance(task, Task)]
        graded = iter(await batches.grade(asked))
        answers = [next(graded) if isinstance(task, Task) else _refused(task) for task in read]
        if all(answer.failed for answer in answers):
            raise SandboxError(answers[0].error)
    except Full:
        return 429, headers | {"retry-after": str(batches.wait_seconds())}, _detail("the queue is full")
    except (GradingError, ValidationError) as error:
        return 422, headers, _detail(str(error)[:MAX_DETAIL])
    except SandboxError as error:
        return 503, headers | {"retry-after": "1"}, _detail(str(error)[:MAX_DETAIL])
    found = {"answers": [_row(answer) for answer in answers]}
    return 200, headers, json.dumps(found, separators=(",", ":")).encode()


MAX_DETAIL = 2000


def _read(grader: Grader, text: str) -> Task | GradingError:
    try:
        return grader.read(text)
    except GradingError as error:
        return error


def _refused(error: GradingError) -> Answer:
    return Answer(score=0.0, reason=NOT_A_TASK, error=str(error))


def _row(answer: Answer) -> dict[str, Any]:
    """An item of the response; without a verdict there is no score that a trainer could take for one."""
    if answer.failed:
        return {"score": None, "reason": answer.reason, "error": answer.error[:MAX_DETAIL]}
    return {"score": answer.score, "reason": answer.reason}


def _detail(text: str) -> bytes:
    return json.dumps({"detail": text}).encode()


routes = APIRouter()


@routes.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """503 while stopping, so that a balancer sends nothing more."""
    state = request.app.state
    if state.draining:
        raise HTTPException(503, "stopping")
    return {"kinds": sorted(state.grader.kinds), "threads": state.grader.sandbox.threads}


GRADE_BODY = {"requestBody": {"content": {"application/json": {"schema": GradeRequest.model_json_schema()}}}}


@routes.post("/grade", openapi_extra=GRADE_BODY)
async def grade(request: Request) -> Response:
    """Scores, in order. `Door` answers it in the same way; this is for the documentation, and under another path."""
    status, headers, content = await verdicts(request.app.state.batches, await request.body())
    return Response(content, status, headers)


@routes.post("/tasks")
def propose(body: TasksRequest, request: Request) -> dict[str, Any]:
    """Run proposals; what is a task and new enters the buffer."""
    grader, buffer = request.app.state.grader, request.app.state.buffer
    unknown = [item.kind for item in body.items if item.kind not in set(Kind)]
    if unknown:
        raise HTTPException(422, f"no kind of plain Python: {', '.join(unknown)[:MAX_DETAIL]!a}")
    drafts = [
        (Kind(item.kind), Draft(program=item.program, inputs=tuple(item.inputs), message=item.message))
        for item in body.items
    ]
    made = verify(drafts, grader.kinds, grader.sandbox)
    stored = iter(buffer.insert_many([task for task in made if isinstance(task, Task)]))
    return {"verdicts": [_verdict(next(stored)) if isinstance(m, Task) else {"rejected": str(m)} for m in made]}


@routes.get("/tasks")
def draw(
    request: Request,
    kind: str,
    count: Annotated[int, Query(ge=1, le=1024)] = 1,
    seed: Annotated[int, Query(ge=0, lt=2**64)] = 0,
) -> dict[str, Any]:
    """Rows of stored tasks, the same for a seed."""
    grader, buffer = request.app.state.grader, request.app.state.buffer
    if kind not in set(Kind):
        raise HTTPException(422, f"no kind of plain Python: {kind[:MAX_DETAIL]!a}")
    return {"rows": [grader.row(task) for task in buffer.get(buffer.uniform([Kind(kind)], count, seed))]}


def make_app(grader: Grader, buffer: Path | None = None, capacity: int = 4096, max_body: int = MAX_BODY) -> FastAPI:
    """The service. `buffer`: folder of the task buffer; in memory if None."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        state = app.state
        state.batches = Batches(grader, capacity)
        state.batches.start()
        state.buffer = TaskBuffer.open(buffer) if buffer else TaskBuffer.in_memory()
        yield
        await state.batches.stop()
        if buffer:
            state.buffer.commit()
            state.buffer.close()

    app = FastAPI(title="azr grader", lifespan=life)
    app.state.grader, app.state.draining, app.state.seen, app.state.max_body = grader, False, 0.0, max_body
    app.include_router(routes)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Door, state=app.state)
    return app


async def _invalid(request: Request, error: Exception) -> Response:
    """The framework's own answer repeats what was sent, which need not be text that can be."""
    return Response(_detail(str(error)[:MAX_DETAIL]), 422, {"content-type": "application/json"})


def _verdict(found: object) -> dict[str, Any]:
    if isinstance(found, Inserted):
        return {"id": found.id}
    if isinstance(found, Duplicate):
        return {"duplicate_of": found.of}
    return {"rejected": "no_canonical_form"}
