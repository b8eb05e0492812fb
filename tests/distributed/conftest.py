"""What tests of whole runs compare, and where the ranks that they start find their scripts."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azr.buffer.client import TaskBuffer
from azr.types import Kind

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tasks() -> Callable[[Path], list[tuple[Any, ...]]]:
    return _tasks


@pytest.fixture(scope="session")
def numbers() -> Callable[[Path], list[dict[str, Any]]]:
    return _numbers


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what ranks of this test find in theirs."""

    def set_up(more: dict[str, str]) -> None:
        for name, value in {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{HERE}", **more}.items():
            monkeypatch.setenv(name, value)
        for name in ("RANK", "WORLD_SIZE"):
            monkeypatch.delenv(name, raising=False)

    return set_up


def _tasks(run: Path) -> list[tuple[Any, ...]]:
    """All tasks of a run, with what was measured of them left out."""
    with_ids = TaskBuffer.open(run / "buffer", position=None)
    try:
        found = [task for kind in (*Kind,) for task in with_ids.get(with_ids.ids(kind))]
    finally:
        with_ids.close()
    return [(t.id, t.kind, t.program, t.inputs, t.step, t.references) for t in found]


def _numbers(run: Path) -> list[dict[str, Any]]:
    """The metrics, without what the machine decides, and without attempts made in vain.

    Several ranks settle which proposals are duplicates later than one does, so they try more of them.
    """
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    skipped = ("seconds/", "memory/", "rollout/dropped")
    return [{name: value for name, value in row.items() if not name.startswith(skipped)} for row in rows]
