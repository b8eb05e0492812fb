"""Files, requests and values that are larger or deeper than they say: refused before they are unpacked or shown."""

import json
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
import zstandard
from azr.config import load_config
from azr.config.domain_files import read as read_domain
from azr.errors import ConfigError, DomainError, RunError, TraceError
from azr.grading import Grader
from azr.oversight import traces
from azr.oversight.traces import MAX_BLOCK, TraceReader, TraceWriter
from azr.report.folder import Folder
from azr.report.stored import domain_names
from azr.sandbox import Value
from azr.util.registry import load_module
from azr.util.sanitize import LIMIT, visible
from azr.watch.server import KEY

GRADER = Path(__file__).parents[2] / "examples" / "http_grader" / "grader.py"
BLANKS = 64 << 20


def block(frame: bytes, raw_length: int, rows: int = 1) -> bytes:
    header = struct.pack("<II4sIIIIII", 0x184D2A5A, 28, b"azT1", len(frame), raw_length, rows, 1, 1, zlib.crc32(frame))
    return header + frame


def trace(path: Path, text: bytes, raw_length: int | None = None, size: bool = True) -> TraceReader:
    frame = zstandard.ZstdCompressor(write_content_size=size).compress(text)
    path.write_bytes(block(frame, len(text) if raw_length is None else raw_length))
    return TraceReader(path)


def test_a_frame_that_is_longer_than_its_header_says_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = trace(tmp_path / "t", b" " * BLANKS, 1000)
    monkeypatch.setattr(zstandard, "ZstdDecompressor", lambda: pytest.fail("it was unpacked"))
    with pytest.raises(TraceError, match="damaged"):
        reader[0]


def test_a_frame_that_does_not_say_its_length_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = trace(tmp_path / "t", b" " * 1000, size=False)
    monkeypatch.setattr(zstandard, "ZstdDecompressor", lambda: pytest.fail("it was unpacked"))
    with pytest.raises(TraceError, match="damaged"):
        reader[0]


def test_a_frame_beyond_the_bound_is_not_unpacked_though_its_header_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = zstandard.ZstdCompressor().compress(b"x")
    (tmp_path / "t").write_bytes(block(frame, MAX_BLOCK + 1))
    monkeypatch.setattr(zstandard, "frame_content_size", lambda data: MAX_BLOCK + 1)
    monkeypatch.setattr(zstandard, "ZstdDecompressor", lambda: pytest.fail("it was unpacked"))
    with pytest.raises(TraceError, match="the limit is"):
        TraceReader(tmp_path / "t")[0]


@pytest.mark.parametrize("row", [b"[" * 100_000, b"5", b"[]", b"null", b'{"a": 1}', b'{"step": "x"}', b"{"])
def test_rows_that_are_no_rows_are_a_trace_error(tmp_path: Path, row: bytes) -> None:
    reader = trace(tmp_path / "t", row + b"\n")
    with pytest.raises(TraceError, match="damaged"):
        list(reader.where(steps=(0, 5)))


def test_hostile_texts_are_written_to_a_trace_and_read_as_they_were(tmp_path: Path) -> None:
    hostile = load_module(str(Path(__file__).with_name("hostile.py")))
    texts = list(hostile.everything().values())
    with TraceWriter(tmp_path / "t") as writer:
        writer.append({"step": 1, "completion": text} for text in texts)
    # JSON takes a high and a low surrogate for the one character that they stand for elsewhere.
    wanted = [json.loads(json.dumps(text)) for text in texts]
    assert [row["completion"] for row in TraceReader(tmp_path / "t")] == wanted


@pytest.mark.parametrize("text", ["[" * 5000, "a = " + "[" * 5000, "x = '''", "\0", '"' * 5000, "x = " + "9" * 5000])
def test_a_config_of_brackets_is_a_config_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text, "utf-8")
    (tmp_path / "domain.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError):
        load_config(tmp_path / "config.toml")
    with pytest.raises(RunError):
        Folder(tmp_path).config()
    with pytest.raises(DomainError):
        read_domain(tmp_path)


def test_an_override_of_brackets_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        load_config(None, ["run.steps=" + "[" * 5000])
    with pytest.raises(ConfigError):
        load_config(None, ["run.steps=" + "9" * 5000])


def test_a_block_that_says_more_rows_than_it_has_bytes_is_damage(tmp_path: Path) -> None:
    with TraceWriter(tmp_path / "t") as writer:
        writer.append([{"step": 1}])
    raw = bytearray((tmp_path / "t").read_bytes())
    header = list(traces._HEADER.unpack(raw[: traces._HEADER.size]))
    header[5] = 2**32 - 1
    (tmp_path / "t").write_bytes(traces._HEADER.pack(*header) + raw[traces._HEADER.size :])
    with pytest.raises(TraceError, match="damaged"):
        list(TraceReader(tmp_path / "t"))


def test_a_config_that_is_longer_than_any_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "config.toml").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ConfigError, match="longer than any config"):
        load_config(tmp_path / "config.toml")
    with pytest.raises(RunError, match="longer than any config"):
        Folder(tmp_path).config()


