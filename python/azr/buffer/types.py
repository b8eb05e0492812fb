"""Arguments and results of the task buffer (`azr.buffer.client`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from azr.types import Kind

Ids = NDArray[np.int64]
Level = Literal["exact", "canonical", "behaviour"]
Eviction = Literal["newest", "reservoir", "none"]


@dataclass(frozen=True, slots=True)
class Inserted:
    """A new task and its id."""

    id: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The buffer already has the task: `of`, equal at `level` (the strictest at which they are equal)."""

    level: Level
    of: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """The program or an input has no canonical form: it does not parse or nests too deeply."""

    why: str


@dataclass(frozen=True, slots=True)
class Solved:
    """Attempts at a task in one step."""

    step: int
    successes: int
    attempts: int

    @property
    def rate(self) -> float:
        return self.successes / self.attempts


@dataclass(frozen=True, slots=True)
class State:
    """Counters and solve rates of a task."""

    history: tuple[Solved, ...]
    served: int
    quarantined: bool
    """Held back by a person or a monitor."""
    excluded: bool
    """Excluded by `buffer.serve`."""
    servable: bool
    """Within the cap, so that it can be sampled."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Similarity of a program to the stored ones."""

    id: int | None
    """The most similar task; None where none is similar."""
    similarity: float
    """Its similarity in [0, 1]: estimated Jaccard overlap of four-token shingles of the canonical programs."""
    share: float
    """Share of the stored tasks that are at least as similar as the threshold."""
    exact: bool
    """True: `share` is exact. False: estimated from 1,024 tasks, where very many are similar."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Fields of a stored task that `azr.types.Task` does not have."""

    imports: tuple[str, ...] = ()
    behaviour: int | None = None
    """128-bit behavioural fingerprint."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What opening removed: a torn tail, or with `salvage` the damaged rest."""

    path: Path
    offset: int
    bytes: int
    why: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found on opening a log."""

    records: int
    end: int
    acknowledged: int | None
    cut: Cut | None
    set_aside: tuple[Path, ...]
    """Files with the records that `salvage` or an earlier position removed from the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tasks `TaskBuffer.ids` lists."""

    kinds: tuple[Kind, ...] = ()
    """None means all."""
    first_step: int = 0
    last_step: int = 2**32 - 1
    low: float = 0.0
    high: float = 1.0
    unknown: bool = True
    """Include tasks without attempts."""
    servable: bool = False
    """Only tasks within the cap."""
