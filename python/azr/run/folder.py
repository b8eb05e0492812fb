"""A run is a folder: config.toml, metrics.jsonl, traces.jsonl.zst, alarms.jsonl, buffer/, checkpoints/step_N/.

One process at a time locks it. On resume, rows after the checkpoint are truncated, so that a resumed run's files read
as if it had never been interrupted.
"""

import fcntl
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from azr.config import Config, dump_config, load_config
from azr.errors import RunError
from azr.metrics.renamed import current

CONFIG, METRICS, TRACES, ALARMS, BUFFER, CHECKPOINTS, LOCK = (
    "config.toml", "metrics.jsonl", "traces.jsonl.zst", "alarms.jsonl", "buffer", "checkpoints", "lock",
)  # fmt: skip
APPENDED = (METRICS, TRACES, ALARMS)
"""Append-only files, truncated to the checkpoint's lengths on resume."""


def config_file(folder: Path) -> Path:
    """The config of a run.

    Raises:
        RunError: the folder is not a run folder.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise RunError(f"{folder} is no run folder: it has no {CONFIG}")
    return path


def read_config(folder: Path) -> Config:
    """The config that a run was started with, with renamed keys migrated.

    Raises:
        RunError: the folder is not a run folder.
        ConfigError: its config is damaged.
    """
    return load_config(config_file(folder), written=True)


class RunFolder:
    """An open, locked run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _lock(path)

    @classmethod
    def create(cls, path: Path, config: Config) -> "RunFolder":
        """Make a new run.

        Raises:
            RunError: the folder already holds a run, or cannot be written.
        """
        if (path / CONFIG).exists():
            raise RunError(f"{path} already holds a run: go on with it by --resume {path}, or give another folder")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot make the run folder {path}: {error}") from error
        folder = cls(path)
        folder.write(CONFIG, dump_config(config))
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open an existing run.

        Raises:
            RunError: there is none, or another process holds it.
        """
        config_file(path)
        return cls(path)

    @property
    def config(self) -> Config:
        """The config that the run was started with."""
        return read_config(self.path)

    @property
    def checkpoints(self) -> Path:
        return self.path / CHECKPOINTS

    @property
    def buffer(self) -> Path:
        return self.path / BUFFER

    def write(self, name: str, text: str) -> None:
        """Replace a file of the folder atomically."""
        working = self.path / f".{name}.writing"
        try:
            working.write_text(text, "utf-8")
            os.replace(working, self.path / name)
        except OSError as error:
            raise RunError(f"cannot write {self.path / name}: {error}") from error

    def append(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to a `.jsonl` file."""
        text = "".join(json.dumps({key: _finite(value) for key, value in row.items()}) + "\n" for row in rows)
        try:
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise RunError(f"cannot write {self.path / name}: {error}") from error

    def rows(self, name: str) -> list[dict[str, Any]]:
        """All rows of a `.jsonl` file; empty if there is none."""
        path = self.path / name
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    def metrics(self) -> list[dict[str, Any]]:
        """The metrics of every step so far, under current names."""
        return [current(row) for row in self.rows(METRICS)]

    def sizes(self) -> dict[str, int]:
        """Current lengths of the appended files, flushed to disk, for a checkpoint."""
        found = {}
        for name in APPENDED:
            if (path := self.path / name).exists():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                    found[name] = os.fstat(file.fileno()).st_size
        return found

    def cut(self, sizes: Mapping[str, int]) -> None:
        """Truncate the appended files to these lengths; a removed file stays removed.

        Raises:
            RunError: one is shorter than it was: rows are lost.
        """
        for name in APPENDED:
            path = self.path / name
            if not path.exists():
                continue
            wanted, found = sizes.get(name, 0), path.stat().st_size
            if found < wanted:
                lost = f"{path} has {found} bytes and had {wanted} at the checkpoint: rows were lost"
                raise RunError(f"{lost}; delete the file to resume without them")
            os.truncate(path, wanted)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)


def _finite(value: object) -> object:
    """JSON has no NaN and no infinity: both become null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lock(path: Path) -> int:
    """An exclusive lock, released when the process ends."""
    try:
        handle = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RunError(f"cannot write to the run folder {path}: {error}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(handle)
        raise RunError(f"{path} is in use by process {holder}: one trainer at a time") from error
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode("ascii"))
    return handle
