"""The processes of a run.

Every rank runs the same loop and knows the same prompts, tasks and episodes; what costs time is done for a share of
them and exchanged. So the world's size decides how long a step takes, and nothing of what it holds.

Objects cross between ranks by pickle: made by this program for this program, over the run's own connections. Nothing
that a model wrote is unpickled: its texts are strings inside of our dataclasses.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from azr.errors import AzrError, RankError

T = TypeVar("T")


class Ranks:
    """One process: everything is done here and at once. `distributed.group.Group` is the many."""

    rank = 0
    world = 1

    @property
    def leads(self) -> bool:
        """Whether this rank writes the run folder and talks to the user."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """The places of `count` items that are this rank's; every item is somebody's."""
        return range(self.rank, count, self.world)

    def first(self, work: Callable[[], T]) -> T:
        """What the first rank's work gives, for all; its error is everybody's. Inside of `work` no rank but it runs."""
        return work()

    def gather(self, value: T) -> list[T]:
        """The values of all ranks, by rank."""
        return [value]

    def spread(self, count: int, work: Callable[[Sequence[int]], list[T]]) -> list[T]:
        """Do `work` for a share of `count` places on each rank; the results of all, in order."""
        found: list[T | None] = [None] * count
        for rank, values in enumerate(self.gather(work(self.share(count)))):
            for place, value in zip(range(rank, count, self.world), values, strict=True):
                found[place] = value
        return [value for value in found if value is not None]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on some rank."""
        return any(self.gather(flag))

    def apart(self) -> "Ranks":
        """The same ranks over connections of their own, for a second thread: what two threads exchange never mixes.

        Every rank asks for them at the same place of its main thread.
        """
        return self

    def use(self, folder: Path) -> None:
        """Where the heartbeats of the run are."""

    def close(self) -> None:
        """Leave the others."""


ONE = Ranks()
"""A run of one process."""


class Failure:
    """An error of the first rank on its way to the others."""

    def __init__(self, error: BaseException) -> None:
        self.text = str(error) if isinstance(error, AzrError) else f"{type(error).__name__}: {error}"

    def raise_(self) -> None:
        raise RankError(f"rank 0 failed: {self.text}")
