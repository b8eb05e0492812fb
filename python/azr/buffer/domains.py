"""The buffers of a run over several domains behind one interface. Each domain has a shard with its own log.

A task's id is its domain's number times 2**40 plus its id there; plain Python has number 0, so its ids are plain ids.
A kind has its own name in the buffer. Logs from when a buffer told four kinds apart have a `kinds.json` beside them: in
these the kinds that it lists keep the names of plain kinds, and all others have their own.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, SupportsInt

import numpy as np
from numpy.typing import NDArray

from azr.buffer.client import Duplicate, Extras, Inserted, Neighbourhood, TaskBuffer, Unusable
from azr.errors import RunError
from azr.types import Kind, Task

BITS: Final = 40
KINDS_FILE: Final = "kinds.json"

Ids = NDArray[np.int64]


class Shard:
    """One domain's buffer."""

    def __init__(
        self, number: int, buffer: TaskBuffer, kinds: Iterable[Kind], stored_as: Mapping[Kind, Kind] | None = None
    ) -> None:
        """`stored_as`: the kinds that an old log has under another name, as `stored_names` reads them.

        Raises:
            RunError: the buffer holds tasks of a kind that is not among `kinds`.
        """
        self.buffer = buffer
        self.base = number << BITS
        self.kinds = {kind: (stored_as or {}).get(kind, kind) for kind in kinds}
        """The domain's kinds, each with its name in the buffer."""
        self._names = {stored: kind for kind, stored in self.kinds.items()}
        if strange := [str((stored_as or {}).get(kind, kind)) for kind in buffer.kinds() if kind not in self._names]:
            raise RunError(f"the buffer holds tasks of kinds that the domain does not have: {', '.join(strange)}")

    def inward(self, task: Task) -> Task:
        """A task as the buffer has it."""
        return replace(task, kind=self.kinds[task.kind])

    def outward(self, task: Task) -> Task:
        """A task as the run has it."""
        assert task.id is not None, "it comes out of the buffer"
        return replace(task, kind=self._names[task.kind], id=task.id + self.base)


