"""Tasks that other trainers load: a data set of `azr export`, or one of its Parquet files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azr.errors import GradingError

COLUMNS = ["id", "prompt", "task", "kind", "solve_rate"]
"""Those that a trainer needs."""


def read_data_set(path: Path, split: str = "train") -> Iterator[dict[str, Any]]:
    """The rows of a split, with `COLUMNS`.

    Raises:
        GradingError: there is no such data set or split, or pyarrow is not installed.
    """
    file = path / "data" / f"{split}.parquet" if path.is_dir() else path
    if not file.is_file():
        raise GradingError(f"{path} is no data set of `azr export` with a split {split!r}: there is no {file}")
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise GradingError("reading Parquet needs pyarrow: pip install 'azr[parquet]'") from error
    try:
        with parquet.ParquetFile(file) as opened:
            for batch in opened.iter_batches(columns=COLUMNS):
                yield from batch.to_pylist()
    except (OSError, ValueError, KeyError) as error:
        raise GradingError(f"cannot read {file}: {error}") from error
