"""One step off by several ranks: the same tasks for any number of them, at every resume; and an end, never a hang."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azr.config import dump_config, load_config, resolve
from azr.distributed.launch import launch
from azr.errors import RankError
from azr.oversight.traces import TraceReader
from processes import script

pytestmark = pytest.mark.ranks
HERE = Path(__file__).parent
Held = Callable[[Path], list[Any]]
AHEAD = [
    "engine.name=scripted", "engine.ahead=1", "propose.batch=6", "solve.batch=6", "solve.trials=4",
    "seeding.factor=1", "run.steps=5", "run.save_every=2", "evals.every=0",
]  # fmt: skip
EMBEDDED = [
    "engine.name=weighted:make",
    "engine.ahead=1",
    "train.mismatch.name=tis",
    "train.optim.lr=1e-3",
    "propose.batch=4",
    "solve.batch=4",
    "solve.trials=2",
    "seeding.factor=1",
    'tasks.kinds=["deduction", "abduction"]',
    "run.steps=4",
    "evals.every=0",
    "evals.limit=1",
    "evals.samples=1",
    "evals.grounded=none",
]
SUPERVISED = ["train.supervised.examples=12", "train.supervised.updates=2"]  # fmt: skip


def config_file(folder: Path, settings: list[str], embedded: bool = False) -> Path:
    path = folder / "given.toml"
    config = load_config(None, settings) if embedded else resolve({}, settings)
    path.write_text(dump_config(config), "utf-8")
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ahead")
    script(HERE / "runs.py", out, config_file(out, [*AHEAD, "engine.script=azr.rollouts.demo:answer"]))
    return out


def test_what_two_threads_exchange_does_not_mix(tmp_path: Path) -> None:
    script(HERE / "threads.py", tmp_path)
    for rank in ("0", "1"):
        found = json.loads((tmp_path / f"{rank}.json").read_text("utf-8"))
        assert found["main"] == ["main of 0", "main of 1"]
        assert found["thread"] == ["thread of 0", "thread of 1"] and found["first"] == ["of the thread"]


@pytest.mark.parametrize("world", [2, 4])
def test_a_run_holds_the_same_for_any_number_of_ranks(runs: Path, world: int, tasks: Held, numbers: Held) -> None:
    assert tasks(runs / str(world)) == tasks(runs / "1") != []
    assert numbers(runs / str(world)) == numbers(runs / "1")
    assert [row["update/staleness"] for row in numbers(runs / str(world))[1:]] == [0, 1, 1, 1, 1]


def test_any_number_of_ranks_goes_on_with_what_two_have_sampled_ahead(
    runs: Path, tmp_path: Path, tasks: Held, numbers: Held
) -> None:
    script(HERE / "stopped.py", tmp_path, config_file(tmp_path, [*AHEAD, "engine.script=azr.rollouts.demo:answer"]), 3)
    saved = {path.name for path in (tmp_path / "stopped" / "checkpoints" / "step_3").glob("ahead*")}
    assert saved == {"ahead.rank0.npz", "ahead.rank1.npz"}
    for world in ("1", "2", "4"):
        assert tasks(tmp_path / world) == tasks(runs / "1")
        assert numbers(tmp_path / world) == numbers(runs / "1")


@pytest.mark.parametrize("call", ["150", "230"])
def test_a_rank_killed_while_it_samples_ahead_costs_the_run_nothing(
    runs: Path, tmp_path: Path, call: str, tasks: Held, numbers: Held, environment: Callable[..., None]
) -> None:
    environment({"AZR_TEST_FATAL_CALL": call})
    config = config_file(tmp_path, [*AHEAD, "engine.script=deadly:answer", f"run.folder={tmp_path / 'run'}"])
    said = list[str]()
    launch(["--config", str(config)], tmp_path / "run", 2, 1, said.append)
    assert "rank 1 died (signal SIGKILL)" in said[0]
    assert tasks(tmp_path / "run") == tasks(runs / "1")
    assert numbers(tmp_path / "run") == numbers(runs / "1")


@pytest.mark.parametrize(
    ("breaks", "died"),
    [("deadly", r"rank 1 died \(signal SIGKILL\)"), ("breaking", r"rank [01] died \(exit code [13]\)")],
)
def test_a_rank_that_ends_while_others_sample_ahead_ends_them_all(
    tmp_path: Path, breaks: str, died: str, capfd: pytest.CaptureFixture[str], environment: Callable[..., None]
) -> None:
    environment({"AZR_TEST_FATAL_CALL": "150"})
    config = config_file(tmp_path, [*AHEAD, f"engine.script={breaks}:answer", f"run.folder={tmp_path / 'run'}"])
    with pytest.raises(RankError, match=died):
        launch(["--config", str(config)], tmp_path / "run", 2, 0, lambda line: None)
    if breaks == "breaking":
        assert "the script broke on rank 1" in capfd.readouterr().err


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the embedded model. Each process is single-threaded, so that sums are taken in one order."""
    out = tmp_path_factory.mktemp("trained")
    script(HERE / "runs.py", out, config_file(out, EMBEDDED, embedded=True), more={"OMP_NUM_THREADS": "1"})
    return out