class Shards:
    """What `azr.buffer.curriculum` asks of a buffer, over several."""

    def __init__(self, shards: Mapping[str, Shard]) -> None:
        """`shards`: by domain, in the order of their numbers; plain Python's under the empty name."""
        self._shards = dict(shards)
        self._numbered = list(self._shards.values())

    def close(self) -> None:
        for shard in self._numbered:
            shard.buffer.close()

    def checkpoint(self) -> dict[str, int]:
        """Each domain's position; durable when it returns."""
        return {name: shard.buffer.checkpoint() for name, shard in self._shards.items()}

    def insert_many(
        self, tasks: Sequence[Task], extras: Sequence[Extras] | None = None
    ) -> list[Inserted | Duplicate | Unusable]:
        """Add tasks, each to its domain's buffer; one verdict for each, in order."""
        found: dict[int, Inserted | Duplicate | Unusable] = {}
        for name, shard in self._shards.items():
            rows = [index for index, task in enumerate(tasks) if task.kind.domain == name]
            more = None if extras is None else [extras[row] for row in rows]
            verdicts = shard.buffer.insert_many([shard.inward(tasks[row]) for row in rows], more)
            found |= {row: _lift(verdict, shard.base) for row, verdict in zip(rows, verdicts, strict=True)}
        return [found[index] for index in range(len(tasks))]

    def get(self, ids: Iterable[SupportsInt]) -> list[Task]:
        """Tasks by id, in order."""
        wanted = [int(task_id) for task_id in ids]
        found: dict[int, Task] = {}
        for shard, mine in self._by_shard(wanted):
            tasks = [shard.outward(task) for task in shard.buffer.get(mine)]
            found |= {task_id + shard.base: task for task_id, task in zip(mine, tasks, strict=True)}
        return [found[task_id] for task_id in wanted]

    def ids(self, kind: Kind) -> Ids:
        shard = self._of(kind)
        return shard.buffer.ids(shard.kinds[kind]) + shard.base

    def count(self, kind: Kind) -> int:
        """Tasks of a kind that can be drawn."""
        shard = self._of(kind)
        return shard.buffer.count(shard.kinds[kind])

    def record_solve_rate(self, task_id: int, rate: float, step: int, attempts: int | None = None) -> None:
        shard, local = self._place(task_id)
        shard.buffer.record_solve_rate(local, rate, step, attempts)

    def solve_rate(self, task_id: int) -> float | None:
        shard, local = self._place(task_id)
        return shard.buffer.solve_rate(local)

    def mark_served(self, ids: Iterable[SupportsInt]) -> None:
        for shard, mine in self._by_shard([int(task_id) for task_id in ids]):
            shard.buffer.mark_served(mine)

    def exclude(self, *ids: SupportsInt) -> None:
        for shard, mine in self._by_shard([int(task_id) for task_id in ids]):
            shard.buffer.exclude(*mine)

    def quarantine(self, *ids: SupportsInt, held: bool = True) -> None:
        for shard, mine in self._by_shard([int(task_id) for task_id in ids]):
            shard.buffer.quarantine(*mine, held=held)

    # Sampling; the kinds of one call are of one domain.

    def uniform(self, kinds: Sequence[Kind], count: int, seed: int) -> Ids:
        return self._sample(kinds, lambda buffer, kinds: buffer.uniform(kinds, count, seed))

    def weighted(self, kinds: Sequence[Kind], count: int, seed: int) -> Ids:
        return self._sample(kinds, lambda buffer, kinds: buffer.weighted(kinds, count, seed))

    def max_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int) -> Ids:
        return self._sample(kinds, lambda buffer, kinds: buffer.max_new(kinds, count, seed, since=since))

    def half_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int) -> Ids:
        return self._sample(kinds, lambda buffer, kinds: buffer.half_new(kinds, count, seed, since=since))

    def in_band(
        self, kinds: Sequence[Kind], count: int, seed: int, *, low: float, high: float, unknown: bool = True
    ) -> Ids:
        return self._sample(kinds, lambda b, own: b.in_band(own, count, seed, low=low, high=high, unknown=unknown))

    def prioritised(self, kinds: Sequence[Kind], count: int, seed: int) -> Ids:
        return self._sample(kinds, lambda buffer, own: buffer.prioritised(own, count, seed))

    # Similarity, within a domain.

    def nearest(self, task_id: int) -> Neighbourhood:
        shard, local = self._place(task_id)
        found = shard.buffer.nearest(local)
        return replace(found, id=None if found.id is None else found.id + shard.base)

    def cluster_share(self, task_id: int) -> float:
        shard, local = self._place(task_id)
        return shard.buffer.cluster_share(local)

    def _sample(self, kinds: Sequence[Kind], draw: Callable[[TaskBuffer, list[Kind]], Ids]) -> Ids:
        (shard,) = {self._of(kind).base: self._of(kind) for kind in kinds}.values()
        return draw(shard.buffer, [shard.kinds[kind] for kind in kinds]) + shard.base

    def _of(self, kind: Kind) -> Shard:
        return self._shards[kind.domain]

    def _place(self, task_id: int) -> tuple[Shard, int]:
        return self._numbered[task_id >> BITS], task_id & ((1 << BITS) - 1)

    def _by_shard(self, ids: Sequence[int]) -> list[tuple[Shard, list[int]]]:
        """The ids of each shard as its buffer knows them."""
        rows: dict[int, list[int]] = {}
        for task_id in ids:
            rows.setdefault(task_id >> BITS, []).append(task_id & ((1 << BITS) - 1))
        return [(self._numbered[number], mine) for number, mine in rows.items()]


def folder_of(buffer: Path, domain: str) -> Path:
    """Where a domain's log lies, beside that of plain Python."""
    return buffer.with_name(f"{buffer.name}-{domain}") if domain else buffer


def stored_names(folder: Path) -> dict[Kind, Kind]:
    """The kinds that a log from when a buffer told four apart has under other names: each with that name.

    Raises:
        RunError: the note of them cannot be read.
    """
    path = folder / KINDS_FILE
    try:
        if not path.exists():
            return {}
        found = json.loads(path.read_text("ascii"))
        return {Kind(name): Kind(stored) for stored, name in found.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RunError(f"cannot read {path}, which names the kinds of an old log: {error}") from error


def _lift(verdict: Inserted | Duplicate | Unusable, base: int) -> Inserted | Duplicate | Unusable:
    if isinstance(verdict, Inserted):
        return Inserted(verdict.id + base)
    return Duplicate(verdict.level, verdict.of + base) if isinstance(verdict, Duplicate) else verdict
