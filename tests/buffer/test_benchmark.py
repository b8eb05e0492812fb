"""`benchmarks/buffer.py` on a few tasks."""

from pathlib import Path

import pytest
from azr.util.registry import load_module

bench = load_module(str(Path(__file__).parents[2] / "benchmarks" / "buffer.py"))


def test_the_benchmark_checks_what_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ROUNDS", 1)
    monkeypatch.setattr(bench, "PUBLISHED", (1000, 2000))
    monkeypatch.setattr(bench, "MEMORY", 5000)
    monkeypatch.setattr(bench, "INSERTS", 2000)
    numbers = bench.measure(None, 2000, lambda text: None)
    assert numbers["canonical_inserts"]["lost"] == 0
    assert [(row["tasks"], row["threads"]) for row in numbers["threads"]] == [
        (tasks, threads) for tasks in (1000, 2000) for threads in (1, 2, 4, 8)
    ]
    assert set(numbers["duplicates"].values()) == {0}
    assert numbers["end_to_end"]["stored"] == numbers["end_to_end"]["programs"]
    assert numbers["large"]["tasks"] == 2000
