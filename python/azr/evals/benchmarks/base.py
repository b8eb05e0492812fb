"""What a benchmark has to state: where its rows come from, how an item is asked and how an answer is scored.

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
"""One row of a data set, as its source has it."""


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
    """Commit of the hub's repository; None: the rows are a file of this package."""
    files: tuple[str, ...] = ()
    """Files of the repository, where it is no plain data set with splits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question, with what its scorer needs to know."""

    id: str
    question: str = ""
    """The question in words, for a chat or the think template."""
    stem: str = ""
    """The text that is to be continued, for the plain template."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For the scorer alone; never shown."""
    task: Task | None = None
    """Of the benchmarks that are the training's own kinds of task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One benchmark."""

    name: str
    title: str
    source: Source
    scorer: Literal["task", "task_strict", "asserts", "programs", "math", "letter"]
    kind: Kind
    """What comes closest among the training's kinds: engines sample like prompts together, nothing else uses it."""
    build: Callable[[Sequence[Row], "Sandbox"], list[Item]]
    """Rows to items, one each, in order; raises `BenchmarkError` with the row's number."""
    max_tokens: int
    """Of a completion, where nothing else is asked for."""
    stops: tuple[str, ...] = ()
    """Plain template: what ends the answer in a continuation."""


def column(row: Row, number: int, *names: str) -> Any:
    """The first of these columns that the row has.

    Raises:
        BenchmarkError: it has none of them.
    """
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise BenchmarkError(f"row {number} has no column {' or '.join(names)}: it has {', '.join(sorted(row))}")
