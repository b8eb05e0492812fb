"""`azr propose` against a local server with OpenAI's interface: the whole way, and every way that it can fail."""

import fcntl
import io
import json
import socket
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from azr.cli import azr
from azr.cli.propose import Lines
from azr.collection.gather import Round
from azr.collection.task_file import TaskFile, read_rows
from azr.errors import AzrError, RunError
from azr.rollouts.endpoint import client
from azr.sandbox import Sandbox
from azr.tasks import KindOptions, make_kinds
from azr.tasks.io import read_tasks
from click.testing import CliRunner, Result
from endpoint import MODEL, Stub, scripted, serving
from starlette.responses import JSONResponse, PlainTextResponse, Response

pytest.importorskip("httpx", reason="`azr propose` needs httpx: the extra azr[endpoint]")


def call(stub: Stub | str, out: Path, *more: str) -> Result:
    url = stub if isinstance(stub, str) else stub.url
    given = ["propose", "--endpoint", url, "--out", str(out), "--batch", "3", "--attempts", "4", "--retries", "1"]
    return CliRunner().invoke(azr, [*given, *more])


def failure(stub: Stub | str, out: Path, *more: str) -> str:
    """The text of the error that the command ends with."""
    done = call(stub, out, *more)
    assert isinstance(done.exception, AzrError), done.output
    return str(done.exception)


