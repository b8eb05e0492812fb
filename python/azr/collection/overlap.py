"""Tasks whose programs are in a benchmark, or nearly: a contamination check.

Exact: equal canonical programs, so names, comments and formatting do not matter. Near: the estimated overlap of
four-token shingles of the canonical programs is at least the threshold. Both are the task buffer's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from azr.buffer.client import TaskBuffer, Unusable, canonical
from azr.errors import RunError
from azr.evals.data import read_rows
from azr.types import Kind, Task
from azr.util.text import is_text

FIELDS: Final = (("code",), ("program",), ("prompt", "canonical_solution"), ("canonical_solution",), ("solution",))
"""Where benchmarks have their programs; parts are joined. The first that a row has counts."""
NAMES: Final = ("id", "task_id", "question_id", "name")
THRESHOLD: Final = 0.7

Level = Literal["none", "near", "exact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How near a program is to the benchmarks."""

    level: Level
    row: str = ""
    """The most similar row, as `file#id`; empty where none is similar."""
    similarity: float = 0.0


class Benchmarks:
    """The programs of benchmark files."""

    def __init__(self, files: Sequence[Path], field: str = "", threshold: float = THRESHOLD) -> None:
        """`field`: the column with the programs, where it is not one of `FIELDS`.

        Raises:
            BenchmarkError: a file cannot be read.
            RunError: it has no program.
        """
        self._threshold = threshold
        self._buffer = TaskBuffer.in_memory(eviction="none")
        self._exact: dict[str, str] = {}
        self._rows: list[str] = []
        self.counts: dict[str, int] = {}
        """Programs by file."""
        for path in files:
            self.counts[path.name] = self._add(path, field)

    def look(self, programs: Sequence[str]) -> list[Overlap]:
        """The overlap of each program, in order."""
        around = self._buffer.neighbours([p if is_text(p) else "" for p in programs], self._threshold)
        found = []
        for program, near in zip(programs, around, strict=True):
            if (row := self._exact.get(form(program) or "")) is not None:
                found.append(Overlap(level="exact", row=row, similarity=1.0))
            elif near is None or near.id is None:
                found.append(Overlap(level="none"))
            else:
                level: Level = "near" if near.similarity >= self._threshold else "none"
                found.append(Overlap(level=level, row=self._rows[near.id], similarity=near.similarity))
        return found

    def _add(self, path: Path, field: str) -> int:
        count = 0
        rows = read_rows(path)
        for number, row in enumerate(rows):
            for program in _programs(row, field):
                if (text := form(program)) is None:
                    continue
                name = f"{path.name}#{_name(row, number)}"
                self._exact.setdefault(text, name)
                task = Task(kind=Kind.DEDUCTION, program=program, inputs=(), outputs=(), message=str(len(self._rows)))
                (added,) = self._buffer.insert_many([task])
                if not isinstance(added, Unusable) and len(self._buffer) > len(self._rows):
                    self._rows.append(name)
                count += 1
                break
        if not rows:
            raise RunError(f"{path} is empty: a benchmark has a program in each row")
        if not count:
            columns = ", ".join(sorted({str(name) for row in rows[:100] if isinstance(row, Mapping) for name in row}))
            raise RunError(f"{path} has no Python program in any row; name its column by --field: {columns or 'none'}")
        return count


def _programs(row: Any, field: str) -> Iterator[str]:
    """What may be the row's program."""
    if not isinstance(row, Mapping):
        return
    for names in ((field,),) if field else FIELDS:
        parts = [row.get(name) for name in names]
        if all(isinstance(part, str) for part in parts):
            yield "".join(map(str, parts))


def _name(row: Mapping[str, Any], number: int) -> str:
    return next((str(row[name]) for name in NAMES if row.get(name) is not None), str(number))


def form(program: str) -> str | None:
    """The canonical program; None for what is no program, or no text at all."""
    try:
        return canonical(program)[0] if is_text(program) else None
    except ValueError:
        return None
