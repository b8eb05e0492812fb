"""The trace: crash-safe, seekable, readable while it grows, and never guessed at."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard
from azr.errors import TraceError
from azr.oversight import traces
from azr.oversight.traces import BLOCK_ROWS, TraceReader, TraceWriter


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"step": number // 100, "number": number, "completion": f"text {number}", **more}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traces.jsonl.zst"


def written(path: Path, count: int, a_time: int = 100) -> list[dict[str, Any]]:
    rows = [row(number) for number in range(count)]
    with TraceWriter(path) as trace:
        for start in range(0, count, a_time):
            trace.append(rows[start : start + a_time])
    return rows


def test_what_is_written_is_read_in_order_by_index_and_by_slice(path: Path) -> None:
    rows = written(path, 1000)
    reader = TraceReader(path)
    assert len(reader) == 1000 and list(reader) == rows
    assert [reader[i] for i in (0, 63, 64, 99, 100, 999, -1, -1000)] == [
        rows[i] for i in (0, 63, 64, 99, 100, 999, -1, -1000)
    ]
    assert reader.read(95, 230) == rows[95:230] and reader.read(990, 2000) == rows[990:]
    for index in (1000, -1001):
        with pytest.raises(IndexError):
            reader[index]


def test_it_is_a_plain_zstd_file_of_json_lines(path: Path) -> None:
    rows = written(path, 300)
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    assert [json.loads(line) for line in text.splitlines()] == rows


def test_a_hundred_thousand_rows_open_without_being_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TraceWriter(path) as trace:
        trace.append(row(number) for number in range(100_000))
    loaded: list[int] = []
    real = TraceReader._load

    def load(self: TraceReader, number: int) -> list[dict[str, Any]]:
        loaded.append(number)
        return real(self, number)

    monkeypatch.setattr(TraceReader, "_load", load)
    reader = TraceReader(path)
    assert len(reader) == 100_000 and loaded == []
    assert reader[77_777]["number"] == 77_777 and len(loaded) == 1
    assert len(list(reader.where(steps=(500, 501)))) == 200 and len(loaded) <= 1 + 2 + 200 // BLOCK_ROWS
    assert len(reader._cache) <= 16


def test_where_finds_by_predicate_step_and_from_the_end(path: Path) -> None:
    written(path, 1000)
    reader = TraceReader(path)
    fits = [index for index, _ in reader.where(lambda found: found["number"] % 250 == 7)]
    assert fits == [7, 257, 507, 757]
    assert [i for i, _ in reader.where(lambda f: f["number"] % 2 == 0, newest_first=True, limit=2)] == [998, 996]
    assert [i for i, _ in reader.where(steps=(3, 3), limit=3)] == [300, 301, 302]
    assert list(reader.where(limit=0)) == []


@pytest.mark.parametrize("lost", [1, 20, 35, 36, 37, 150])
def test_a_torn_tail_is_reported_by_the_reader_and_cut_by_the_writer(path: Path, lost: int) -> None:
    written(path, 128, a_time=128)
    whole = path.stat().st_size
    with TraceWriter(path) as trace:
        trace.append([row(number) for number in range(128, 150)])
    os.truncate(path, path.stat().st_size - lost)
    torn = path.stat().st_size - whole
    reader = TraceReader(path)
    assert (len(reader), reader.torn, reader.damage) == (128, torn, "")
    with TraceWriter(path) as trace:
        assert (trace.cut, trace.rows) == (torn, 128)
        trace.append([row(128)])
    assert reader.refresh() == 1 and reader[128]["number"] == 128 and reader.torn == 0


def test_any_prefix_of_a_trace_is_a_trace(path: Path) -> None:
    rows = written(path, 40, a_time=5)
    data = path.read_bytes()
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        reader = TraceReader(path)
        assert list(reader) == rows[: len(reader)] and len(reader) % 5 == 0 and not reader.damage


def test_a_tail_of_zeros_after_a_power_failure_is_torn_not_read(path: Path) -> None:
    written(path, 10)
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(bytes(500))
    assert (len(TraceReader(path)), TraceReader(path).torn) == (10, 500)
    with TraceWriter(path) as trace:
        assert trace.cut == 500
    assert path.stat().st_size == whole


def test_a_last_block_whose_bytes_never_reached_the_disk_is_torn(path: Path) -> None:
    written(path, 64)
    whole = path.stat().st_size
    with TraceWriter(path) as trace:
        trace.append([row(64)])
    with path.open("r+b") as file:
        file.seek(whole + 40)
        file.write(bytes(8))
    assert len(TraceReader(path)) == 64
    with TraceWriter(path) as trace:
        assert trace.rows == 64


def test_damage_in_the_middle_is_named_and_never_cut_away(path: Path) -> None:
    written(path, 300)
    at = TraceReader(path).blocks[1].end
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"garbage!")
    size = path.stat().st_size
    reader = TraceReader(path)
    assert reader.read(0, len(reader)) == [row(n) for n in range(len(reader))] and f"no block at {at}" in reader.damage
    with pytest.raises(TraceError, match=f"no block at {at}"):
        TraceWriter(path)
    assert path.stat().st_size == size


def test_a_flipped_bit_in_a_row_is_an_error_not_a_row(path: Path) -> None:
    written(path, 300)
    block = TraceReader(path).blocks[0]
    with path.open("r+b") as file:
        file.seek(block.offset + 30)
        byte = file.read(1)[0]
        file.seek(block.offset + 30)
        file.write(bytes([byte ^ 4]))
    reader = TraceReader(path)
    with pytest.raises(TraceError, match="another checksum"):
        reader[0]
    assert reader[299]["number"] == 299


def test_a_foreign_file_is_refused_and_left_alone(path: Path) -> None:
    path.write_text('{"step": 1}\n', "ascii")
    for use in (TraceReader, TraceWriter):
        with pytest.raises(TraceError, match="no trace of azr"):
            use(path)
    assert path.read_text("ascii") == '{"step": 1}\n'


def test_an_absent_file_is_an_empty_trace(path: Path) -> None:
    reader = TraceReader(path)
    assert len(reader) == 0 and list(reader) == [] and reader.read(0, 10) == []
    written(path, 3)
    assert reader.refresh() == 3


def test_a_reader_follows_a_trace_that_was_cut_to_a_checkpoint_and_grew_again(path: Path) -> None:
    with TraceWriter(path) as trace:
        trace.append([row(1), row(2)])
        position = trace.flush()
        trace.append([row(3), row(4)])
    reader = TraceReader(path)
    assert [found["number"] for found in reader] == [1, 2, 3, 4]
    os.truncate(path, position)
    with TraceWriter(path) as trace:
        trace.append([row(5), row(6), row(7)])
    reader.refresh()
    assert [found["number"] for found in reader] == [1, 2, 5, 6, 7]


def test_hostile_text_comes_back_as_it_was(path: Path) -> None:
    texts = ["\x1b[2J\x07", "‮ gnp.exe", "\ud800 lone", "a\u2028b\nc\r\nd\x00", "</script>", "x" * 10_000_000]
    with TraceWriter(path) as trace:
        trace.append([row(number, completion=text) for number, text in enumerate(texts)])
    assert [found["completion"] for found in TraceReader(path)] == texts


def test_numbers_that_json_lacks_become_null(path: Path) -> None:
    with TraceWriter(path) as trace:
        trace.append([row(0, reward=float("nan"), parts={"a": float("inf"), "b": [1.5]})])
    found = TraceReader(path)[0]
    assert found["reward"] is None and found["parts"] == {"a": None, "b": [1.5]}


def test_a_full_disk_takes_the_append_back_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TraceWriter(path) as trace:
        trace.append([row(0)])
        size = path.stat().st_size
        real = trace._file

        class Full:
            def write(self, data: bytes) -> int:
                real.write(data[:10])
                real.flush()
                raise OSError(28, "No space left on device")

            def fileno(self) -> int:
                return real.fileno()

        monkeypatch.setattr(trace, "_file", Full())
        with pytest.raises(TraceError, match="No space left"):
            trace.append([row(1)])
        monkeypatch.setattr(trace, "_file", real)
        assert path.stat().st_size == size
        trace.append([row(2)])
    assert [found["number"] for found in TraceReader(path)] == [0, 2]


def test_blocks_stay_small_whatever_the_rows(path: Path) -> None:
    with TraceWriter(path) as trace:
        trace.append([row(n, completion="y" * 100_000) for n in range(20)])
        trace.append([])
    assert max(block.rows for block in TraceReader(path).blocks) <= 1 + traces.BLOCK_BYTES // 100_000
