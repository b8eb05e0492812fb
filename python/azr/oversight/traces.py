"""The trace: every completion of a run as one JSON object a line, compressed, in blocks that can be read alone.

    with TraceWriter(path) as trace:
        trace.append(rows)
    reader = TraceReader(path)
    len(reader), reader[99_000], reader.read(10, 20)
    for index, row in reader.where(lambda row: row["kind"] == "abduction", limit=5): ...

The file is a plain zstd file of JSON lines (`zstd -dc traces.jsonl.zst` shows it). Each block is a zstd frame of its
own, behind a skippable frame that decoders pass over and that says how long the block is, how many rows it has and of
which steps: opening reads 36 bytes a block, however long the rows are. A block is either whole or not there; what is
torn at the end is reported, cut by the writer, and never guessed.
"""

import bisect
import json
import math
import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import zstandard

from azr.errors import TraceError

Row = dict[str, Any]

BLOCK_ROWS: Final = 64
BLOCK_BYTES: Final = 256 << 10
"""Rows or bytes after which a block ends: the unit of decompression of a random access."""

MAX_BLOCK: Final = 256 << 20
"""Largest block that is decompressed. A single row may exceed `BLOCK_BYTES`, but not without bound."""

_SKIPPABLE: Final = 0x184D2A5A
"""One of the sixteen frame numbers that every zstd decoder skips (RFC 8878, 3.1.2)."""
_HEADER: Final = struct.Struct("<II4sIIIIII")
_MARK: Final = b"azT1"
_START: Final = struct.pack("<II4s", _SKIPPABLE, _HEADER.size - 8, _MARK)


@dataclass(frozen=True, slots=True)
class Block:
    """Position of some rows."""

    offset: int
    """Of the zstd frame."""
    length: int
    raw_length: int
    rows: int
    first_step: int
    last_step: int
    checksum: int
    """CRC-32 of the frame as it is on disk."""

    @property
    def end(self) -> int:
        return self.offset + self.length


