"""Typed client of the task buffer: verified tasks, deduplicated, sampled in batches, durable.

It wraps `azr._azr.TaskBuffer`. All calls release the GIL. Any number of threads may share a buffer.

    buffer = TaskBuffer.open(folder, cap=16_384)
    verdicts = buffer.insert_many(tasks)            # Inserted(id) | Duplicate(level, of) | Unusable(why), in order
    ids = buffer.max_new([Kind.DEDUCTION], 64, seed=7, since=step - 1)
    position = buffer.checkpoint()                  # durable when it returns
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, SupportsInt, cast

import numpy as np

from azr import _azr
from azr.buffer.types import (
    Cut,
    Duplicate,
    Eviction,
    Extras,
    Filter,
    Ids,
    Inserted,
    Level,
    Neighbourhood,
    Opened,
    Solved,
    State,
    Unusable,
)
from azr.types import Kind, Role, Task

if TYPE_CHECKING:
    from azr._azr import _Row as Row
    from azr.sandbox import Value

__all__ = [
    "Cut", "Duplicate", "Extras", "Filter", "Ids", "Inserted", "Neighbourhood", "Opened", "Solved", "State",
    "TaskBuffer", "Unusable", "canonical",
]  # fmt: skip

MAX_ATTEMPTS = 1000
"""Largest denominator in which a solve rate given as a float is read."""

EVERYTHING = Filter()
NO_EXTRAS = Extras()


class TaskBuffer:
    """Tasks with dense, stable ids, deduplicated on insert."""

    def __init__(self, inner: _azr.TaskBuffer, opened: Opened | None = None) -> None:
        """Use `in_memory` or `open` instead."""
        self._inner = inner
        self.opened = opened
        """What opening found; None for a buffer in memory."""

    @classmethod
    def in_memory(
        cls,
        *,
        cap: int = 0,
        eviction: Eviction = "newest",
        deduplicate: Level = "canonical",
        similarity: bool = True,
        entry: str | None = None,
    ) -> Self:
        """A buffer without a log. Arguments as for `open`."""
        return cls(
            _azr.TaskBuffer.in_memory(level=deduplicate, cap=cap, policy=eviction, similarity=similarity, entry=entry)
        )

    @classmethod
    def open(  # noqa: PLR0913 - keywords of one call
        cls,
        folder: Path,
        *,
        cap: int = 0,
        eviction: Eviction = "newest",
        deduplicate: Level = "canonical",
        similarity: bool = True,
        entry: str | None = None,
        access: Literal["write", "existing", "read"] = "write",
        position: int | None = None,
        salvage: bool = False,
        group_commit: tuple[int, float] | None = None,
    ) -> Self:
        """Open the buffer in `folder`, or make it.

        Args:
            cap: tasks of each kind that can be sampled; 0: no limit. Others stay readable, and logged until `compact`.
            eviction: which tasks can be sampled: the newest, a uniform reservoir, or all.
            deduplicate: which tasks of one kind count as equal.
            similarity: keep the similarity index, which `neighbours` and the like need.
            entry: name of the function that inputs are arguments of; None: `f`, or the last function.
            access: `existing` never creates a buffer; `read` changes nothing and works beside a live writer.
            position: restore the state that `checkpoint` named; 0 is the empty buffer. Later records are moved
                to separate files.
            salvage: use the intact part of a damaged log; the rest is moved to separate files.
            group_commit: (n, seconds): also commit in the background after so many tasks or so much time. Without it
                nothing is durable before `commit` or `checkpoint` returns.

        Raises:
            BufferError: in use by another process, not a buffer, damaged, of a newer version, ...; nothing changes.
        """
        inner, report = _azr.TaskBuffer.open(
            folder,
            level=deduplicate,
            cap=cap,
            policy=eviction,
            similarity=similarity,
            entry=entry,
            access=access,
            position=position,
            salvage=salvage,
            group=group_commit,
        )
        cut = None if report.cut is None else Cut(*report.cut)
        return cls(inner, Opened(report.records, report.end, report.acknowledged, cut, tuple(report.set_aside)))

    def close(self) -> None:
        """Release the lock. Without a group commit, uncommitted records are lost."""
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Number of ids given out."""
        return len(self._inner)

    # Writing.

    def insert(self, task: Task, extras: Extras = NO_EXTRAS) -> Inserted | Duplicate:
        """Add one task, unless it is a duplicate.

        Raises:
            ValueError: its program or an input has no canonical form, which no task that the sandbox ran can be.
        """
        (verdict,) = self.insert_many([task], [extras])
        if isinstance(verdict, Unusable):
            raise ValueError(f"not a task: {verdict.why}")
        return verdict

    def insert_many(
        self, tasks: Sequence[Task], extras: Sequence[Extras] | None = None, threads: int = 1
    ) -> list[Inserted | Duplicate | Unusable]:
        """Add tasks; one result for each, in order. Ids follow that order for any number of threads."""
        more = [NO_EXTRAS] * len(tasks) if extras is None else extras
        rows: list[Row] = [
            (
                task.kind, task.program, list(task.inputs), [(value.encoded, value.repr) for value in task.outputs],
                task.message, list(extra.imports), task.step, task.role, list(task.references), list(task.parents),
                extra.behaviour,
            )
            for task, extra in zip(tasks, more, strict=True)
        ]  # fmt: skip
        return [_verdict(*found) for found in self._inner.insert_many(rows, threads)]

    def record_solve_rate(self, task_id: int, rate: float, step: int, attempts: int | None = None) -> None:
        """Record the mean score of the attempts at a task in a step.

        With `attempts`, `rate` is rounded to a whole number of them; without, it is read as the simplest fraction with
        a denominator of at most 1,000. Notes of one step add up; the last step is the task's solve rate.
        """
        if attempts is None:
            fraction = Fraction(rate).limit_denominator(MAX_ATTEMPTS)
            self.record_solved([(task_id, Solved(step, fraction.numerator, fraction.denominator))])
        else:
            self.record_solved([(task_id, Solved(step, round(rate * attempts), attempts))])

    def record_solved(self, measured: Iterable[tuple[int, Solved]]) -> None:
        """Note attempts at tasks."""
        rows = [(task_id, solved.step, solved.successes, solved.attempts) for task_id, solved in measured]
        self._inner.record_solved(rows)

    def mark_served(self, ids: Iterable[SupportsInt]) -> None:
        """Count one more serving of each of these tasks."""
        self._inner.mark_served([int(task_id) for task_id in ids])

    def exclude(self, *ids: SupportsInt) -> None:
        """Exclude tasks from all sampling for good: a rule of the curriculum."""
        self._inner.exclude([int(task_id) for task_id in ids])

    def quarantine(self, *ids: SupportsInt, held: bool = True) -> None:
        """Hold tasks back from all sampling, or let them go: a decision of a person or of a monitor."""
        self._inner.quarantine([int(task_id) for task_id in ids], held)

    def commit(self) -> int:
        """Make all records durable; returns the log's position after them."""
        return self._inner.commit()

    def checkpoint(self) -> int:
        """As `commit`; `open(position=...)` restores exactly this state."""
        return self._inner.commit()

    def compact(self) -> int:
        """Rewrite the log without evicted tasks. Earlier positions become invalid. Ctrl-C keeps the old log."""
        return self._inner.compact()

    # Reading.

    def get(self, ids: Iterable[SupportsInt]) -> list[Task]:
        """Tasks by id, in order."""
        wanted = [int(task_id) for task_id in ids]
        return [_task(task_id, row) for task_id, row in zip(wanted, self._inner.get_many(wanted), strict=True)]

    def extras(self, ids: Iterable[SupportsInt]) -> list[Extras]:
        """The fields of tasks that `Task` does not have, in order."""
        return [Extras(tuple(row[5]), row[10]) for row in self._inner.get_many([int(task_id) for task_id in ids])]

    def rows(self, ids: Iterable[SupportsInt]) -> "list[Row]":
        """Tasks as plain tuples: kind, program, inputs, outputs as (encoding, repr), and so on; needs no sandbox."""
        return self._inner.get_many([int(task_id) for task_id in ids])

    def state(self, task_id: int) -> State:
        """Counters and solve rates of a task."""
        history, served, quarantined, excluded, servable = self._inner.state(task_id)
        return State(tuple(Solved(*row) for row in history), served, quarantined, excluded, servable)

    def solve_rates(self, ids: Iterable[SupportsInt]) -> list[float | None]:
        """The last solve rate of each task; None where it has no attempts."""
        return self._inner.solve_rates([int(task_id) for task_id in ids])

    def solve_rate(self, task_id: int) -> float | None:
        """The last solve rate of a task; None where it has no attempts."""
        return self.solve_rates([task_id])[0]

    def ids(self, *kinds: Kind, where: Filter = EVERYTHING) -> Ids:
        """Ids of these kinds (none: all) that match the filter, ascending; evicted tasks included."""
        if kinds:
            where = Filter(
                kinds=kinds, first_step=where.first_step, last_step=where.last_step, low=where.low, high=where.high,
                unknown=where.unknown, servable=where.servable,
            )  # fmt: skip
        return _ids(self._inner.ids(where))

    def count(self, kind: Kind) -> int:
        """Number of tasks of a kind that can be sampled."""
        return self._inner.drawable(kind)

    def kinds(self) -> list[Kind]:
        """The kinds that any task has or had: plain ones first, then by name."""
        return [Kind(name) for name in self._inner.kinds()]

    def stored(self, kind: Kind) -> int:
        """Number of stored tasks of a kind, evicted ones included."""
        return self._inner.count(kind)

    # Sampling. Ids are distinct, `count` of them if enough can be sampled; the same seed gives the same batch.

    def uniform(self, kinds: Sequence[Kind], count: int, seed: int, exclude: Sequence[int] = ()) -> Ids:
        """Uniform."""
        return _ids(self._inner.sample(list(kinds), count, "uniform", seed, list(exclude)))

    def max_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int, exclude: Sequence[int] = ()) -> Ids:
        """As many tasks as possible from step `since` or later; the rest uniform."""
        found = self._inner.sample(list(kinds), count, "max_new", seed, list(exclude), since=max(since, 0))
        return _ids(found)

    def half_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int, exclude: Sequence[int] = ()) -> Ids:
        """As `max_new`, with at most half of the batch recent while there are older tasks."""
        found = self._inner.sample(list(kinds), count, "half_new", seed, list(exclude), since=max(since, 0))
        return _ids(found)

    def weighted(self, kinds: Sequence[Kind], count: int, seed: int, exclude: Sequence[int] = ()) -> Ids:
        """In proportion to the step that made the task, plus one."""
        return _ids(self._inner.sample(list(kinds), count, "recency", seed, list(exclude)))

    def prioritised(self, kinds: Sequence[Kind], count: int, seed: int, exclude: Sequence[int] = ()) -> Ids:
        """In proportion to 4p(1 - p) / (times served + 1), with p = 1/2 where no solve rate is known."""
        return _ids(self._inner.sample(list(kinds), count, "priority", seed, list(exclude)))

    def in_band(
        self, kinds: Sequence[Kind], count: int, seed: int, *, low: float, high: float, unknown: bool = True
    ) -> Ids:
        """Tasks with a solve rate in [low, high] first (and untried ones, if `unknown`); the rest uniform."""
        found = self._inner.sample(list(kinds), count, "solve_rate", seed, [], low=low, high=high, unknown=unknown)
        return _ids(found)

    # Similarity.

    def neighbours(self, programs: Sequence[str], threshold: float = 0.7) -> list[Neighbourhood | None]:
        """Similarity of programs to the stored ones; None for a program that does not parse."""
        found = self._inner.neighbours(list(programs), threshold)
        return [None if around is None else Neighbourhood(*around) for around in found]

    def neighbours_of(self, ids: Iterable[SupportsInt], threshold: float = 0.7) -> list[Neighbourhood]:
        """Similarity of stored tasks to the others."""
        found = self._inner.neighbours_of([int(task_id) for task_id in ids], threshold)
        return [Neighbourhood(*around) for around in found]

    def nearest(self, task_id: int) -> Neighbourhood:
        """The most similar other stored task."""
        return self.neighbours_of([task_id])[0]

    def cluster_share(self, task_id: int, threshold: float = 0.7) -> float:
        """Share of the other stored tasks that are near duplicates."""
        return self.neighbours_of([task_id], threshold)[0].share


