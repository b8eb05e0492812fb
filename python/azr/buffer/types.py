"""What goes into and comes out of the task buffer (`azr.buffer.client`), as values."""

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
    """A new task, under its id."""

    id: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The buffer had the task: `of`, equal at `level` (the strictest at which they are)."""

    level: Level
    of: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """The program or an input has no canonical form: it does not parse, or nests too deeply."""

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
    """What has happened to a task."""

    history: tuple[Solved, ...]
    served: int
    quarantined: bool
    servable: bool
    """Within the cap."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """How alike a program is to the stored ones."""

    id: int | None
    """The nearest; None where nothing is alike."""
    similarity: float
    """Its similarity, 0 to 1: estimated Jaccard overlap of four-token shingles of the canonical programs."""
    share: float
    """Share of the stored tasks that are at least as similar as the threshold."""
    exact: bool
    """The share is a count; else an estimate from 1,024 tasks, where very many are alike."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a stored task has beyond `azr.types.Task`."""

    imports: tuple[str, ...] = ()
    behaviour: int | None = None
    """128-bit hash of what the program does on a fixed set of probe inputs."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What opening left out: a torn tail, or with `salvage` the damaged rest."""

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
    """Files with what `salvage` or an earlier position took out of the log."""


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
    """Also tasks that nobody has tried."""
    servable: bool = False
    """Only tasks within the cap."""
