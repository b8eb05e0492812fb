"""Whole runs of `azr train` with the real vLLM: the engine has the trainer's weights at every step."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from azr.config import Config, resolve
from azr.rollouts.base import Tokenizer
from azr.rollouts.vllm import engine
from azr.rollouts.vllm.engine import VllmEngine
from azr.run.events import Quiet
from azr.run.train import start_run
from safetensors.torch import load_file

pytestmark = pytest.mark.vllm

SEEDS = [
    {"kind": kind, "program": f"def f(a):\n    return a + {n}", "inputs": inputs, "message": "add"}
    for n in range(6)
    for kind, inputs in (("deduction", ["1"]), ("abduction", ["1"]), ("induction", ["1", "2", "3", "4"]))
]
STEPS = 3


@pytest.fixture(scope="module", autouse=True)
def one_engine() -> Iterator[None]:
    """One engine for all runs: to start it takes longer than a run."""
    kept: list[VllmEngine] = []

    def make(tokenizer: Tokenizer, config: Config) -> VllmEngine:
        if not kept:
            kept.append(VllmEngine(tokenizer, config))
        kept[0].trainer = None
        return kept[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "make", make)
        patch.setattr(VllmEngine, "close", lambda self: None)
        yield
    for each in kept:
        each.close()


@pytest.fixture
def settings(vllm_model: Path, tmp_path: Path) -> list[str]:
    """Random rewards, so that the weights move; a high rate, so that old weights would show."""
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("\n".join(json.dumps(row) for row in SEEDS), "utf-8")
    return [
        f"model.name={vllm_model}", f"seeding.path={seeds}", f"run.folder={tmp_path / 'run'}", "engine.name=vllm",
        "reward.solver.name=random", "train.optim.lr=1e-3", "prompt.template=terse", "prompt.max_tokens=512",
        "propose.batch=3", "solve.batch=3", "solve.trials=2", "tasks.inputs=4", "sampling.max_tokens=24",
        f"run.steps={STEPS}", f"run.save_every={STEPS}", "evals.every=0", "engine.vllm.threads=1",
        "engine.vllm.start_seconds=3600", "engine.vllm.stuck_seconds=3600",
    ]  # fmt: skip


def rows(config: Config) -> list[dict[str, float]]:
    path = Path(config.run.folder) / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()][1:]


def test_every_step_is_sampled_from_the_weights_that_it_updates(settings: list[str]) -> None:
    config = resolve({}, settings)
    assert start_run(config, Quiet(), lambda: False).complete
    found = rows(config)
    assert [row["step"] for row in found] == [1, 2, 3]
    assert all(row["update/mismatch_max"] < 1e-3 and row["rollout/sync_mismatch"] < 1e-4 for row in found)
    assert all(row["update/grad_norm"] > 0 and row["rollout/restarts"] == 0 for row in found)


def test_an_adapter_is_trained_one_step_off_with_its_weights_merged_in_place(
    settings: list[str], vllm_model: Path
) -> None:
    config = resolve({}, [*settings, "model.lora.rank=8", "engine.ahead=1", "train.mismatch.name=tis"])
    assert start_run(config, Quiet(), lambda: False).complete
    found = rows(config)
    assert [row["update/staleness"] for row in found] == [0, 1, 1]
    assert all(row["rollout/sync_mismatch"] < 1e-4 for row in found), "the engine has the merged weights"
    first, _, last = (row["update/mismatch_max"] for row in found)
    assert first < 1e-3 < last, "older weights show, and are measured"
    before = load_file(vllm_model / "model.safetensors")
    after = load_file(Path(config.run.folder) / "checkpoints" / f"step_{STEPS}" / "model.safetensors")
    moved = {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}
    assert moved == {name for name in before if "_proj.weight" in name}
