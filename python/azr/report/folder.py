"""A run folder, read-only: it takes no lock, writes nothing and does not disturb a live trainer.

While a trainer writes, an appended file may end in the middle of a line. Such a line is read later; a line damaged
elsewhere is skipped and noted.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azr.config.renamed import translate
from azr.errors import RunError
from azr.metrics.renamed import current
from azr.report.stored import Stored, open_stored
from azr.run.folder import ALARMS, BUFFER, CONFIG, METRICS, TRACES

GROWING = (METRICS, TRACES, ALARMS)
MAX_CONFIG = 4 << 20
"""Maximum size of a run's config in bytes."""
SCORES = "evals/*/results.json"


@dataclass(frozen=True, slots=True)
class Notes:
    """What could not be shown, for the reader; each note once."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if text not in self.texts:
            self.texts.append(text)


class Folder:
    """One run, read-only."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            RunError: there is no run in the folder, or it cannot be read.
        """
        if not path.is_dir():
            raise RunError(f"{path} is no run folder: there is no such folder")
        if not (path / CONFIG).is_file():
            raise RunError(f"{path} is no run folder: it has no {CONFIG}; azr train --run {path} makes one")
        self.path = path
        self.notes = Notes()

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def config(self) -> dict[str, Any]:
        """The run's config as a tree, under today's keys.

        Raises:
            RunError: it is no TOML.
        """
        path = self.path / CONFIG
        try:
            if path.stat().st_size > MAX_CONFIG:
                raise RunError(f"{path} is longer than any config: the limit is {MAX_CONFIG:,} bytes")
            return translate(tomllib.loads(path.read_text("utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"cannot read {self.path / CONFIG}: {error}") from error

    def metrics(self) -> list[dict[str, Any]]:
        """One row per step, ascending; the later of two rows for a step counts."""
        rows = {row["step"]: current(row) for row in self.rows(METRICS) if isinstance(row.get("step"), int)}
        return [rows[step] for step in sorted(rows)]

    def alarms(self) -> list[dict[str, Any]]:
        """Alarms in order. Only `step` is guaranteed to be there."""
        return [row for row in self.rows(ALARMS) if isinstance(row.get("step"), int)]

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The complete rows of a `.jsonl` file; none if the file does not exist."""
        path = self.path / name
        try:
            with path.open("rb") as file:
                yield from self._rows(name, file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunError(f"cannot read {path}: {error}") from error

    def _rows(self, name: str, lines: Any) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                yield row
            else:
                self.notes.add(f"{name}: line {number} is no JSON object and was left out")

    def stored(self) -> Stored | None:
        """The run's tasks; None if there are none. Unreadable parts are noted."""
        found, notes = open_stored(self.path, self.config())
        for note in notes:
            self.notes.add(note)
        return found

    def changed(self) -> tuple[tuple[str, int, int], ...]:
        """Names, sizes and times of the files that a trainer appends to: changes with every write."""
        found = []
        for path in (*(self.path / name for name in GROWING), *self.path.glob(f"{BUFFER}*/*"), *self.path.glob(SCORES)):
            try:
                about = path.stat()
            except OSError:
                continue
            found.append((path.name, about.st_size, about.st_mtime_ns))
        return tuple(sorted(found))
