"""The task store on several ranks: it lives on rank 0, and its results are broadcast."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from azr.distributed.ranks import Ranks
from azr.types import Attempt, Kind, Rejected, Task, Valid

if TYPE_CHECKING:
    from azr.buffer.client import Neighbourhood
    from azr.buffer.store import Store


class SharedStore:
    """A `Store` for every rank. Every rank makes the same calls in the same order."""

    def __init__(self, store: "Store | None", ranks: Ranks) -> None:
        """`store`: the store on rank 0; None elsewhere."""
        self._held = store
        self._ranks = ranks

    @property
    def _store(self) -> "Store":
        assert self._held is not None, "asked on the first rank alone"
        return self._held

    def count(self, kind: Kind) -> int:
        return self._ranks.first(lambda: self._store.count(kind))

    def everything(self) -> list[Task]:
        return self._ranks.first(lambda: self._store.everything())

    def positions(self) -> dict[str, int]:
        return self._ranks.first(lambda: self._store.positions())

    def close(self) -> None:
        if self._held is not None:
            self._held.close()

    def add(self, tasks: Sequence[Task]) -> int:
        return self._ranks.first(lambda: self._store.add(tasks))

    def admit(self, verdicts: Sequence[Valid | Rejected]) -> list[Valid | Rejected]:
        return self._ranks.first(lambda: self._store.admit(verdicts))

    def record(self, tried: Sequence[tuple[Task, Sequence[Attempt]]], step: int) -> None:
        self._ranks.first(lambda: self._store.record(tried, step))

    def hold(self, ids: Sequence[int]) -> None:
        self._ranks.first(lambda: self._store.hold(ids))

    def release(self, task_id: int) -> None:
        self._ranks.first(lambda: self._store.release(task_id))

    def alike(self, ids: Sequence[int]) -> "list[Neighbourhood]":
        return self._ranks.first(lambda: self._store.alike(ids))

    def pool(self, domain: str) -> tuple[Kind, ...]:
        return self._ranks.first(lambda: self._store.pool(domain))

    def references(self, kind: Kind, rng: np.random.Generator) -> list[Task]:
        return self._ranks.first(lambda: self._store.references(kind, rng))

    def sources(self, count: int, rng: np.random.Generator, domain: str = "") -> list[Task]:
        return self._ranks.first(lambda: self._store.sources(count, rng, domain))

    def plain(self, count: int, rng: np.random.Generator, domain: str = "") -> list[Task]:
        return self._ranks.first(lambda: self._store.plain(count, rng, domain))

    def induced(self, count: int, rng: np.random.Generator) -> list[Task]:
        return self._ranks.first(lambda: self._store.induced(count, rng))

    def mastered(self, rng: np.random.Generator, domain: str = "") -> list[Task]:
        return self._ranks.first(lambda: self._store.mastered(rng, domain))

    def unsolved(self, rng: np.random.Generator, domain: str = "") -> list[Task]:
        return self._ranks.first(lambda: self._store.unsolved(rng, domain))

    def serve(self, step: int) -> list[Task]:
        return self._ranks.first(lambda: self._store.serve(step))

    def surprise(self, task: Task) -> float:
        return self._ranks.first(lambda: self._store.surprise(task))

    def nearest(self, task: Task) -> float:
        return self._ranks.first(lambda: self._store.nearest(task))

    def cluster_share(self, task: Task) -> float:
        return self._ranks.first(lambda: self._store.cluster_share(task))


def shared(store: "Store | None", ranks: Ranks) -> "Store":
    """The store as every rank sees it."""
    if ranks.world == 1:
        assert store is not None
        return store
    return SharedStore(store, ranks)


def over(store: "Store", ranks: Ranks) -> "Store":
    """The same store over other connections between the ranks."""
    return shared(store._held, ranks) if isinstance(store, SharedStore) else store