class TraceWriter:
    """Appends rows to a trace. One process at a time, by the run folder's lock."""

    def __init__(self, path: Path, level: int = 3) -> None:
        """Open or make the file, truncating an incomplete end.

        Raises:
            TraceError: it cannot be opened, or is no trace.
        """
        self.path = path
        self._compressor = zstandard.ZstdCompressor(level=level, write_content_size=True)
        try:
            self._file = path.open("ab")
            with path.open("rb") as file:
                found = _scan(file, 0, path)
            if found.damage:
                raise TraceError(f"{found.damage}: move the file away to go on without its rows")
            self.cut = found.rest
            """Bytes at the end that were no whole block."""
            if self.cut:
                os.truncate(path, found.end)
        except OSError as error:
            raise TraceError(f"cannot open the trace {path}: {error}") from error
        self.rows = sum(block.rows for block in found.blocks)

    def append(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Append rows, each with its `step`; returns their number. On return they are in the file; an append is atomic.

        Raises:
            TraceError: the disk is full or read-only. What was written of these rows has been taken back.
        """
        lines: list[bytes] = []
        steps: list[int] = []
        size = count = 0
        blocks = []
        for row in rows:
            line = _encode(row)
            lines.append(line)
            steps.append(int(row["step"]))
            size += len(line)
            count += 1
            if len(lines) >= BLOCK_ROWS or size >= BLOCK_BYTES:
                blocks.append(self._block(lines, steps))
                lines, steps, size = [], [], 0
        if lines:
            blocks.append(self._block(lines, steps))
        self._write(b"".join(blocks))
        self.rows += count
        return count

    def flush(self) -> int:
        """Flush everything to disk; returns the position for a checkpoint."""
        os.fsync(self._file.fileno())
        return self._size()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _block(self, lines: list[bytes], steps: list[int]) -> bytes:
        raw = b"".join(lines)
        frame = self._compressor.compress(raw)
        header = _HEADER.pack(
            _SKIPPABLE, _HEADER.size - 8, _MARK, len(frame), len(raw), len(lines), min(steps), max(steps),
            zlib.crc32(frame),
        )  # fmt: skip
        return header + frame

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _write(self, data: bytes) -> None:
        before = self._size()
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            os.truncate(self.path, before)
            raise TraceError(f"cannot write {self.path}: {error}") from error


class TraceReader:
    """Reads a trace, also while it is being written. Opening reads only the headers of the blocks."""

    def __init__(self, path: Path, cached_blocks: int = 16) -> None:
        """Open a trace; an absent file is an empty one.

        Raises:
            TraceError: it cannot be read, or is no trace.
        """
        self.path = path
        self._cached_blocks = cached_blocks
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        self._blocks: list[Block] = []
        self._starts: list[int] = []
        self._rows = 0
        self._cache: OrderedDict[int, list[Row]] = OrderedDict()
        self.torn = 0
        """Bytes at the end that are not (yet) a whole block."""
        self.damage = ""
        """Damage in the middle of the file; rows before it can be read."""

    def refresh(self) -> int:
        """Look for appended rows; returns their number. A trace that was truncated and has grown again is read anew."""
        before = self._rows
        try:
            if not self.path.exists():
                self._forget()
                return self._rows - before
            with self.path.open("rb") as file:
                if self._blocks and not _stands(file, self._blocks[-1]):
                    self._forget()
                found = _scan(file, self._blocks[-1].end if self._blocks else 0, self.path)
        except OSError as error:
            raise TraceError(f"cannot read the trace {self.path}: {error}") from error
        self.torn, self.damage = found.rest, found.damage
        for block in found.blocks:
            self._blocks.append(block)
            self._starts.append(self._rows)
            self._rows += block.rows
        return self._rows - before

    def __len__(self) -> int:
        """Rows by the headers. Lists make room for so many, so a header that cannot be true is an error here.

        Raises:
            TraceError: a header says more rows than its block has bytes.
        """
        if any(block.rows > block.raw_length for block in self._blocks):
            raise TraceError(f"the trace {self.path} is damaged: a block says more rows than it has bytes")
        return self._rows

    def __getitem__(self, index: int) -> Row:
        """One row; negative indices count from the end."""
        at = index + self._rows if index < 0 else index
        if not 0 <= at < self._rows:
            raise IndexError(f"row {index} of a trace of {self._rows}")
        number = bisect.bisect_right(self._starts, at) - 1
        return self._load(number)[at - self._starts[number]]

    def read(self, start: int, stop: int) -> list[Row]:
        """Rows start to stop, as a slice would give them."""
        first, last, _ = slice(start, stop).indices(self._rows)
        return [self[index] for index in range(first, last)]

    def __iter__(self) -> Iterator[Row]:
        """All rows, one block in memory at a time."""
        for number in range(len(self._blocks)):
            yield from self._load(number)

    def where(
        self,
        predicate: Callable[[Row], bool] = lambda row: True,
        *,
        steps: tuple[int, int] | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[tuple[int, Row]]:
        """(index, row) of rows that fit.

        Args:
            steps: first and last step; blocks of other steps are not even decompressed.
            limit: how many at most.
            newest_first: from the end.
        """
        found = 0
        numbers = range(len(self._blocks))
        for number in reversed(numbers) if newest_first else numbers:
            block = self._blocks[number]
            if steps and (block.last_step < steps[0] or block.first_step > steps[1]):
                continue
            pairs = list(enumerate(self._load(number), self._starts[number]))
            for index, row in reversed(pairs) if newest_first else pairs:
                if limit is not None and found >= limit:
                    return
                if (steps is None or steps[0] <= row["step"] <= steps[1]) and predicate(row):
                    found += 1
                    yield index, row

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The index."""
        return tuple(self._blocks)

    def _load(self, number: int) -> list[Row]:
        """The rows of a block; the latest few are cached."""
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        block = self._blocks[number]
        with self.path.open("rb") as file:
            file.seek(block.offset)
            frame = file.read(block.length)
        if zlib.crc32(frame) != block.checksum:
            raise TraceError(f"the trace {self.path} is damaged: the block at {block.offset} has another checksum")
        try:
            rows: list[Row] = [json.loads(line) for line in _unpacked(frame, block).splitlines()]
        except (zstandard.ZstdError, ValueError, RecursionError) as error:
            raise TraceError(f"the trace {self.path} is damaged at {block.offset}: {error}") from error
        if len(rows) != block.rows:
            raise TraceError(f"the trace {self.path} is damaged: {len(rows)} rows, not {block.rows}, at {block.offset}")
        if not all(isinstance(row, dict) and isinstance(row.get("step"), int) for row in rows):
            raise TraceError(f"the trace {self.path} is damaged: a row at {block.offset} is no object with a step")
        self._cache[number] = rows
        if len(self._cache) > self._cached_blocks:
            self._cache.popitem(last=False)
        return rows


@dataclass(frozen=True, slots=True)
class _Found:
    """Result of a scan."""

    blocks: list[Block]
    end: int
    """End of the last whole block."""
    rest: int
    """Bytes after it."""
    damage: str
    """What the rest is, if not an incomplete append."""


def _scan(file: BinaryIO, offset: int, path: Path) -> _Found:
    """Whole blocks from `offset` on.

    The last block's checksum is verified: after a power failure a file can have its length and not its bytes.

    Raises:
        TraceError: the file is not a trace at all.
    """
    size = file.seek(0, os.SEEK_END)
    blocks: list[Block] = []
    end, damage = offset, ""
    while end < size:
        file.seek(end)
        header = file.read(_HEADER.size)
        if header[: len(_START)] != _START[: len(header)] and any(header):
            if end == 0:
                raise TraceError(f"{path} is no trace of azr: remove it, or give another run folder")
            damage = f"the trace {path} is damaged: there is no block at {end}"
            break
        block = _block(header, end)
        if block is None or block.end > size:
            break
        blocks.append(block)
        end = block.end
    while blocks and not damage and not _sound(file, blocks[-1]):
        end = blocks.pop().offset - _HEADER.size
    return _Found(blocks, end, size - end, damage)


def _block(header: bytes, offset: int) -> Block | None:
    """The block that a header describes; None for a partial header or zeros."""
    if len(header) < _HEADER.size or not any(header):
        return None
    _, _, _, frame, raw, rows, first, last, checksum = _HEADER.unpack(header)
    return Block(offset + _HEADER.size, frame, raw, rows, first, last, checksum)


def _unpacked(frame: bytes, block: Block) -> bytes:
    """A frame's text, if its length matches the header and the frame, and is within the limit."""
    said = zstandard.frame_content_size(frame)
    if said != block.raw_length or said > MAX_BLOCK:
        raise ValueError(f"a frame of {said} bytes; its header says {block.raw_length}, and the limit is {MAX_BLOCK}")
    return zstandard.ZstdDecompressor().decompress(frame, max_output_size=said)


def _encode(row: Mapping[str, Any]) -> bytes:
    """One line. JSON has no NaN and no infinity: both become null. ASCII: any text of a model is kept as it is."""
    try:
        return json.dumps(row, allow_nan=False).encode("ascii") + b"\n"
    except ValueError:
        return json.dumps(_finite(row), allow_nan=False).encode("ascii") + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sound(file: BinaryIO, block: Block) -> bool:
    file.seek(block.offset)
    return zlib.crc32(file.read(block.length)) == block.checksum


def _stands(file: BinaryIO, block: Block) -> bool:
    """Whether the file still has this block at its position."""
    file.seek(block.offset - _HEADER.size)
    data = file.read(_HEADER.size)
    return len(data) == _HEADER.size and _HEADER.unpack(data)[3:9] == (
        block.length, block.raw_length, block.rows, block.first_step, block.last_step, block.checksum,
    )  # fmt: skip
