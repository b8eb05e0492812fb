"""Write a data set: a folder with Parquet files and a card, as the Hugging Face hub and `datasets` take it.

Each row has what recipes of other trainers read, beside the columns for people: `prompt` and `task` (TRL, verifiers);
`data_source`, `prompt`, `ability`, `reward_model`, `extra_info` (verl).
"""

import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from azr.collection.overlap import THRESHOLD, Benchmarks, Overlap, form
from azr.collection.records import CHUNK, Record
from azr.collection.repeats import Repeat, Repeats
from azr.errors import RunError
from azr.grading import Grader

DATA_SOURCE = "azr"
"""verl's name of where a row is from."""
TRAIN, TEST = "train", "test"
EQUAL = "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a data set holds."""

    splits: dict[str, int]
    """Rows by split; no split is empty."""
    content: str = ""
    """Names what is in the files."""
    difficulties: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows by (kind, difficulty)."""
    overlaps: Counter[str] = field(default_factory=Counter)
    """Rows by level of overlap with the benchmarks; those that were left out, too."""
    repeats: Counter[str] = field(default_factory=Counter)
    """Rows by level of likeness to earlier ones; under `equal`, tasks that were left out as they repeat a row."""
    models: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return sum(self.splits.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How to write it."""

    license: str
    test: float = 0.0
    """Share of the programs that go into the split `test`."""
    benchmarks: Benchmarks | None = None
    """None: overlap is not looked for."""
    leave_out: bool = False
    """Leave out what overlaps, instead of marking it."""
    threshold: float = THRESHOLD
    """Similarity from which a program is near an earlier one."""


def write(folder: Path, records: Iterable[Record], grader: Grader, wanted: Wanted) -> Written:
    """Write the Parquet files into `folder/data`; the card is `azr.collection.card`'s.

    Raises:
        RunError: pyarrow is not installed, there is no record, or the folder cannot be written.
    """
    if find_spec("pyarrow") is None:
        raise RunError("writing Parquet needs pyarrow: pip install 'azr[parquet]'")
    found = Written(splits={TRAIN: 0, **({TEST: 0} if wanted.test else {})})
    paths = {split: folder / "data" / f"{split}.parquet" for split in found.splits}
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        _write(paths, records, grader, wanted, found)
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error}") from error
    finally:
        _tidy(folder, paths.values())
    for split in {TRAIN, TEST} - set(found.splits):  # of a data set that was there before
        (folder / "data" / f"{split}.parquet").unlink(missing_ok=True)
    return replace(found, content=_digest(paths[split] for split in found.splits))


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _write(
    paths: Mapping[str, Path], records: Iterable[Record], grader: Grader, wanted: Wanted, found: Written
) -> None:
    from pyarrow import Table, parquet

    schema = _schema()
    repeats = Repeats(wanted.threshold)
    writers = {split: parquet.ParquetWriter(_working(path), schema) for split, path in paths.items()}
    try:
        for part in _parts(records):
            rows = _rows(part, repeats, grader, wanted, found)
            for split, writer in writers.items():
                mine = [row for row in rows if row["extra_info"]["split"] == split]
                if mine:
                    writer.write_table(Table.from_pylist(mine, schema))
    finally:
        for writer in writers.values():
            writer.close()
    if not found.rows:
        raise RunError("no task is left to write: none fits, or all overlap")
    for split, path in paths.items():
        if found.splits[split]:
            os.replace(_working(path), path)
        else:
            del found.splits[split]  # readers refuse a split without rows


def _tidy(folder: Path, paths: Iterable[Path]) -> None:
    """Remove what a failure left half written."""
    for path in paths:
        _working(path).unlink(missing_ok=True)
    for empty in (folder / "data", folder):
        with contextlib.suppress(OSError):
            empty.rmdir()


def _working(path: Path) -> Path:
    return path.with_name(f".{path.name}.writing")


def _parts(records: Iterable[Record]) -> Iterator[list[Record]]:
    left = iter(records)
    while part := list(islice(left, CHUNK)):
        yield part


def _rows(
    records: list[Record], repeats: Repeats, grader: Grader, wanted: Wanted, found: Written
) -> list[dict[str, Any]]:
    """Rows of records, counted in `found`."""
    overlaps: list[Overlap | None] = [None] * len(records)
    if wanted.benchmarks is not None:
        overlaps = list(wanted.benchmarks.look([record.task.program for record in records]))
    rows = []
    for record, overlap in zip(records, overlaps, strict=True):
        if wanted.leave_out and overlap is not None and overlap.level != "none":
            found.overlaps[overlap.level] += 1
            continue
        if (repeat := repeats.add(record)) is None:
            found.repeats[EQUAL] += 1
            continue
        if overlap is not None:
            found.overlaps[overlap.level] += 1
        found.repeats[repeat.level] += 1
        split = _split(record.task.program, wanted.test)
        rows.append(_row(record, overlap, repeat, grader, split, found.splits[split], wanted.license))
        found.splits[split] += 1
        found.difficulties[record.task.kind, record.difficulty] += 1
        found.models[record.model] += 1
        found.origins[record.origin] += 1
    return rows


def _split(program: str, test: float) -> str:
    """By the canonical program, so that no program is in both under other names."""
    drawn = int.from_bytes(hashlib.sha256((form(program) or program).encode("utf-8")).digest()[:8], "big") / 2.0**64
    return TEST if drawn < test else TRAIN


def _row(
    record: Record, overlap: Overlap | None, repeat: Repeat, grader: Grader, split: str, index: int, license: str
) -> dict[str, Any]:
    task = record.task
    given = grader.row(task)
    return {
        "id": record.id,
        "prompt": given["prompt"],
        "task": given["task"],
        "kind": task.kind,
        "program": task.program,
        "inputs": list(task.inputs),
        "outputs": [value.repr for value in task.outputs],
        "message": task.message,
        "solve_rate": record.solve_rate,
        "attempts": record.attempts,
        "difficulty": record.difficulty,
        "origin": record.origin,
        "model": record.model,
        "step": task.step,
        "azr": record.azr,
        "license": license,
        "overlap": None if overlap is None else overlap.level,
        "overlap_row": None if overlap is None else overlap.row,
        "overlap_similarity": None if overlap is None else overlap.similarity,
        "repeat": repeat.level,
        "repeat_of": repeat.of,
        "repeat_similarity": repeat.similarity,
        "data_source": DATA_SOURCE,
        "ability": task.kind,
        "reward_model": {"style": "rule", "ground_truth": given["task"]},
        "extra_info": {"split": split, "index": index},
    }


def _schema() -> Any:
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    message = pa.struct([("role", text), ("content", text)])
    return pa.schema(
        [
            ("id", text), ("prompt", pa.list_(message)), ("task", text), ("kind", text), ("program", text),
            ("inputs", texts), ("outputs", texts), ("message", text), ("solve_rate", pa.float64()),
            ("attempts", pa.int64()), ("difficulty", text), ("origin", text), ("model", text), ("step", pa.int64()),
            ("azr", text), ("license", text), ("overlap", text), ("overlap_row", text),
            ("overlap_similarity", pa.float64()), ("repeat", text), ("repeat_of", text),
            ("repeat_similarity", pa.float64()), ("data_source", text), ("ability", text),
            ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
            ("extra_info", pa.struct([("split", text), ("index", pa.int64())])),
        ]
    )  # fmt: skip
