"""Ranks that share one engine on several devices: the real vLLM with tensor parallel 2, in its CPU build."""

import json
from pathlib import Path
from typing import Any

import pytest
from azr.cli.ranks import start_ranks
from azr.config import dump_config, resolve
from azr.errors import ConfigError
from processes import script

HERE = Path(__file__).parent
SEEDS = [
    {"kind": kind, "program": f"def f(a):\n    return a + {n}", "inputs": inputs, "message": "add"}
    for n in range(6)
    for kind, inputs in (("deduction", ["1"]), ("abduction", ["1"]), ("induction", ["1", "2", "3", "4"]))
]
pytestmark = pytest.mark.vllm
BOTH = pytest.mark.parametrize("rank", [0, 1])
WAYS = {
    "in turn": (["engine.vllm.sleep=true"], [0, 0, 0]),
    "one step off": (["engine.ahead=1", "train.mismatch.name=tis"], [0, 1, 1]),
}
"""Settings of a run, and how old the weights are that sample its steps."""


def config_file(path: Path, model: Path, *more: str) -> Path:
    """Limits that only a process reaches that has stopped for good, however busy the machine is."""
    settings = [
        f"model.name={model}", "engine.name=vllm", "engine.vllm.tensor_parallel=2", "engine.vllm.threads=1",
        "engine.vllm.start_seconds=3600", "engine.vllm.stuck_seconds=3600", "engine.batch=64",
        "prompt.max_tokens=512", "sampling.max_tokens=128", *more,
    ]  # fmt: skip
    path.write_text(dump_config(resolve({}, settings)), "utf-8")
    return path


@pytest.fixture(scope="module")
def out(vllm_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both ranks wrote: of two runs, and of what they asked the same engine for after that.

    Random rewards, so that the weights move; a high rate, so that old weights would show.
    """
    folder = tmp_path_factory.mktemp("seats")
    seeds = folder / "seeds.jsonl"
    seeds.write_text("\n".join(json.dumps(row) for row in SEEDS), "utf-8")
    sizes = [
        f"seeding.path={seeds}", "reward.solver.name=random", "train.optim.lr=1e-3", "prompt.template=terse",
        "propose.batch=3", "solve.batch=3", "solve.trials=2", "tasks.inputs=4", "sampling.max_tokens=24",
        "run.steps=3", "run.save_every=3", "evals.every=0",
    ]  # fmt: skip
    runs = [
        config_file(folder / f"{name}.toml", vllm_model, *sizes, f"run.folder={folder / name}", *way)
        for name, (way, _) in WAYS.items()
    ]
    script(HERE / "seats.py", "engine", folder, config_file(folder / "given.toml", vllm_model), *runs)
    return folder


@pytest.fixture(scope="module")
def found(out: Path) -> list[dict[str, Any]]:
    return [json.loads((out / f"{rank}.json").read_text("utf-8")) for rank in (0, 1)]


@BOTH
def test_each_rank_gets_what_its_own_model_writes_after_every_update(found: list[dict[str, Any]], rank: int) -> None:
    first, again = found[rank]["first"], found[rank]["again"]
    assert first["engine"] == first["model"] and again["engine"] == again["model"]
    assert first["engine"] != again["engine"]
    assert first["gap"] < 1e-4 and again["gap"] < 1e-4
    assert again["in_place"], "by plain copies into both workers' parts"


@BOTH
def test_completions_come_as_ids_with_the_trainers_log_probs(found: list[dict[str, Any]], rank: int) -> None:
    drawn = found[rank]["drawn"]
    assert drawn["once"] == drawn["twice"], "a seed repeats"
    assert drawn["gap"] < 1e-3
    assert drawn["texts"] == drawn["decoded"]


@BOTH
def test_a_rank_cancels_its_own_requests_alone(found: list[dict[str, Any]], rank: int) -> None:
    assert found[rank]["cancelled"] == [[1], [1, 2]][rank]


@BOTH
def test_an_engine_that_dies_comes_back_with_every_ranks_work_kept(found: list[dict[str, Any]], rank: int) -> None:
    assert found[rank]["killed"]["found"] == found[rank]["killed"]["expected"] != []
    assert found[0]["killed"]["restarts"] == 1


def test_an_engine_that_is_stuck_ends_every_rank_with_the_same_error(found: list[dict[str, Any]]) -> None:
    assert found[0]["stuck"] == found[1]["stuck"]
    first, again = found[0]["stuck"]
    assert first == again
    assert first.startswith("EngineError: the engine's process said nothing for 3 s")
    assert "engine.vllm.stuck_seconds" in first


def test_a_number_of_processes_that_makes_no_whole_groups_is_refused_before_they_start() -> None:
    config = resolve({}, ["engine.name=vllm", "engine.vllm.tensor_parallel=2"])
    with pytest.raises(ConfigError, match=r"tensor_parallel = 2: .* ranks \(3, 3 on this machine\)"):
        start_ranks(config, None, processes=3, max_restarts=0)


def test_a_rank_that_is_gone_is_named_by_those_that_shared_an_engine_with_it(vllm_model: Path, tmp_path: Path) -> None:
    """Ranks 0 and 3 of two groups."""
    script(HERE / "seats.py", "groups", tmp_path, config_file(tmp_path / "given.toml", vllm_model))
    told = {path.stem: path.read_text("utf-8") for path in tmp_path.glob("*.txt")}
    assert told == {
        "1": "RankError: rank 0 is gone, which had the engine of this rank (engine.vllm.tensor_parallel)",
        "2": "RankError: rank 3 is gone, which shared an engine with ranks 2 to 3 (engine.vllm.tensor_parallel)",
    }


@pytest.mark.parametrize("name", WAYS)
def test_a_run_trains_on_what_its_shared_engine_samples(out: Path, name: str) -> None:
    staleness = WAYS[name][1]
    lines = (out / name / "metrics.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines][1:]
    assert [row["update/staleness"] for row in rows] == staleness
    assert all(row["rollout/sync_mismatch"] < 1e-4 and row["update/grad_norm"] > 0 for row in rows)
    fresh = [row["update/mismatch_max"] for row, old in zip(rows, staleness, strict=True) if not old]
    assert all(gap < 1e-3 for gap in fresh), "sampled from the weights that are updated"
    assert rows[2]["rollout/restarts"] == 0