def canonical(program: str, inputs: Sequence[str] = (), entry: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The canonical program and inputs, equal for programs that differ only in names, comments and formatting.

    Raises:
        ValueError: the program or an input does not parse, or nests too deeply.
    """
    text, texts, _ = _azr.canonicalize(program, list(inputs), entry)
    return text, tuple(texts)


def _ids(found: bytes) -> Ids:
    return np.frombuffer(found, dtype="<i8").astype(np.int64)


def _task(task_id: int, row: "Row") -> Task:
    kind, program, inputs, outputs, message, _, step, role, references, parents, _ = row
    return Task(
        kind=Kind(kind), program=program, inputs=tuple(inputs), outputs=_values(encoded for encoded, _ in outputs),
        message=message, step=step, role=Role(role), references=tuple(references), parents=tuple(parents), id=task_id,
    )  # fmt: skip


def _values(encoded: Iterable[bytes]) -> "tuple[Value, ...]":
    found = list(encoded)
    if not found:
        return ()
    from azr.sandbox import Value

    return tuple(Value.from_encoded(value) for value in found)


def _verdict(outcome: str, task_id: int | None, why: str | None) -> Inserted | Duplicate | Unusable:
    if outcome == "invalid":
        return Unusable(why or "")
    assert task_id is not None, "a task is added under an id, or repeats one"
    return Inserted(task_id) if outcome == "added" else Duplicate(cast(Level, outcome), task_id)
