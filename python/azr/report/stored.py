"""A run's tasks, read-only, over the buffers of all its domains (`azr.buffer.domains`), under the run's ids."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azr.buffer.client import Cut, Filter, State, TaskBuffer
from azr.buffer.domains import BITS, folder_of, stored_names
from azr.errors import RunError
from azr.run.folder import BUFFER
from azr.types import Kind

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One domain's tasks."""

    number: int
    buffer: TaskBuffer
    names: Mapping[str, str]
    """Of its kinds, by the names under which its buffer has them."""

    def find(self, where: Filter) -> list[int]:
        """The run's ids of its tasks that fit, ascending; `where` names kinds as the run does."""
        kinds = tuple(Kind(stored) for stored, name in self.names.items() if name in where.kinds)
        if where.kinds and not kinds:
            return []
        return [int(task_id) + (self.number << BITS) for task_id in self.buffer.ids(where=replace(where, kinds=kinds))]


class Stored:
    """All tasks."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = {part.number: part for part in parts}

    def keys(self) -> NDArray[np.int64]:
        """Ids of all tasks, ascending."""
        found = [np.arange(len(part.buffer)) + (part.number << BITS) for _, part in sorted(self._parts.items())]
        return np.concatenate([np.zeros(0, np.int64), *found])

    def has(self, key: int) -> bool:
        part = self._parts.get(key >> BITS)
        return part is not None and _local(key) < len(part.buffer)

    def rows(self, keys: Iterable[int]) -> list[Row]:
        """Tasks as the buffer's plain tuples with the run's kind names, in order."""
        wanted = [int(key) for key in keys]
        found: dict[int, Row] = {}
        for number, part in self._parts.items():
            mine = [key for key in wanted if key >> BITS == number]
            for key, row in zip(mine, part.buffer.rows(map(_local, mine)), strict=True):
                found[key] = (part.names.get(str(row[0]), str(row[0])), *row[1:])
        return [found[key] for key in wanted]

    def state(self, key: int) -> State:
        """Counters and solve rates of a task."""
        return self._parts[key >> BITS].buffer.state(_local(key))

    def rate(self, key: int) -> float | None:
        """Its solve rate; None without attempts."""
        return self._parts[key >> BITS].buffer.solve_rate(_local(key))

    @property
    def kinds(self) -> list[str]:
        """Names of all possible kinds, in the run's order."""
        return [name for _, part in sorted(self._parts.items()) for name in part.names.values()]

    def find(self, where: Filter) -> list[int]:
        """Ids of the tasks that fit, ascending."""
        return [key for _, part in sorted(self._parts.items()) for key in part.find(where)]

    def newest(self, where: Filter, count: int) -> list[int]:
        """Ids of the last tasks that fit, by step, the newest last."""
        last = [key for part in self._parts.values() for key in part.find(where)[-count:]]
        steps = dict(zip(last, (row[6] for row in self.rows(last)), strict=True))
        return sorted(last, key=lambda key: (steps[key], key))[-count:]

    @property
    def records(self) -> int:
        """Records of all logs."""
        return sum(part.buffer.opened.records for part in self._parts.values() if part.buffer.opened)

    @property
    def cuts(self) -> list[Cut]:
        """Incomplete records at the ends of the logs."""
        opened = [part.buffer.opened for part in self._parts.values()]
        return [each.cut for each in opened if each and each.cut]

    def close(self) -> None:
        """Close the buffers."""
        for part in self._parts.values():
            part.buffer.close()


def open_stored(run: Path, config: Mapping[str, Any]) -> tuple[Stored | None, list[str]]:
    """The buffers of a run, and notes on unreadable ones; None if there are none at all."""
    parts, notes = [], []
    for number, name in enumerate(["", *domain_names(config)]):
        folder = folder_of(run / BUFFER, name)
        if not folder.is_dir():
            notes.append(f"there is no task buffer {folder.name}: its programs and solve rates are missing")
            continue
        try:
            parts.append(open_part(folder, number))
        except (RunError, OSError, ValueError) as error:
            notes.append(f"the task buffer {folder.name} cannot be read: {error}")
    return (Stored(parts) if parts else None), notes


def open_part(folder: Path, number: int = 0) -> Part:
    """One buffer's folder, for reading.

    Raises:
        RunError: it is no buffer, or damaged, or the names of its kinds cannot be read.
    """
    renamed = {stored: name for name, stored in stored_names(folder).items()}
    buffer = TaskBuffer.open(folder, access="read", similarity=False)
    # Plain Python's kinds can be asked for before there are any; of a domain's, those that are there.
    known = dict.fromkeys([*(() if number or renamed else Kind), *renamed, *buffer.kinds()])
    return Part(number, buffer, {str(stored): str(renamed.get(stored, stored)) for stored in known})


NAME = re.compile(r"[^/\0]{1,100}")


def domain_names(config: Mapping[str, Any]) -> list[str]:
    """The domains of a run's config but plain Python, in order: their position numbers their tasks.

    A name that no domain can have, such as one with a path in it, names no folder.
    """
    given = [one for one in config.get("domains") or () if isinstance(one, Mapping)]
    names = [str(one.get("name") or Path(str(one.get("path", ""))).name) for one in given]
    return [name for name in names if name != "python" and NAME.fullmatch(name)]


def _local(key: int) -> int:
    return key & ((1 << BITS) - 1)