def test_a_model_behind_an_endpoint_makes_verified_tasks(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"
    with serving(scripted) as stub:
        done = call(stub, out, "--tasks", "20", "--concurrency", "5")
    assert done.exit_code == 0, done.output
    rows = read_rows(out)
    assert len(rows) == 20 and {row.kind for row in rows} == {"abduction", "deduction", "induction"}
    assert all(row.attempts == 4 and 0 <= row.solve_rate <= 1 and row.model == MODEL for row in rows)
    assert 0 < sum(row.solve_rate for row in rows) / len(rows) < 1
    # Each is a task indeed: the file is read by running every program.
    tasks = read_tasks(out, make_kinds(KindOptions()), Sandbox())
    assert [[value.repr for value in task.outputs] for task in tasks] == [row.outputs for row in rows]
    assert len({(row.kind, row.program, *row.inputs) for row in rows}) == len(rows)
    assert 1 < stub.most <= 5
    assert f"{len(rows)}/20 tasks  valid " in done.stderr and "completions/s" in done.stderr
    body = stub.bodies[0]
    assert body["model"] == MODEL and 0 <= body["seed"] < 2**31 and body["max_tokens"] == 8096


def test_it_goes_on_with_what_the_file_has(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"
    with serving(scripted) as stub:
        call(stub, out, "--tasks", "5")
        before = out.read_bytes()
        asked = len(stub.keys)
        done = call(stub, out, "--tasks", "5")
        # Where nothing is missing nobody is asked, not even for the model's name.
        assert done.exit_code == 0 and "are in" in done.stderr and len(stub.keys) == asked
        out.write_bytes(before + b'{"kind": "deduc')  # as a crash leaves it
        done = call(stub, out, "--tasks", "30")
    assert done.exit_code == 0 and out.read_bytes().startswith(before)
    rows = read_rows(out)
    assert len(rows) == 30 and len({(row.kind, row.program, *row.inputs) for row in rows}) == len(rows)
    steps = [row.step for row in rows]
    assert steps == sorted(steps) and steps[-1] > steps[0]


@pytest.mark.parametrize("wanted", [1, 3, 10])
def test_it_writes_as_many_tasks_as_are_asked_for_of_every_kind_alike(tmp_path: Path, wanted: int) -> None:
    out = tmp_path / "tasks.jsonl"
    with serving(scripted) as stub:
        done = call(stub, out, "--tasks", str(wanted))
    assert done.exit_code == 0, done.output
    rows = read_rows(out)
    assert len(rows) == wanted and f"{wanted}/{wanted} tasks" in done.stderr
    counts = Counter(row.kind for row in rows)
    assert len(counts) == min(wanted, 3) and max(counts.values()) - min(counts.values()) <= 1


def test_later_proposals_are_shown_earlier_tasks(tmp_path: Path) -> None:
    with serving(scripted) as stub:
        call(stub, tmp_path / "tasks.jsonl", "--tasks", "12")
    shown = [body["messages"][0]["content"] for body in stub.bodies if "Write a new" in str(body["messages"])]
    assert "return a + " not in shown[0] and "return a + " in shown[-1]


def test_passing_failures_are_tried_again(tmp_path: Path) -> None:
    def refuse(body: dict[str, Any], number: int) -> Response | None:
        return JSONResponse({"error": {"message": "busy"}}, 429, {"Retry-After": "0.001"}) if number % 4 == 0 else None

    with serving(scripted, refuse) as stub:
        done = call(stub, tmp_path / "tasks.jsonl", "--tasks", "5", "--retries", "20")
    assert done.exit_code == 0, done.output


def test_a_server_that_stays_busy_ends_it_with_its_words(tmp_path: Path) -> None:
    def refuse(body: dict[str, Any], number: int) -> Response:
        return JSONResponse({"error": {"message": "out of cards"}}, 503, {"Retry-After": "0.001"})

    with serving(scripted, refuse) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl")
    assert "failed 2 times on one request; the last time: status 503: out of cards" in said


def test_no_server(tmp_path: Path) -> None:
    with serving(scripted) as stub:
        pass
    said = failure(stub, tmp_path / "tasks.jsonl")
    assert f"no answer from {stub.url}" in said and "Does the server run" in said and "\n" not in said


def test_without_a_task_there_is_no_file(tmp_path: Path) -> None:
    """One that was there before stays, and so do tasks."""
    out, mine = tmp_path / "new" / "tasks.jsonl", tmp_path / "mine.jsonl"
    mine.touch()
    with serving(scripted, lambda *_: JSONResponse({"message": "no"}, 403)) as stub:
        failure(stub, out)  # listed, and refused later
    failure(stub, out)  # dead
    failure(stub, mine)
    assert mine.exists() and not out.exists()
    with serving(scripted) as stub:
        call(stub, out, "--tasks", "2")
    before = out.read_bytes()
    failure(stub, out, "--tasks", "5")
    assert before and out.read_bytes() == before


def test_a_file_that_is_removed_while_another_opens_it_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its opening and its lock: what is written there would be lost."""
    path, lock = tmp_path / "tasks.jsonl", fcntl.flock
    first = TaskFile(path)

    def late(file: Any, how: int) -> None:
        first.close()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(RunError, match="is being written by another process"):
        TaskFile(path)


def test_an_error_says_what_is_kept_and_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"

    def refuse(body: dict[str, Any], number: int) -> Response | None:
        return JSONResponse({"message": "the quota is used up"}, 402) if number > 60 else None

    with serving(scripted, refuse) as stub:
        done = call(stub, out, "--tasks", "500")
    assert isinstance(done.exception, AzrError) and "the quota is used up" in str(done.exception)
    count = len(read_rows(out))
    assert count and f"{count} tasks are in {out}; the same command goes on" in done.stderr


def answers_right(text: str, seed: int) -> str:
    """A model that proposes sums, and answers every task right."""
    return scripted(text, seed - seed % 3 + 1)


NO_COMPLETIONS: list[Response] = [
    PlainTextResponse("<html>"), JSONResponse({"choices": []}), JSONResponse({"choices": [{"message": 3}]}),
    JSONResponse({"error": {"message": "upstream", "code": "x"}}), JSONResponse({"message": "content filter"}, 400),
    JSONResponse({"message": "prompt is too long"}, 422), JSONResponse([]), PlainTextResponse("[" * 100_000),
]  # fmt: skip


@pytest.mark.parametrize("body", NO_COMPLETIONS)
def test_a_bad_reply_costs_its_row_alone(tmp_path: Path, body: Response) -> None:
    """Of a task that is attempted it takes one attempt from the solve rate."""
    out = tmp_path / "tasks.jsonl"
    with serving(answers_right, lambda _, number: body if number % 5 == 0 else None) as stub:
        done = call(stub, out, "--tasks", "12", "--concurrency", "1")
    assert done.exit_code == 0, done.output
    rows = read_rows(out)
    assert len(rows) == 12 and {row.attempts for row in rows} == {3, 4}
    assert {row.solve_rate for row in rows} == {1.0}


def test_a_busy_server_that_says_so_with_status_200_is_asked_again(tmp_path: Path) -> None:
    def refuse(body: dict[str, Any], number: int) -> Response | None:
        return JSONResponse({"error": {"message": "busy", "code": 503}}) if number == 2 else None

    out = tmp_path / "tasks.jsonl"
    with serving(answers_right, refuse) as stub:
        done = call(stub, out, "--tasks", "3")
    assert done.exit_code == 0 and {row.attempts for row in read_rows(out)} == {4}
    assert sum(body == stub.bodies[1] for body in stub.bodies) == 2


def test_a_few_requests_that_are_all_refused_end_it_with_the_servers_words(tmp_path: Path) -> None:
    """Fewer in a round than are borne in a row."""
    body = JSONResponse({"message": "max_tokens is too large"}, 400)
    with serving(scripted, lambda *_: body) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl", "--batch", "1", "--set", 'tasks.kinds=["deduction"]')
    assert "brought no new task" in said and "status 400: max_tokens is too large" in said


@pytest.mark.parametrize("count", [10**400, -1, True, "x"])
def test_a_count_of_tokens_that_is_none_is_not_believed(tmp_path: Path, count: object) -> None:
    choice = {"message": {"content": scripted("Write a new Python program", 1)}, "finish_reason": "stop"}
    text = json.dumps({"choices": [choice], "usage": {"completion_tokens": count}})
    with serving(scripted, lambda _, number: PlainTextResponse(text) if number == 1 else None) as stub:
        done = call(stub, tmp_path / "tasks.jsonl", "--tasks", "1")
    assert done.exit_code == 0, done.output


def test_what_takes_connections_and_says_nothing_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOK_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = failure(f"http://127.0.0.1:{silent.getsockname()[1]}/v1", tmp_path / "tasks.jsonl")
    assert "ReadTimeout" in said and "Does the server run" in said


@pytest.mark.parametrize(
    "body", ["<html>", "[]", '{"data": 3}', '{"data": [{"id": 3}]}', '{"data": []}', "[" * 100_000, '{"data": [[]]}']
)
def test_what_lists_no_model_is_asked_for_nothing(tmp_path: Path, body: str) -> None:
    with serving(scripted, listed=lambda: PlainTextResponse(body)) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl")
    assert "lists no model (status 200)" in said and "--model" in said and stub.bodies == []


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host/v1", "http://", "http:///v1", "http://[::1"])
def test_what_is_no_url(tmp_path: Path, url: str) -> None:
    assert "is no URL of an endpoint" in failure(url, tmp_path / "tasks.jsonl", "--model", "m")


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with serving(scripted) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl", "--model", "other")
    assert said == f"{stub.url} has no model 'other'; it has: {MODEL}"


def test_one_of_several_models_has_to_be_named(tmp_path: Path) -> None:
    with serving(scripted, models=[{"id": "a"}, {"id": "b"}]) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl")
    assert said == f"name one of the models at {stub.url} by --model: a, b"


def test_a_key_is_sent_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret-1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    out = tmp_path / "tasks.jsonl"
    with serving(scripted, key="secret-1") as stub:
        assert "put a key into OPENAI_API_KEY" in failure(stub, out)
        done = call(stub, out, "--tasks", "1", "--key-env", "MY_KEY")
        assert done.exit_code == 0, done.output
        monkeypatch.setenv("MY_KEY", "secret-2")
        wrong = failure(stub, out, "--tasks", "99", "--key-env", "MY_KEY")
    assert "the key of MY_KEY is not valid there" in wrong
    assert "secret" not in done.output + wrong + out.read_text()


def test_a_refused_request_ends_it_with_the_servers_words(tmp_path: Path) -> None:
    def refuse(body: dict[str, Any], number: int) -> Response:
        return JSONResponse({"message": "max_tokens is too large"}, 400)

    with serving(scripted, refuse) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl")
    assert "refused a request (status 400: max_tokens is too large)" in said


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"choices": []}', '{"choices": [{"message": 3}]}', "<html>", "[" * 100_000]
)
def test_what_is_no_chat_completion_is_an_error(tmp_path: Path, body: str) -> None:
    with serving(scripted, lambda *_: PlainTextResponse(body)) as stub:
        assert "does not answer with chat completions" in failure(stub, tmp_path / "tasks.jsonl")


def test_a_message_without_content_is_an_empty_completion(tmp_path: Path) -> None:
    """As a model gives it that only thinks, or calls a tool."""
    choice = {"message": {"content": None}, "finish_reason": "length"}
    with serving(scripted, lambda *_: JSONResponse({"choices": [choice]})) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl")
    assert "brought no new task" in said and "unparseable" in said and "were cut at their length limit" in said


def test_a_model_that_repeats_itself_ends_it(tmp_path: Path) -> None:
    with serving(lambda text, seed: scripted(text, 1)) as stub:
        said = failure(stub, tmp_path / "tasks.jsonl", "--tasks", "50")
    assert "brought only tasks that were there already" in said


def test_the_servers_context_holds_prompts_and_answers(tmp_path: Path) -> None:
    models = [{"id": MODEL, "max_model_len": 8192}]
    with serving(scripted, models=models) as stub:
        done = call(stub, tmp_path / "tasks.jsonl", "--tasks", "1")
    assert "the model has 8192 positions" in done.stderr
    assert all("max_tokens" not in body for body in stub.bodies)  # the server knows what is left


def test_further_fields_of_requests(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"
    with serving(scripted) as stub:
        call(stub, out, "--tasks", "1", "--body", '{"min_p": 0.1, "seed": null, "max_completion_tokens": 5}')
        assert all(b["min_p"] == 0.1 and "seed" not in b and b["max_completion_tokens"] == 5 for b in stub.bodies)
        assert "not a JSON object" in failure(stub, out, "--body", "[1]")
        assert "is not JSON" in failure(stub, out, "--body", "{")


def test_two_do_not_write_one_file(tmp_path: Path) -> None:
    file = TaskFile(tmp_path / "tasks.jsonl")
    try:
        assert "is being written by another process" in failure("http://127.0.0.1:1/v1", file.path)
    finally:
        file.close()


@pytest.mark.parametrize("line", ["{}", "3", '{"kind": "deduction"}', "\x00"])
def test_a_file_of_something_else_is_not_appended_to(tmp_path: Path, line: str) -> None:
    out = tmp_path / "notes.txt"
    out.write_text(line + "\n")
    assert "line 1: not a task that `azr propose` wrote" in failure("http://127.0.0.1:1/v1", out)
    assert out.read_text() == line + "\n"


ROW = {
    "kind": "deduction", "program": "def f(a):\n    return a", "inputs": ["1"], "outputs": ["1"], "message": "",
    "attempts": 2, "solve_rate": 0.5, "step": 1, "model": "m", "azr": "0.1.0",
}  # fmt: skip


@pytest.mark.parametrize("text", ["my notes, one line", "first\nsecond", '{"name": 1}', json.dumps(ROW) + "\nnotes"])
def test_a_file_that_is_not_its_own_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    out = tmp_path / "notes.txt"
    out.write_text(text)
    assert "not a task that `azr propose` wrote" in failure("http://127.0.0.1:1/v1", out)
    assert out.read_text() == text


@pytest.mark.parametrize("cut", [1, 3, 20, 60])
def test_a_torn_line_is_cut_and_a_whole_one_is_completed(tmp_path: Path, cut: int) -> None:
    path, line = tmp_path / "tasks.jsonl", json.dumps(ROW)
    path.write_text(f"{line}\n{line[:cut]}")
    file = TaskFile(path)
    file.close()
    assert len(file.rows) == 1 and path.read_text() == f"{line}\n"
    path.write_text(f"{line}\n{line}")
    file = TaskFile(path)
    file.close()
    assert len(file.rows) == 2 and path.read_text() == f"{line}\n{line}\n"


@pytest.mark.parametrize(
    "changed",
    [
        {"step": "x"}, {"step": 1e23}, {"model": None}, {"model": "\ud800"}, {"azr": 5}, {"attempts": 1e400},
        {"attempts": -4}, {"attempts": True}, {"program": 5}, {"inputs": "3"}, {"inputs": [3]}, {"solve_rate": 7e9},
        {"solve_rate": float("nan")}, {"solve_rate": None},
    ],
)  # fmt: skip
def test_a_row_with_a_field_of_another_kind_is_named(tmp_path: Path, changed: dict[str, object]) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + json.dumps(ROW | changed) + "\n")
    with pytest.raises(RunError, match="line 2: not a task that `azr propose` wrote"):
        TaskFile(path)


def test_lines_say_how_fast_it_goes_and_how_long_it_takes() -> None:
    now = [100.0]
    out = io.StringIO()
    lines = Lines(out, 100, 20, lambda: now[0])
    for _ in range(30):
        now[0] += 1.0
        lines.answered(50)
    lines.told(Round(tasks=40, new=20, proposals=24, valid=20, solve_rate=0.5, reasons={"raised": 3, "duplicate": 1}))
    assert out.getvalue().splitlines() == [
        "10 completions, 1.0/s",
        "20 completions, 1.0/s",
        "30 completions, 1.0/s",
        "40/100 tasks  valid 20/24 (raised 3, duplicate 1)  solved 50%  1.0 completions/s  50 tokens/s  2 min left",
    ]


def test_nothing_of_the_engine_outlives_the_command(tmp_path: Path) -> None:
    with serving(scripted) as stub:
        call(stub, tmp_path / "tasks.jsonl", "--tasks", "1")
        failure(stub, tmp_path / "other.jsonl", "--model", "other")
        assert not [thread for thread in threading.enumerate() if thread.name == "azr-endpoint"]


def test_rows_are_plain_json(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"
    with serving(scripted) as stub:
        call(stub, out, "--tasks", "1")
    row = json.loads(out.read_text().splitlines()[0])
    assert set(row) == {
        "kind", "program", "inputs", "outputs", "message", "attempts", "solve_rate", "step", "model", "azr",
    }  # fmt: skip
