"""The buffers of a run over several domains behind one interface. Each domain has a shard with its own log.

A task's id is its domain's number times 2**40 plus its id there; plain Python has number 0, so its ids are plain ids.
A buffer tells four kinds apart, so a domain's kinds stand in it under the names of plain ones (`SLOTS`).
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
SLOTS: Final = (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION, Kind.ERROR)
KINDS_FILE: Final = "kinds.json"

Ids = NDArray[np.int64]


class Shard:
    """One domain's buffer."""

    def __init__(self, number: int, buffer: TaskBuffer, slots: Mapping[Kind, Kind]) -> None:
        self.buffer = buffer
        self.base = number << BITS
        self.slots = dict(slots)
        self._names = {slot: kind for kind, slot in slots.items()}

    def inward(self, task: Task) -> Task:
        """A task as the buffer has it."""
        return replace(task, kind=self.slots[task.kind])

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
        return shard.buffer.ids(shard.slots[kind]) + shard.base

    def count(self, kind: Kind) -> int:
        """Tasks of a kind that can be drawn."""
        shard = self._of(kind)
        return shard.buffer.count(shard.slots[kind])

    def record_solve_rate(self, task_id: int, rate: float, step: int, attempts: int | None = None) -> None:
        shard, local = self._place(task_id)
        shard.buffer.record_solve_rate(local, rate, step, attempts)

    def solve_rate(self, task_id: int) -> float | None:
        shard, local = self._place(task_id)
        return shard.buffer.solve_rate(local)

    def mark_served(self, ids: Iterable[SupportsInt]) -> None:
        for shard, mine in self._by_shard([int(task_id) for task_id in ids]):
            shard.buffer.mark_served(mine)

    def quarantine(self, *ids: SupportsInt, held: bool = True) -> None:
        for shard, mine in self._by_shard([int(task_id) for task_id in ids]):
            shard.buffer.quarantine(*mine, held=held)

    # Sampling; the kinds of one call are of one domain.

    def uniform(self, kinds: Sequence[Kind], count: int, seed: int) -> Ids:
        return self._sample(kinds, lambda buffer, slots: buffer.uniform(slots, count, seed))

    def weighted(self, kinds: Sequence[Kind], count: int, seed: int) -> Ids:
        return self._sample(kinds, lambda buffer, slots: buffer.weighted(slots, count, seed))

    def max_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int) -> Ids:
        return self._sample(kinds, lambda buffer, slots: buffer.max_new(slots, count, seed, since=since))

    def half_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int) -> Ids:
        return self._sample(kinds, lambda buffer, slots: buffer.half_new(slots, count, seed, since=since))

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
        return draw(shard.buffer, [shard.slots[kind] for kind in kinds]) + shard.base

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


def slots_of(kinds: Sequence[Kind]) -> dict[Kind, Kind]:
    """Which plain name each kind of a domain has in its buffer: its own where it has one, else a free one."""
    slots = {kind: kind.base for kind in kinds if kind.base in SLOTS}
    free = [slot for slot in SLOTS if slot not in slots.values()]
    return slots | dict(zip([kind for kind in kinds if kind not in slots], free, strict=False))


def folder_of(buffer: Path, domain: str) -> Path:
    """Where a domain's log lies, beside that of plain Python."""
    return buffer.with_name(f"{buffer.name}-{domain}") if domain else buffer


def note_slots(folder: Path, slots: Mapping[Kind, Kind]) -> None:
    """Write down which kind stands under which name, for people and for the next opening."""
    path = folder / KINDS_FILE
    wanted = {str(slot): str(kind) for kind, slot in slots.items()}
    if path.exists():
        if json.loads(path.read_text("ascii")) != wanted:
            raise RunError(f"{folder} holds tasks of other kinds: {path.read_text('ascii').strip()}")
        return
    try:
        path.write_text(json.dumps(wanted) + "\n", "ascii")
    except OSError as error:
        raise RunError(f"cannot write {path}: {error}") from error


def _lift(verdict: Inserted | Duplicate | Unusable, base: int) -> Inserted | Duplicate | Unusable:
    if isinstance(verdict, Inserted):
        return Inserted(verdict.id + base)
    return Duplicate(verdict.level, verdict.of + base) if isinstance(verdict, Duplicate) else verdict
