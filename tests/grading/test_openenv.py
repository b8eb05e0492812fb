"""The environment in OpenEnv's own server, by OpenEnv's own client."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters import needs
from azr.cli import azr
from azr.collection.task_file import Row, TaskFile
from azr.errors import GradingError
from azr.types import Kind, Task
from click.testing import CliRunner

needs("openenv")

import uvicorn  # noqa: E402
from azr.grading.openenv import make_app  # noqa: E402
from openenv.core import GenericEnvClient  # noqa: E402


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, tasks: list[Task]) -> Iterator[str]:
    """A server over the tasks, as `azr export` writes them."""
    folder = tmp_path_factory.mktemp("openenv")
    file = TaskFile(folder / "tasks.jsonl")
    file.append(
        [
            Row(
                kind=task.kind, program=task.program, inputs=list(task.inputs), outputs=[], message=task.message,
                attempts=4, solve_rate=0.5, step=1, model="m", azr="0",
            )
            for task in tasks
        ]
    )  # fmt: skip
    file.close()
    done = CliRunner().invoke(azr, ["export", str(file.path), str(folder / "set")])
    assert done.exit_code == 0, done.output
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(make_app(Path(folder / "set")), log_level="warning", ws="auto"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    with GenericEnvClient(base_url=url).sync() as opened:
        yield opened


def test_an_episode_of_each_kind(client: Any, tasks: list[Task], right: dict[Kind, str]) -> None:
    for index, task in enumerate(tasks):
        begun = client.reset(index=index)
        assert not begun.done and "<answer>" in begun.observation["prompt"]
        assert client.state()["kind"] == task.kind
        done = client.step({"answer": right[task.kind]})
        assert (done.done, done.reward, done.observation["ended"]) == (True, 1.0, "correct")
        client.reset(index=index)
        wrong = client.step({"answer": "nothing"})
        assert (wrong.done, wrong.reward, wrong.observation["ended"]) == (True, 0.0, "no_answer")


def test_programs_run_in_the_sandbox_before_the_answer(client: Any) -> None:
    client.reset(seed=3)
    ran = client.step({"program": "def f(a):\n    print('seen')\n    return a * 6", "call": "7"})
    assert (ran.done, ran.reward) == (False, 0.0)
    assert (ran.observation["ended"], ran.observation["value"], ran.observation["output"]) == (
        "returned",
        "42",
        "seen\n",
    )
    bad = client.step({"program": "def f(a):\n    return 1 / 0", "call": "7"})
    assert bad.observation["ended"] == "raised" and "ZeroDivisionError" in bad.observation["error"]
    endless = client.step({"program": "def f(a):\n    while True: pass", "call": "7"})
    assert endless.observation["ended"] == "out_of_fuel"


def test_a_seed_draws_the_same_task_again(client: Any) -> None:
    drawn = [client.reset(seed=seed).observation["prompt"] for seed in (1, 2, 3, 4, 5, 6, 1)]
    assert drawn[0] == drawn[-1] and len(set(drawn)) > 1


def test_sessions_do_not_share_episodes(url: str, tasks: list[Task], right: dict[Kind, str]) -> None:
    with GenericEnvClient(base_url=url).sync() as first, GenericEnvClient(base_url=url).sync() as second:
        first.reset(index=0)
        second.reset(index=1)
        assert first.step({"answer": right[tasks[0].kind]}).reward == 1.0
        assert second.step({"answer": right[tasks[1].kind]}).reward == 1.0


def test_an_answer_ends_the_episode(client: Any) -> None:
    client.reset(index=0)
    client.step({"answer": "x"})
    with pytest.raises(Exception, match="begin with reset"):
        client.step({"answer": "x"})


def test_a_task_that_is_not_there_is_an_error(client: Any) -> None:
    with pytest.raises(Exception, match="there is no task 99: there are 4"):
        client.reset(index=99)


def test_a_server_without_a_data_set_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZR_DATA", raising=False)
    config = uvicorn.Config("azr.grading.openenv:app")
    with pytest.raises(GradingError, match="AZR_DATA names no data set"):
        config.load()
