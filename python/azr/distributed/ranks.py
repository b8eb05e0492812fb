"""The processes of a run.

Every rank runs the same loop with the same prompts, tasks and episodes. Expensive work is split over the ranks and
gathered. The number of ranks changes how long a step takes, not what is in it.

Ranks exchange objects by pickle over the run's own connections. Model output is never unpickled: it is only strings
inside azr's dataclasses.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from azr.errors import AzrError, RankError

T = TypeVar("T")


class Ranks:
    """A run of one process. `distributed.group.Group` is the version for several."""

    rank = 0
    world = 1

    @property
    def leads(self) -> bool:
        """Whether this is rank 0, which writes the run folder and talks to the user."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """The indices of `count` items that belong to this rank."""
        return range(self.rank, count, self.world)

    def first(self, work: Callable[[], T]) -> T:
        """Run `work` on rank 0 and broadcast its result. An error re-raises on every rank. No collectives inside
        `work`."""
        return work()

    def gather(self, value: T) -> list[T]:
        """All-gather: the values of all ranks, by rank."""
        return [value]

    def spread(self, count: int, work: Callable[[Sequence[int]], list[T]]) -> list[T]:
        """Split `work` over `count` indices on the ranks; gathers all results, in order."""
        found: list[T | None] = [None] * count
        for rank, values in enumerate(self.gather(work(self.share(count)))):
            for place, value in zip(range(rank, count, self.world), values, strict=True):
                found[place] = value
        return [value for value in found if value is not None]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank."""
        return any(self.gather(flag))

    def apart(self) -> "Ranks":
        """The same ranks over separate connections, for a second thread, so that messages of two threads never mix.

        Collective: every rank calls it at the same place of its main thread.
        """
        return self

    def use(self, folder: Path) -> None:
        """Set the folder of the heartbeats."""

    def close(self) -> None:
        """Leave the group."""


ONE = Ranks()
"""A run of one process."""


class Failure:
    """An error of rank 0, broadcast to the others."""

    def __init__(self, error: BaseException) -> None:
        self.text = str(error) if isinstance(error, AzrError) else f"{type(error).__name__}: {error}"

    def raise_(self) -> None:
        raise RankError(f"rank 0 failed: {self.text}")
