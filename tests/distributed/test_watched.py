"""Oversight of several ranks: numbers are of all of them, and what is found is done by all of them alike."""

import json
from pathlib import Path
from typing import Any

import pytest
from azr.buffer.client import TaskBuffer
from azr.config import dump_config, resolve
from processes import script

pytestmark = pytest.mark.ranks
HERE = Path(__file__).parent
SETTINGS = [
    "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=6", "solve.batch=6",
    "solve.trials=4", "seeding.factor=1", "run.steps=5", "evals.every=0", 'oversight.hooks=["watched:make"]',
]  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    config = folder / "given.toml"
    config.write_text(dump_config(resolve({}, SETTINGS)), "utf-8")
    script(HERE / "watched.py", folder, config)
    return folder


@pytest.fixture(scope="module")
def ranks(out: Path) -> list[dict[str, Any]]:
    return [json.loads((out / f"{rank}.json").read_text("utf-8")) for rank in (0, 1)]


def test_times_in_the_metrics_are_the_slowest_ranks(out: Path, ranks: list[dict[str, Any]]) -> None:
    written = [json.loads(line) for line in (out / "run" / "metrics.jsonl").read_text("utf-8").splitlines()]
    for row, *own in zip(written[1:], *(rank["rows"] for rank in ranks), strict=True):
        for name in {name for one in own for name in one["seconds"]}:
            assert row[f"seconds/{name}"] == max(one["seconds"].get(name, 0.0) for one in own), name
        assert row["seconds/step"] == max(sum(one["seconds"].values()) for one in own)
        assert row["tokens/propose"] > 0 and row["validate/propose/deduction/count"] == 6
    assert ranks[0]["rows"][0]["seconds"] != ranks[1]["rows"][0]["seconds"]


def test_every_rank_does_what_the_first_one_found(out: Path, ranks: list[dict[str, Any]]) -> None:
    """Rank 0 drops the first completions and stops after step 3; rank 1 would have dropped others and stopped at 2."""
    assert [rank["steps"] for rank in ranks] == [3, 3]
    first, second = ([(row["texts"], row["numbers"]) for row in rank["rows"]] for rank in ranks)
    assert first == second
    assert all(numbers["oversight/dropped"] == 2.0 for _, numbers in first)
    rows = [json.loads(line) for line in (out / "run" / "alarms.jsonl").read_text("utf-8").splitlines()]
    assert {row["evidence"] for row in rows} == {"rank 0"}
    with TaskBuffer.open(out / "run" / "buffer", access="read", similarity=False) as buffer:
        held = {int(task) for task in buffer.ids() if buffer.state(int(task)).quarantined}
    assert held == {row["task"] for row in rows if row["task"] is not None and row["action"] == "quarantine"} | {
        row["task"] for row in rows if row["purpose"] == "proposal"
    }


def test_hooks_run_once_for_all_ranks(ranks: list[dict[str, Any]]) -> None:
    steps = ["completions", "tasks", "completions", "completions", "step"] * 3
    seeds = ranks[0]["calls"][: -len(steps)]
    assert seeds == ["completions", "tasks"] * (len(seeds) // 2) != []
    assert ranks[0]["calls"][len(seeds) :] == steps
    assert ranks[1]["calls"] == []


def test_ranks_that_end_well_leave_no_stacks(out: Path, ranks: list[dict[str, Any]]) -> None:
    assert not list((out / "run").glob("hang.*"))
