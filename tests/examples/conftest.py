"""The example domains, loaded once each: a guest with modules takes seconds to make."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from azr.domains.check import load
from azr.domains.domain import Domain
from azr.tasks.common import check_rows
from azr.tasks.io import read_tasks
from azr.types import Answer, Kind, Task

EXAMPLES = Path(__file__).parents[2] / "examples" / "domains"

domain = cache(load)


@pytest.fixture
def example(request: pytest.FixtureRequest) -> Domain:
    """The domain that the test module is about, by its name."""
    return domain(EXAMPLES / request.module.NAME)


@pytest.fixture
def seeds(example: Domain) -> Callable[[str], list[Task]]:
    """The example's seed tasks of a kind."""
    path = example.folder.file("seeds.jsonl", "seeds")
    tasks = read_tasks(path, example.kinds, example.sandbox, example.name)

    def of_kind(name: str) -> list[Task]:
        return [task for task in tasks if task.kind.base == name]

    return of_kind


@pytest.fixture
def check(example: Domain) -> Callable[[Task, Sequence[str]], list[Answer]]:
    """Verdicts on answer texts to one task."""

    def verdicts(task: Task, texts: Sequence[str]) -> list[Answer]:
        return check_rows(example.kinds[Kind(task.kind)], example.sandbox, [(task, text) for text in texts])

    return verdicts