def test_a_domain_s_name_with_a_path_in_it_names_no_folder() -> None:
    given = [{"name": "../x"}, {"name": "a/b"}, {"name": "\0"}, {"name": "tables"}, {"path": "x/planning"}, 5]
    assert domain_names({"domains": given}) == ["tables", "planning"]


@pytest.mark.parametrize("key", ["--1", "-", "", "1-", "\u0661", "1" * 12, "1.0", " 1"])
def test_what_is_no_number_in_a_path_is_not_found(key: str) -> None:
    assert not KEY.fullmatch(key)
    assert all(KEY.fullmatch(good) for good in ("0", "-1", "12345678901"))


def test_the_text_of_a_large_integer_is_linear_and_still_its_value() -> None:
    small, large = Value.of(1 << 524_000), Value.of(-(1 << 33_554_432))
    assert small.repr.isdecimal() and len(small.repr) > 150_000
    assert large.repr == hex(-(1 << 33_554_432)) and int(large.repr, 16) == -(1 << 33_554_432)
    assert Value.from_encoded(large.encoded) == large


def test_what_is_shown_of_a_text_is_bounded() -> None:
    for text in ("\u202e" * 10_000_000, "a" * 10_000_000, "\u0301" * 10_000_000):
        assert len(visible(text)) <= 9 * LIMIT


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A grader that takes bodies of a mebibyte."""
    app = load_module(str(GRADER)).make_app(Grader(), max_body=1 << 20)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def post(port: int, path: str, body: object, chunked: bool = False) -> tuple[int, object]:
    import http.client

    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3600)
    headers = {"Content-Type": "application/json"}
    try:
        if chunked:
            parts = (data[at : at + 65_536] for at in range(0, len(data), 65_536))
            connection.request("POST", path, parts, headers, encode_chunked=True)
        else:
            connection.request("POST", path, data, headers)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it answers before all has been sent
    reply = connection.getresponse()
    found = reply.status, json.loads(reply.read() or b"null")
    connection.close()
    return found


@pytest.mark.parametrize("path", ["/grade", "/tasks"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_bound_is_413(port: int, path: str, chunked: bool) -> None:
    status, _ = post(port, path, {"items": [{"task": "x", "completion": "y" * (2 << 20)}]}, chunked)
    assert status == 413


def test_a_bad_item_takes_no_other_item_s_grade_away(port: int) -> None:
    from azr.grading import dump_task
    from azr.types import Kind, Task

    task = dump_task(Task(kind=Kind.DEDUCTION, program="def f(a): return a", inputs=("1",), outputs=(Value.of(1),)))
    good = {"task": task, "completion": "<answer>\n```output\n1\n```\n</answer>"}
    surrogate = {"task": json.dumps({**json.loads(task), "program": "\ud800"}), "completion": "x"}
    items = [good, {"task": "[" * 100_000, "completion": "x"}, surrogate, good]
    status, found = post(port, "/grade", {"items": items})
    assert status == 200
    answers = found["answers"]  # type: ignore[index]
    assert [answer["score"] for answer in answers] == [1.0, None, None, 1.0]
    assert answers[1]["reason"] == "not_a_task" and answers[1]["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"\xff",
        b"",
        b"null",
        b'{"items": []}',
        b'{"items": [{"task": "\\ud800", "completion": "\\ud800"}]}',
        b'{"items": [{"kind": "\\ud800", "program": "\\ud800", "inputs": ["\\ud800"]}]}',
    ],
)
def test_a_body_that_is_no_request_is_refused(port: int, body: bytes) -> None:
    assert post(port, "/grade", body)[0] == 422
    assert post(port, "/tasks", body)[0] in (400, 422)


def test_proposals_of_hostile_texts_are_rejected_one_by_one(port: int) -> None:
    rows = [
        {"kind": "deduction", "program": program, "inputs": ["1"]}
        for program in ("def f(a): return a + 17", "[" * 100_000, "\0", "def f(a): return " + "-" * 30_000 + "1")
    ]
    status, found = post(port, "/tasks", {"items": rows})
    assert status == 200
    verdicts = found["verdicts"]  # type: ignore[index]
    assert "id" in verdicts[0] and all("rejected" in verdict for verdict in verdicts[1:])