def test_supervised_steps_are_the_same_on_any_number_of_ranks(tmp_path: Path, tasks: Held, numbers: Held) -> None:
    """Their examples are drawn while nothing else adds to the store; their gradient is summed over ranks."""
    given = config_file(tmp_path, [*EMBEDDED, *SUPERVISED], embedded=True)
    for world in (1, 2):
        script(HERE / "runs.py", tmp_path, given, world, more={"OMP_NUM_THREADS": "1"})
    one, two = tmp_path / "1", tmp_path / "2"
    assert completions(two) == completions(one) != [] and tasks(two) == tasks(one)
    for row, other in zip(numbers(two)[1:], numbers(one)[1:], strict=True):
        assert row["supervised/examples"] == other["supervised/examples"] > 0
        assert row["supervised/loss"] == pytest.approx(other["supervised/loss"], rel=1e-3)


def completions(run: Path) -> list[tuple[Any, ...]]:
    return [(row["step"], row["role"], row["kind"], row["completion"]) for row in TraceReader(run / "traces.jsonl.zst")]


@pytest.mark.parametrize("world", [2, 4])
def test_the_embedded_model_is_trained_on_the_same_texts_by_any_number_of_ranks(
    trained: Path, world: int, tasks: Held, numbers: Held
) -> None:
    """Weights differ by rounding alone, as gradients are summed in another order."""
    one, several = trained / "1", trained / str(world)
    assert tasks(several) == tasks(one) != []
    assert completions(several) == completions(one) != []
    for row, other in zip(numbers(several)[1:], numbers(one)[1:], strict=True):
        assert row["update/staleness"] == other["update/staleness"] == min(1, row["step"] - 1)
        assert row["update/grad_norm"] == pytest.approx(other["update/grad_norm"], rel=1e-3)
        assert row["update/mismatch_max"] == pytest.approx(other["update/mismatch_max"], rel=1e-2, abs=1e-4)
    assert numbers(several)[-1]["update/mismatch_max"] > 1e-3, "sampled from other weights than those that are updated"


def test_split_weights_are_trained_and_saved_while_the_next_step_is_sampled(
    trained: Path, tmp_path: Path, tasks: Held
) -> None:
    """Three threads of a rank exchange with others at once: the trainer's, the rollouts', the writer's."""
    settings = [*EMBEDDED, "ranks.sharding=full", "run.save_every=1"]
    script(HERE / "runs.py", tmp_path, config_file(tmp_path, settings, embedded=True), 2, more={"OMP_NUM_THREADS": "1"})
    assert tasks(tmp_path / "2") == tasks(trained / "1")
    assert completions(tmp_path / "2") == completions(trained / "1")
