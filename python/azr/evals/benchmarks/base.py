"""Definition of a benchmark: the source of its rows, its prompts and its scorer.

A new benchmark is one file with a `Benchmark` in it, and one line in `azr.evals.benchmarks.BENCHMARKS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from azr.errors import BenchmarkError
from azr.types import Kind, Task

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

Row = Mapping[str, Any]
"""One row of a data set, as in its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the rows come from."""

    hub: str
    """Name on the Hugging Face hub; empty: the rows are a file of this package."""
    local: str
    """Name, without its ending, of the file in a `--data` folder."""
    licence: str
    split: str = "test"
    config: str | None = None
    revision: str | None = None
    """Commit of the hub's repository; None: the rows are in a file of this package."""
    files: tuple[str, ...] = ()
    """Files of the repository, where it has no splits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question, with what its scorer needs to know."""

    id: str
    question: str = ""
    """The question in words, for a chat or the think template."""
    stem: str = ""
    """The text to continue, for the plain template."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts for the scorer; never shown."""
    task: Task | None = None
    """The task, for benchmarks of the training's own kinds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One benchmark."""

    name: str
    title: str
    source: Source
    scorer: Literal["task", "task_strict", "asserts", "programs", "math", "letter"]
    kind: Kind
    """The closest of the training's kinds. Only used by engines, which sample similar prompts together."""
    build: Callable[[Sequence[Row], "Sandbox"], list[Item]]
    """Rows to items, one each, in order; raises `BenchmarkError` with the row's number."""
    max_tokens: int
    """Default limit of a completion."""
    stops: tuple[str, ...] = ()
    """Plain template: what ends the answer."""


def column(row: Row, number: int, *names: str) -> Any:
    """The first of these columns that the row has.

    Raises:
        BenchmarkError: it has none of them.
    """
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise BenchmarkError(f"row {number} has no column {' or '.join(names)}: it has {', '.join(sorted(row))}")
