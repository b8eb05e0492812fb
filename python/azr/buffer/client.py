"""The task buffer: what was proposed and verified, kept once, served in batches, never lost.

A typed front over `azr._azr.TaskBuffer`. All calls release the GIL; any number of threads may use one buffer at once.

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
"""Largest denominator that a solve rate given as a float is read with."""

EVERYTHING = Filter()
NO_EXTRAS = Extras()


class TaskBuffer:
    """Tasks with dense, stable ids, deduplicated on insert."""

    def __init__(self, inner: _azr.TaskBuffer, opened: Opened | None = None) -> None:
        """Wrap what `in_memory` or `open` made."""
        self._inner = inner
        self.opened = opened
        """What opening found; None in memory."""

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
            cap: tasks of each kind that are served; 0: no bound. Others stay readable, and in the log until `compact`.
            eviction: which ones are served: the newest, a uniform reservoir, or all.
            deduplicate: how alike two tasks of one kind have to be to count as one.
            similarity: keep the index that `neighbours` and its kin ask.
            entry: name of the function that inputs are arguments of; None: `f`, or the last function.
            access: `existing` makes nothing; `read` changes nothing and does not mind a live writer.
            position: restore the state that `checkpoint` named; 0 is the empty buffer. What came later is set aside in
                files of its own.
            salvage: go on with the good part of a damaged log; the rest is set aside in files of its own.
            group_commit: (n, seconds): also commit in the background after so many tasks or so much time. Without it
                nothing is durable before `commit` or `checkpoint` returns.

        Raises:
            BufferError: in use by another process, foreign, damaged, of a newer version, ...; nothing is overwritten.
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
        """Give the lock back. What was not committed is lost, unless there is a group commit."""
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Ids given out."""
        return len(self._inner)

    # Writing.

    def insert(self, task: Task, extras: Extras = NO_EXTRAS) -> Inserted | Duplicate:
        """Add one task, unless it is there.

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
        """Add tasks; one verdict for each, in order. Ids follow that order, whatever the number of threads."""
        more = [NO_EXTRAS] * len(tasks) if extras is None else extras
        rows = [_row(task, extra) for task, extra in zip(tasks, more, strict=True)]
        return [_verdict(*found) for found in self._inner.insert_many(rows, threads)]

    def record_solve_rate(self, task_id: int, rate: float, step: int, attempts: int | None = None) -> None:
        """Note the mean score of the attempts at a task in a step.

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
        """Count that each of these was served once more."""
        self._inner.mark_served([int(task_id) for task_id in ids])

    def quarantine(self, *ids: SupportsInt, held: bool = True) -> None:
        """Hold tasks back from all sampling, or let them go."""
        self._inner.quarantine([int(task_id) for task_id in ids], held)

    def commit(self) -> int:
        """Make everything so far durable; the log's position after it."""
        return self._inner.commit()

    def checkpoint(self) -> int:
        """As `commit`: the position that `open(position=...)` restores exactly this state from."""
        return self._inner.commit()

    def compact(self) -> int:
        """Rewrite the log without evicted tasks; earlier positions are void afterwards. Ctrl-C leaves the old log."""
        return self._inner.compact()

    # Reading.

    def get(self, ids: Iterable[SupportsInt]) -> list[Task]:
        """Tasks by id, in order."""
        wanted = [int(task_id) for task_id in ids]
        return [_task(task_id, row) for task_id, row in zip(wanted, self._inner.get_many(wanted), strict=True)]

    def extras(self, ids: Iterable[SupportsInt]) -> list[Extras]:
        """What the tasks have beyond `Task`, in order."""
        return [Extras(tuple(row[5]), row[10]) for row in self._inner.get_many([int(task_id) for task_id in ids])]

    def rows(self, ids: Iterable[SupportsInt]) -> "list[Row]":
        """Tasks as plain tuples: kind, program, inputs, outputs as (encoding, repr), and so on; needs no sandbox."""
        return self._inner.get_many([int(task_id) for task_id in ids])

    def state(self, task_id: int) -> State:
        """What has happened to a task."""
        history, served, quarantined, servable = self._inner.state(task_id)
        return State(tuple(Solved(*row) for row in history), served, quarantined, servable)

    def solve_rates(self, ids: Iterable[SupportsInt]) -> list[float | None]:
        """The last solve rate of each task; None if nobody has tried it."""
        return self._inner.solve_rates([int(task_id) for task_id in ids])

    def solve_rate(self, task_id: int) -> float | None:
        """The last solve rate of a task; None if nobody has tried it."""
        return self.solve_rates([task_id])[0]

    def ids(self, *kinds: Kind, where: Filter = EVERYTHING) -> Ids:
        """Ids of these kinds (none: all) that fit the filter, ascending; evicted tasks included."""
        if kinds:
            where = Filter(
                kinds=kinds, first_step=where.first_step, last_step=where.last_step, low=where.low, high=where.high,
                unknown=where.unknown, servable=where.servable,
            )  # fmt: skip
        return _ids(self._inner.ids(where))

    def count(self, kind: Kind) -> int:
        """Tasks of a kind that can be drawn."""
        return self._inner.drawable(kind)

    def stored(self, kind: Kind) -> int:
        """Tasks of a kind that are here, evicted ones included."""
        return self._inner.count(kind)

    # Sampling: distinct ids, `count` of them while as many can be drawn; the same seed gives the same batch.

    def uniform(self, kinds: Sequence[Kind], count: int, seed: int, exclude: Sequence[int] = ()) -> Ids:
        """All alike."""
        return _ids(self._inner.sample(list(kinds), count, "uniform", seed, list(exclude)))

    def max_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int, exclude: Sequence[int] = ()) -> Ids:
        """As many tasks as possible of step `since` or later, these first; the rest uniform."""
        found = self._inner.sample(list(kinds), count, "max_new", seed, list(exclude), since=max(since, 0))
        return _ids(found)

    def half_new(self, kinds: Sequence[Kind], count: int, seed: int, *, since: int, exclude: Sequence[int] = ()) -> Ids:
        """As `max_new`, with at most half of the batch recent."""
        found = self._inner.sample(list(kinds), count, "half_new", seed, list(exclude), since=max(since, 0))
        return _ids(found)

    def weighted(self, kinds: Sequence[Kind], count: int, seed: int, exclude: Sequence[int] = ()) -> Ids:
        """In proportion to the step that made the task, plus one."""
        return _ids(self._inner.sample(list(kinds), count, "recency", seed, list(exclude)))

    def prioritised(self, kinds: Sequence[Kind], count: int, seed: int, exclude: Sequence[int] = ()) -> Ids:
        """In proportion to 4p(1 - p) over times served + 1, with p = 1/2 where there is no solve rate yet."""
        return _ids(self._inner.sample(list(kinds), count, "priority", seed, list(exclude)))

    def in_band(
        self, kinds: Sequence[Kind], count: int, seed: int, *, low: float, high: float, unknown: bool = True
    ) -> Ids:
        """Tasks with a solve rate in [low, high] first (and untried ones, if `unknown`); the rest uniform."""
        found = self._inner.sample(list(kinds), count, "solve_rate", seed, [], low=low, high=high, unknown=unknown)
        return _ids(found)

    # Similarity.

    def neighbours(self, programs: Sequence[str], threshold: float = 0.7) -> list[Neighbourhood | None]:
        """How alike programs are to the stored ones; None for one that does not parse."""
        found = self._inner.neighbours(list(programs), threshold)
        return [None if around is None else Neighbourhood(*around) for around in found]

    def neighbours_of(self, ids: Iterable[SupportsInt], threshold: float = 0.7) -> list[Neighbourhood]:
        """How alike stored tasks are to the others."""
        found = self._inner.neighbours_of([int(task_id) for task_id in ids], threshold)
        return [Neighbourhood(*around) for around in found]

    def nearest(self, task_id: int) -> Neighbourhood:
        """The stored task that is most alike, other than itself."""
        return self.neighbours_of([task_id])[0]

    def cluster_share(self, task_id: int, threshold: float = 0.7) -> float:
        """Share of the other stored tasks that are near copies."""
        return self.neighbours_of([task_id], threshold)[0].share


def canonical(program: str, inputs: Sequence[str] = (), entry: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The canonical program and inputs: the same for programs that differ only in names, comments and formatting.

    Raises:
        ValueError: the program or an input does not parse, or nests too deeply.
    """
    text, texts, _ = _azr.canonicalize(program, list(inputs), entry)
    return text, tuple(texts)


def _ids(found: bytes) -> Ids:
    return np.frombuffer(found, dtype="<i8").astype(np.int64)


def _row(task: Task, extras: Extras) -> "Row":
    outputs = [(value.encoded, value.repr) for value in task.outputs]
    return (
        task.kind, task.program, list(task.inputs), outputs, task.message, list(extras.imports), task.step, task.role,
        list(task.references), list(task.parents), extras.behaviour,
    )  # fmt: skip


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
