"""Tasks that repeat earlier ones of the same data set: equal tasks are left out, programs that are near are marked.

Equal: the task buffer's rule, of one kind with the same canonical program and inputs, so names, comments and formatting
do not matter. Near: as for benchmarks (`azr.collection.overlap`).
"""

from dataclasses import dataclass
from typing import Final, Literal

from azr.buffer.client import Duplicate, TaskBuffer, Unusable
from azr.collection.overlap import THRESHOLD, form
from azr.collection.records import Record

Level = Literal["none", "near", "program"]
NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """How near a task's program is to those of earlier tasks."""

    level: Level
    """`program`: it is that of an earlier task, which asks something else about it."""
    of: str = ""
    """The id of the earlier task; empty where none is similar."""
    similarity: float = 0.0


class Repeats:
    """The tasks so far."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._buffer = TaskBuffer.in_memory(eviction="none")
        self._programs: dict[str, str] = {}
        """By canonical program, the id of its first task."""
        self._ids: list[str] = []
        """By id of the buffer."""
        self._unusual: set[str] = set()
        """Ids of tasks without a canonical form."""

    def add(self, record: Record) -> Repeat | None:
        """The task beside the earlier ones; None: it is one of them."""
        program = record.task.program
        canonical = form(program)
        if canonical is None:
            return self._add_unusual(record)
        found = self._look(program, canonical)
        (added,) = self._buffer.insert_many([record.task])
        if isinstance(added, Duplicate):
            return None
        if isinstance(added, Unusable):
            return self._add_unusual(record)
        self._ids.append(record.id)
        self._programs.setdefault(canonical, record.id)
        return found

    def _add_unusual(self, record: Record) -> Repeat | None:
        """By its text, where program or inputs have no canonical form."""
        if record.id in self._unusual:
            return None
        self._unusual.add(record.id)
        return Repeat(level=NONE)

    def _look(self, program: str, canonical: str) -> Repeat:
        if (same := self._programs.get(canonical)) is not None:
            return Repeat(level="program", of=same, similarity=1.0)
        (near,) = self._buffer.neighbours([program], self._threshold)
        if near is None or near.id is None:
            return Repeat(level=NONE)
        level: Level = "near" if near.similarity >= self._threshold else NONE
        return Repeat(level=level, of=self._ids[near.id], similarity=near.similarity)
