"""The HTTP grader: the same verdicts as in process, refusals when it is full, and no request lost when it stops."""

import http.client
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from azr.grading import Grader
from azr.tasks.io import verify
from azr.types import Answer, Draft, Kind, Task
from azr.util.registry import load_module
from processes import Started, started

FOLDER = Path(__file__).parents[2] / "examples" / "http_grader"
CLIENTS = 64


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader()


@pytest.fixture(scope="module")
def items(grader: Grader) -> list[dict[str, str]]:
    """Right and wrong answers to a few tasks."""
    program = "def f(a):\n    return [n * a for n in range(5)]"
    inputs = tuple(str(n) for n in range(6))
    drafts = [
        (Kind.DEDUCTION, Draft(program=program, inputs=("3",))),
        (Kind.INDUCTION, Draft(program=program, inputs=inputs, message="m")),
    ]
    made = [grader.row(task) for task in verify(drafts, grader.kinds, grader.sandbox) if isinstance(task, Task)]
    answers = ("```output\n[0, 3, 6, 9, 12]\n```", "```output\n[]\n```", f"```python\n{program}\n```", "nothing")
    return [{"task": row["task"], "completion": f"<answer>\n{text}\n</answer>"} for row in made for text in answers]


def ask(port: int, path: str, body: object = None, method: str = "POST") -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3600)
    text = json.dumps(body) if body is not None else None
    connection.request(method, path, text, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    found = reply.status, dict(reply.getheaders()), json.loads(reply.read())
    connection.close()
    return found


class Gate(Grader):
    """Grades when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.asked = threading.Semaphore(0)

    def check(self, items: Sequence[tuple[Task, str]]) -> list[Answer]:
        self.asked.release()
        assert self.open.wait(3600)
        return super().check(items)


@pytest.fixture
def gated() -> Iterator[tuple[Gate, int]]:
    """A server with room for 8 items, and the gate in front of its grader."""
    gate = Gate()
    app = load_module(str(FOLDER / "grader.py")).make_app(gate, capacity=8)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield gate, server.servers[0].sockets[0].getsockname()[1]
    gate.open.set()
    server.should_exit = True
    thread.join()


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Started, int]]:
    """The server as a process of its own, and its port."""
    command = [sys.executable, FOLDER / "serve.py", "--port", "0", "--buffer", folder / "buffer"]
    with started(command) as server:
        yield server, int(server.says("listening on ").rsplit(" ", 1)[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that all tests use, but for the one that ends it."""
    with serving(tmp_path_factory.mktemp("served")) as (_, port):
        yield port


def test_verdicts_are_those_of_the_library(served: int, grader: Grader, items: list[dict[str, str]]) -> None:
    expected = grader.grade([(item["task"], item["completion"]) for item in items])
    status, _, found = ask(served, "/grade", {"items": items})
    assert status == 200
    assert found["answers"] == [{"score": answer.score, "reason": answer.reason} for answer in expected]
    assert {answer.score for answer in expected} == {0.0, 1.0}


def test_proposals_become_tasks_once_and_can_be_drawn(served: int) -> None:
    task = {"kind": "deduction", "program": "def f(a):\n    return a + 1", "inputs": ["41"]}
    broken = task | {"program": "def f(a):\n    return b"}
    _, _, first = ask(served, "/tasks", {"items": [task, broken, task]})
    assert first["verdicts"] == [{"id": 0}, {"rejected": "raised"}, {"duplicate_of": 0}]
    status, _, drawn = ask(served, "/tasks?kind=deduction&count=1&seed=3", method="GET")
    assert status == 200 and "def f(a)" in drawn["rows"][0]["prompt"][0]["content"]
    right = {"task": drawn["rows"][0]["task"], "completion": "<answer>\n```output\n42\n```\n</answer>"}
    assert ask(served, "/grade", {"items": [right]})[2] == {"answers": [{"score": 1.0, "reason": "correct"}]}


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": [{"task": "{}", "completion": ""}]}, {"items": [{"task": "no"}]}]
)
def test_what_is_no_request_is_refused_in_words(gated: tuple[Gate, int], body: object) -> None:
    status, _, said = ask(gated[1], "/grade", body)
    assert status == 422 and said["detail"]


def test_a_full_queue_refuses_with_429_and_loses_nothing_that_it_took(
    gated: tuple[Gate, int], items: list[dict[str, str]]
) -> None:
    gate, port = gated
    found: list[tuple[int, dict[str, str], Any]] = []

    def send() -> None:
        found.append(ask(port, "/grade", {"items": items[:4]}))

    taken = [threading.Thread(target=send) for _ in range(2)]
    for thread in taken:
        thread.start()
        gate.asked.acquire()  # a worker holds it; its items count until they are done
    status, headers, _ = ask(port, "/grade", {"items": items[:4]})
    assert status == 429 and int(headers["retry-after"]) >= 1
    gate.open.set()
    for thread in taken:
        thread.join()
    assert [status for status, _, _ in found] == [200, 200]
    assert ask(port, "/grade", {"items": items[:4]})[0] == 200


def test_a_request_larger_than_the_queue_is_served_when_nothing_waits(
    gated: tuple[Gate, int], items: list[dict[str, str]]
) -> None:
    gate, port = gated
    gate.open.set()
    assert ask(port, "/grade", {"items": items * 3})[0] == 200


class Client(threading.Thread):
    """Asks over one connection after another until nobody listens; counts what it sent and what was answered."""

    def __init__(self, port: int, body: bytes, answered: threading.Semaphore) -> None:
        super().__init__()
        self._port, self._body, self._answered = port, body, answered
        self.sent = self.got = 0
        self.accepted = threading.Event()
        """Whether the server has taken its connection: what it has not taken it cannot answer."""
        self.statuses: set[int] = set()

    def run(self) -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=3600)
            try:
                connection.connect()
            except OSError:
                return
            while connection.sock is not None:
                self.sent += 1
                connection.request("POST", "/grade", self._body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
                self.statuses.add(reply.status)
                self.got += 1
                self.accepted.set()
                self._answered.release()
                if reply.getheader("Connection") == "close":
                    connection.close()


def test_no_request_is_lost_when_it_is_terminated_under_load(tmp_path: Path, items: list[dict[str, str]]) -> None:
    with serving(tmp_path) as (server, port):
        _terminate_under_load(server, port, items)


def _terminate_under_load(server: Started, port: int, items: list[dict[str, str]]) -> None:
    answered = threading.Semaphore(0)
    body = json.dumps({"items": items}).encode()
    clients = [Client(port, body, answered) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.accepted.wait()
    for _ in range(3 * CLIENTS):
        answered.acquire()
    os.kill(server.pid, signal.SIGTERM)
    for client in clients:
        client.join()
    server.ends()
    assert sum(client.got for client in clients) >= 3 * CLIENTS
    assert [(client.sent, client.got) for client in clients if client.sent != client.got] == []
    assert set().union(*(client.statuses for client in clients)) == {200}
