"""Stage 3: valid new tasks enter the buffer; the other stages draw from it.

The curriculum's rules are here. Storage, deduplication and sampling are the buffer's (`azr.buffer.client`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azr.buffer.client import Duplicate, Extras, Inserted, Neighbourhood, TaskBuffer, Unusable
from azr.buffer.domains import Shard, Shards, folder_of, stored_names
from azr.config import Config
from azr.config.mixture import folders, shares
from azr.errors import RunError
from azr.tasks import source
from azr.types import Attempt, Kind, Reason, Rejected, Task, Valid, solve_rate, with_verdict
from azr.util.randomness import generator

POOLED = (Kind.ABDUCTION, Kind.DEDUCTION)
"""A program with an input makes a task of either kind: these kinds share seed tasks, and induction tasks are made from
their programs, within each domain."""


CLEAR = 0.5
"""Least solve rate of a task to induce whose message names what the program does."""

Signatures = Callable[[Sequence[Task]], Sequence[int | None]]
"""Behavioural fingerprints of tasks (`azr.buffer.fingerprint`)."""


class TaskStore:
    """The tasks of a run: storage and curriculum."""

    def __init__(
        self,
        buffer: TaskBuffer | Shards,
        config: Config,
        kinds: Sequence[Kind] = tuple(Kind),
        signatures: "Signatures | None" = None,
    ) -> None:
        """`kinds`: all that the buffer may hold, in order. `signatures`: fingerprints for deduplication by
        behaviour."""
        if config.buffer.deduplicate == "behaviour" and signatures is None:
            raise RunError("buffer.deduplicate = 'behaviour' needs the sandboxes that the programs run in")
        self._signatures = signatures if config.buffer.deduplicate == "behaviour" else None
        self._buffer = buffer
        self._config = config
        self._kinds = tuple(kinds)
        self._served = shares(config).answers
        self._answers: dict[Kind, Counter[str]] = {kind: Counter() for kind in kinds}
        for task in self.everything():
            self._remember(task)

    def count(self, kind: Kind) -> int:
        """Tasks of a kind that can be sampled."""
        return self._buffer.count(kind)

    def everything(self) -> list[Task]:
        """All tasks, kind by kind, in the order of their ids."""
        return [task for kind in self._kinds for task in self._buffer.get(self._buffer.ids(kind))]

    def position(self) -> int:
        """Durable end of plain Python's log."""
        return self.positions()[""]

    def positions(self) -> dict[str, int]:
        """Durable end of each domain's log; a checkpoint stores them. Plain Python: the empty name."""
        found = self._buffer.checkpoint()
        return found if isinstance(found, dict) else {"": found}

    def close(self) -> None:
        """Close the buffer."""
        self._buffer.close()

    def add(self, tasks: Sequence[Task]) -> int:
        """Store tasks that need no verdict (seed tasks); returns how many were new."""
        found = self._buffer.insert_many(tasks, self._extras(tasks))
        new = [task for task, verdict in zip(tasks, found, strict=True) if isinstance(verdict, Inserted)]
        for task in new:
            self._remember(task)
        return len(new)

    def admit(self, verdicts: Sequence[Valid | Rejected]) -> list[Valid | Rejected]:
        """Store valid new tasks; one final verdict for each, in order.

        All of a step in one call: ids, and which of two equal proposals is the duplicate, follow from the order of the
        proposals, not from which was finished first.
        """
        tasks = [verdict.task for verdict in verdicts if isinstance(verdict, Valid)]
        found = iter(self._buffer.insert_many(tasks, self._extras(tasks)))
        final: list[Valid | Rejected] = []
        for verdict in verdicts:
            if isinstance(verdict, Rejected):
                final.append(verdict)
            elif isinstance(stored := next(found), Inserted):
                self._remember(verdict.task)
                final.append(replace(verdict, task=replace(verdict.task, id=stored.id)))
            else:
                final.append(self._not_new(verdict, stored))
        return final

    def record(self, tried: Sequence[tuple[Task, Sequence[Attempt]]], step: int) -> None:
        """Record the solve rate of each task, by the attempts at it."""
        for task, row in tried:
            assert task.id is not None, "only stored tasks are tried"
            rate = solve_rate(row)
            if rate is None:  # the sandbox failed on all of them, which says nothing about the task
                continue
            self._buffer.record_solve_rate(task.id, rate, step, attempts=len(with_verdict(row)))
            if not SERVED[self._config.buffer.serve](rate):
                self._buffer.exclude(task.id)

    # Oversight.

    def hold(self, ids: Sequence[int]) -> None:
        """Quarantine tasks: hold them back from all sampling."""
        self._buffer.quarantine(*ids)

    def release(self, task_id: int) -> None:
        """Release a task from quarantine. One that `buffer.serve` excludes stays out."""
        rate = self._buffer.solve_rate(task_id)
        # Logs of before had one flag for both.
        if rate is not None and not SERVED[self._config.buffer.serve](rate):
            self._buffer.exclude(task_id)
        self._buffer.quarantine(task_id, held=False)

    def alike(self, ids: Sequence[int]) -> list[Neighbourhood]:
        """Similarity of stored tasks to the rest of the buffer."""
        return [self._buffer.nearest(task_id) for task_id in ids]

    # References for the proposer.

    def references(self, kind: Kind, rng: np.random.Generator) -> list[Task]:
        """Distinct tasks of the kind: `propose.references` of them, or all there are."""
        return self._buffer.get(self._draw([kind], self._config.propose.references, rng))

    def sources(self, count: int, rng: np.random.Generator, domain: str = "") -> list[Task]:
        """Programs for proposals about stored tasks, from the domain's pool; repeated only if there are too few."""
        return self._filled(self._draw(self.pool(domain), count, rng), count, rng)

    def plain(self, count: int, rng: np.random.Generator, domain: str = "") -> list[Task]:
        """Up to `count` tasks whose programs are not composites themselves."""
        drawn = self._buffer.get(self._draw(self.pool(domain), 8 * count, rng))
        return [task for task in drawn if not task.parents][:count]

    def mastered(self, rng: np.random.Generator, domain: str = "") -> list[Task]:
        """A task to go on from, solved as often as `tasks.composite` wants; none if there is none."""
        given, seed = self._config.tasks.composite, int(rng.integers(2**62))
        low, high = given.solved, given.easiest
        ids = self._buffer.in_band(
            self.pool(domain), given.candidates, seed, low=low, high=high, unknown=given.solved == 0.0
        )
        # Where too few are in the band, the buffer draws from the rest.
        rates = {task_id: self._buffer.solve_rate(task_id) or 0.0 for task_id in ids.tolist()}
        found = self._buffer.get([task_id for task_id, rate in rates.items() if low <= rate <= high])
        return sorted(found, key=lambda task: source.size(task.program))[-1:]

    def unsolved(self, rng: np.random.Generator, domain: str = "") -> list[Task]:
        """A task that nobody solved when it was last tried; none if there is none."""
        ids = self._buffer.in_band(self.pool(domain), 1, int(rng.integers(2**62)), low=0.0, high=0.0, unknown=False)
        return self._buffer.get([task_id for task_id in ids.tolist() if self._buffer.solve_rate(task_id) == 0.0])

    def induced(self, count: int, rng: np.random.Generator) -> list[Task]:
        """Up to `count` tasks to induce, none of which fewer than half of the last attempts solved: their messages say
        enough. Untried ones are among them: without, the first steps would learn a few dozen programs by heart."""
        ids = self._buffer.in_band([Kind.INDUCTION], count, int(rng.integers(2**62)), low=CLEAR, high=1.0)
        rates = {task_id: self._buffer.solve_rate(task_id) for task_id in ids.tolist()}
        # Where too few are in the band, the buffer draws from the rest.
        return self._buffer.get([task_id for task_id, rate in rates.items() if rate is None or rate >= CLEAR])

    def pool(self, domain: str) -> tuple[Kind, ...]:
        """Kinds whose programs a domain's other kinds are made from: deduction and abduction, or else all its kinds."""
        own = [kind for kind in self._kinds if kind.domain == domain]
        pooled = tuple(kind.of(domain) for kind in POOLED if kind.of(domain) in own)
        return pooled or tuple(own)

    # Tasks for the solver.

    def serve(self, step: int) -> list[Task]:
        """Each kind's share of tasks, by `solve.mix`; never fewer while the buffer has any."""
        tasks: list[Task] = []
        for kind in self._config.tasks.kinds:
            rng = generator(self._config.seed, step, f"serve/{kind}")
            tasks += self._filled(self._mix(kind, step, rng), self._served[kind], rng)
        self._buffer.mark_served([task.id for task in tasks if task.id is not None])
        return tasks

    # Inputs of rewards (`azr.rewards.History`).

    def surprise(self, task: Task) -> float:
        """1 - share of stored tasks of the kind with the same answer; 1 if there are none."""
        seen = self._answers[task.kind]
        own = _answers(task)
        others = seen.total() - len(own)  # the task itself is stored by now
        if others <= 0:
            return 1.0
        return float(np.mean([1.0 - (seen[answer] - 1) / others for answer in own]))

    def nearest(self, task: Task) -> float:
        """Similarity to the most similar other program."""
        assert task.id is not None, "asked of stored tasks"
        return self._buffer.nearest(task.id).similarity

    def cluster_share(self, task: Task) -> float:
        """Share of stored programs that are near duplicates."""
        assert task.id is not None, "asked of stored tasks"
        return self._buffer.cluster_share(task.id)

    def _extras(self, tasks: Sequence[Task]) -> list[Extras] | None:
        """The tasks' fingerprints, where duplicates are told by them."""
        return self._signatures and [Extras(behaviour=number) for number in self._signatures(tasks)]

    def _not_new(self, verdict: Valid, found: Duplicate | Unusable) -> Valid | Rejected:
        """The final verdict on a task that was not stored."""
        if isinstance(found, Unusable):
            return Rejected(
                proposal=verdict.proposal, reason=Reason.NO_CANONICAL_FORM, detail=found.why, fuel=verdict.fuel
            )
        if self._config.reward.proposer.duplicates == "reject":
            return Rejected(
                proposal=verdict.proposal, reason=Reason.DUPLICATE, detail=f"of task {found.of}",
                duplicate_of=found.of, duplicate_level=found.level, fuel=verdict.fuel,
            )  # fmt: skip
        (stored,) = self._buffer.get([found.of])
        return replace(verdict, task=stored, prompt=None, duplicate_of=found.of, duplicate_level=found.level)

    def _remember(self, task: Task) -> None:
        self._answers[task.kind].update(_answers(task))

    def _mix(self, kind: Kind, step: int, rng: np.random.Generator) -> NDArray[np.int64]:
        solve, count = self._config.solve, self._served[kind]
        seed = int(rng.integers(2**62))
        # The tasks of the last step are new. With `solve.lag` those of this step are not stored yet.
        since = step - 1 if solve.lag else step
        if solve.mix == "uniform":
            return self._buffer.uniform([kind], count, seed)
        if solve.mix == "step":
            return self._buffer.weighted([kind], count, seed)
        if solve.mix == "edge":
            return self._edge(kind, count, seed)
        sample = self._buffer.max_new if solve.mix == "max_new" else self._buffer.half_new
        return sample([kind], count, seed, since=since)

    def _edge(self, kind: Kind, count: int, seed: int) -> NDArray[np.int64]:
        """Unsolved tasks, as many of the share as there are; for the rest those that are solved half of the time."""
        wanted = round(count * self._config.solve.unsolved)
        drawn = self._buffer.in_band([kind], wanted, seed, low=0.0, high=0.0, unknown=False) if wanted else EMPTY
        # Where too few are in the band, the buffer draws from the rest.
        unsolved = [task_id for task_id in drawn.tolist() if self._buffer.solve_rate(task_id) == 0.0]
        others = self._buffer.prioritised([kind], count, seed)
        found = dict.fromkeys([*unsolved, *others.tolist()])
        return np.array(list(found)[:count], dtype=np.int64)

    def _draw(self, kinds: Sequence[Kind], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return self._buffer.uniform(kinds, count, int(rng.integers(2**62)))

    def _filled(self, ids: NDArray[np.int64], count: int, rng: np.random.Generator) -> list[Task]:
        """The tasks, with some repeated if there are too few."""
        if len(ids) == 0:
            raise RunError("the buffer has no task to draw: it was not seeded, or buffer.serve excludes all of them")
        missing = count - len(ids)
        return self._buffer.get(np.concatenate([ids, rng.choice(ids, missing)]) if missing > 0 else ids)


SERVED: dict[str, Callable[[float], bool]] = {
    "all": lambda rate: True,
    "non_one": lambda rate: rate < 1.0,
    "non_extremes": lambda rate: 0.0 < rate < 1.0,
}
"""Which solve rates keep a task served, by `buffer.serve`."""


EMPTY: NDArray[np.int64] = np.empty(0, dtype=np.int64)


def _answers(task: Task) -> tuple[str, ...]:
    """What the solver has to find, as text."""
    if task.kind.base is Kind.ABDUCTION:
        return task.inputs
    return tuple(value.repr for value in task.outputs)


def open_store(
    folder: Path,
    config: Config,
    position: int | None,
    positions: Mapping[str, int] | None = None,
    signatures: "Signatures | None" = None,
) -> TaskStore:
    """Open or make the buffers of a run; records beyond the position are cut off.

    Raises:
        RunError: duplicates are told by behaviour, and no `signatures` are given.
    """
    domains = {domain.name: domain.kinds for domain in folders(config)}
    plain = _open(folder, config, position)
    if not domains:
        return TaskStore(plain, config, signatures=signatures)
    shards = {"": Shard(0, plain, Kind)}
    for number, (name, kinds) in enumerate(domains.items(), 1):
        path = folder_of(folder, name)
        at = None if position is None else (positions or {}).get(name, 0)
        shards[name] = Shard(number, _open(path, config, at), kinds, stored_names(path))
    return TaskStore(Shards(shards), config, [kind for shard in shards.values() for kind in shard.kinds], signatures)


def _open(folder: Path, config: Config, position: int | None) -> TaskBuffer:
    given = config.buffer
    return TaskBuffer.open(
        folder, cap=given.cap, eviction=given.eviction, deduplicate=given.deduplicate, position=position
    )
