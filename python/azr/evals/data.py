"""Rows of a benchmark: from the Hugging Face hub by name and commit, or from a local copy.

A local copy is a folder with one file for each data set, named as its `Source.local` (`humaneval.jsonl`), or one file:
JSON lines with the columns of the source, or parquet. `azr eval fetch` makes such a folder.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Benchmark, Row, Source

ENDINGS = (".jsonl", ".json", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows, and what exactly they are."""

    rows: Sequence[Row]
    origin: str
    """Hub name, or file."""
    revision: str
    """Commit of the hub's repository, or `sha256:` and the digest of the file."""
    pinned: bool
    """Whether it is the commit that the benchmark pins."""


def load(benchmark: Benchmark, data: Path | None = None, revision: str | None = None) -> Rows:
    """The rows of a benchmark.

    Args:
        data: a local copy, instead of the hub.
        revision: a commit of the hub's repository, instead of the benchmark's own.

    Raises:
        BenchmarkError: they cannot be had; says how to get them.
    """
    source = benchmark.source
    if data is not None:
        return _local(source, data)
    if not source.hub:
        own = Path(str(resources.files("azr.evals"))) / f"{source.local}.jsonl"
        if not own.is_file():
            raise BenchmarkError(
                f"{benchmark.name}: this version has no {own.name}; give a file of tasks by --data FILE"
            )
        return _local(source, own)
    return from_hub(benchmark.name, source, revision or source.revision)


def _local(source: Source, data: Path) -> Rows:
    path = data
    if data.is_dir():
        found = [data / f"{source.local}{ending}" for ending in ENDINGS if (data / f"{source.local}{ending}").is_file()]
        if not found:
            raise BenchmarkError(f"{data} has no {source.local}.jsonl. {_how(source)}")
        path = found[0]
    if not path.is_file():
        raise BenchmarkError(f"--data {data}: no such file or folder. {_how(source)}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Rows(rows=read_rows(path), origin=str(path), revision=f"sha256:{digest}", pinned=False)


def read_rows(path: Path) -> list[Row]:
    """The rows of one file, by its ending: JSON lines, JSON or parquet.

    Raises:
        BenchmarkError: it cannot be read.
    """
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet

            rows: list[Row] = pyarrow.parquet.read_table(path).to_pylist()
            return rows
        text = path.read_text("utf-8")
        if path.suffix == ".json":
            return list(json.loads(text))
        # Not splitlines: rows may contain U+2028 and the like.
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise BenchmarkError(f"cannot read {path}: {error}") from error


def from_hub(name: str, source: Source, revision: str | None) -> Rows:
    """The rows at a commit of the hub; a branch or a tag is resolved to its commit, which is recorded."""
    try:
        from datasets import load_dataset
        from huggingface_hub import HfApi
    except ImportError as error:
        raise BenchmarkError(
            f"{name}: reading from the Hugging Face hub needs the package datasets: pip install 'azr[eval]';"
            " or give a local copy by --data"
        ) from error
    try:
        # A full commit needs no lookup, so cached data works without a network.
        commit = (
            revision if revision and len(revision) == 40 else HfApi().dataset_info(source.hub, revision=revision).sha
        )
        assert commit is not None, "the hub names the commit"
        if source.files:
            paths = [f"hf://datasets/{source.hub}@{commit}/{file}" for file in source.files]
            rows: Any = load_dataset("json", data_files=paths, split="train")
        else:
            rows = load_dataset(source.hub, source.config, split=source.split, revision=commit)
    except Exception as error:  # the hub's client raises errors of many libraries
        raise BenchmarkError(
            f"{name}: cannot get {source.hub} from the hub ({_first_line(error)}). {_how(source)}"
        ) from error
    return Rows(rows=list(rows), origin=source.hub, revision=commit, pinned=commit == source.revision)


def _how(source: Source) -> str:
    return (
        f"Where there is a network: azr eval fetch {source.local} --to DIR; then give --data DIR"
        if source.hub
        else "One JSON object a line: kind, program, inputs, message"
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def write_jsonl(path: Path, rows: Sequence[Row]) -> None:
    """Rows as JSON lines; values that JSON does not have, such as dates, as text."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(dict(row), default=str) + "\n")
