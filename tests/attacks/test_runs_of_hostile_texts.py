"""A run whose model writes nothing but hostile texts takes its 50 steps, killed and resumed, and counts every text."""

import json
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from azr.config import dump_config, resolve
from azr.util.registry import load_module
from processes import Started, finish, started

pytestmark = pytest.mark.ranks
HOSTILE = Path(__file__).with_name("hostile.py")
hostile = load_module(str(HOSTILE))
STEPS, KILLED_AFTER = 50, 20


def train(folder: Path, *arguments: str) -> AbstractContextManager[Started]:
    return started([sys.executable, "-m", "azr", "train", *arguments], cwd=folder)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


@pytest.fixture(params=[1, 2], ids=["one rank", "two ranks"], scope="module")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Killed after some steps without warning, and resumed."""
    folder = tmp_path_factory.mktemp(f"hostile-{request.param}")
    given = [
        "engine.name=scripted", f"engine.script={HOSTILE}:answer", f"seeding.path={hostile.seeds(folder / 's.jsonl')}",
        "propose.batch=4", "solve.batch=3", "solve.trials=2", "tasks.inputs=4", f"run.steps={STEPS}",
        "run.save_every=5", "evals.every=0", "sandbox.fuel=100000000", "oversight.watchdog.enabled=false",
        'tasks.kinds=["abduction","deduction","error","induction"]', "tasks.composite.at_most=1",
        "tasks.composite.chance=0.5",
    ]  # fmt: skip
    (folder / "given.toml").write_text(dump_config(resolve({}, given)), "utf-8")
    ranks = ["--processes", str(request.param)] if request.param > 1 else []
    with train(folder, "--config", "given.toml", *ranks, "--run", "r") as first:
        first.says(f"step {KILLED_AFTER} ")  # and all of its processes are killed
    with train(folder, "--resume", "r", *ranks) as again:
        again.ends()
    return folder / "r"


def test_it_takes_all_its_steps(run: Path) -> None:
    assert [row["step"] for row in rows(run / "metrics.jsonl")] == list(range(STEPS + 1))


def test_every_text_is_counted_once(run: Path) -> None:
    for row in rows(run / "metrics.jsonl")[1:]:
        for kind in ("abduction", "deduction", "error", "induction"):
            name = f"validate/propose/{kind}"
            rejected = sum(value for key, value in row.items() if key.startswith(f"{name}/rejected/"))
            assert row[f"{name}/count"] == row[f"{name}/valid"] + rejected == 4
            reasons = sum(value for key, value in row.items() if key.startswith(f"solve/solve/{kind}/reason/"))
            assert row[f"solve/solve/{kind}/count"] == reasons == 3
        episodes = sum(value for key, value in row.items() if key.startswith("update/") and key.endswith("/episodes"))
        trials = sum(row.get(f"solve/propose/{k}/tasks", 0) for k in ("abduction", "deduction", "error", "induction"))
        assert episodes <= 4 * 4 + 4 * 3 and episodes + row["sandbox/failed"] >= 4 * 4 + 4 * 3 - trials


def test_no_alarm_is_raised_that_is_not_true(run: Path) -> None:
    numbers = {row["step"]: row for row in rows(run / "metrics.jsonl")}
    alarms = rows(run / "alarms.jsonl")
    assert alarms, "hostile programs are findings"
    rules = {(row["monitor"], row["rule"]) for row in alarms}
    assert not {rule for _, rule in rules} & {"monitor_failed", "sandbox_ill", "memory", "gap", "decline", "narrowing"}
    for row in alarms:
        if row["rule"] == "sandbox":
            assert numbers[row["step"]]["sandbox/failed"] > 0


def test_the_report_shows_it(run: Path) -> None:
    finish([sys.executable, "-m", "azr", "report", "r"], cwd=run.parent)
    page = (run / "report.html").read_text("utf-8")
    assert "\ud800" not in page and len(page) > 10_000
