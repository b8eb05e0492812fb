"""verl's own command takes a step of training with azr's reward, on a CPU.

In its own processes verl reads the data, asks, scores, computes log-probabilities, advantages and the loss, updates the
weights, saves them and hands them over. `verl_on_cpu` tells it of the CPU, and answers in place of vLLM.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import azr.grading.verl as adapter
import pytest
from adapters import needs
from azr.grading import Grader
from azr.types import Kind, Task

VERSION = tuple(map(int, needs("verl").split(".")[:3]))
pytestmark = pytest.mark.torch

import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402
import torch  # noqa: E402
from tiny_models import chat_model, digest, log_probs  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

TRAINERS = ["trainer", "former_trainer"] if VERSION >= (0, 9, 1) else ["trainer"]
"""`trainer.use_v1`, which is so by default, or not. In 0.9.0 the former one calls FlashAttention, which is for GPUs."""
SUPPORT = Path(__file__).parents[1] / "support"
WRONG = "I do not know."
SETTINGS = (
    "algorithm.adv_estimator=grpo", "data.max_prompt_length=2048", "data.max_response_length=256",
    "data.dataloader_num_workers=0", "actor_rollout_ref.rollout.name=stand_in", "actor_rollout_ref.rollout.n=2",
    "actor_rollout_ref.rollout.tensor_model_parallel_size=1", "actor_rollout_ref.rollout.agent.num_workers=1",
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=1",
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=1", "actor_rollout_ref.actor.optim.lr=1e-3",
    "actor_rollout_ref.actor.checkpoint.save_contents=[hf_model]", "reward.num_workers=1",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units=1", "trainer.logger=[file]",
    "trainer.val_before_train=False", "trainer.total_training_steps=1", "trainer.save_freq=1",
    # Not verl's defaults, since those want a GPU: its first FSDP and FlashAttention. The rest is exact and quick.
    "trainer.device=cpu", "trainer.n_gpus_per_node=1", "actor_rollout_ref.actor.strategy=fsdp2",
    "+actor_rollout_ref.model.override_config.attn_implementation=sdpa",
    "actor_rollout_ref.model.use_remove_padding=False", "actor_rollout_ref.actor.fsdp_config.use_torch_compile=False",
    "+actor_rollout_ref.actor.fsdp_config.mixed_precision={param_dtype:fp32,reduce_dtype:fp32,buffer_dtype:fp32}",
    "ray_kwargs.ray_init.num_cpus=8", "+ray_kwargs.ray_init.num_gpus=1",
    "+ray_kwargs.ray_init.include_dashboard=False", "+ray_kwargs.ray_init.object_store_memory=100000000",
)  # fmt: skip


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return chat_model(tiny_model, tmp_path / "model")


@pytest.mark.parametrize("trainer", TRAINERS)
def test_verls_command_trains_a_step(
    trainer: str, model: Path, grader: Grader, tasks: list[Task], right: dict[Kind, str], tmp_path: Path
) -> None:
    rows = adapter.rows(grader, tasks)
    answers = {row["prompt"][0]["content"]: [right[task.kind], WRONG] for row, task in zip(rows, tasks, strict=True)}
    assert len(answers) == len(tasks) == 4
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "train.parquet")
    (tmp_path / "answers.json").write_text(json.dumps(answers), "utf-8")
    train(
        model, tmp_path, f"trainer.use_v1={trainer == 'trainer'}", f"data.train_batch_size={len(rows)}",
        f"actor_rollout_ref.actor.ppo_mini_batch_size={len(rows)}",
    )  # fmt: skip

    (logged,) = map(json.loads, (tmp_path / "log.jsonl").read_text("utf-8").splitlines())
    found = logged["data"]
    assert logged["step"] == found["training/global_step"] == 1
    assert [found[f"critic/score/{of}"] for of in ("min", "mean", "max")] == [0.0, 0.5, 1.0]
    assert found["critic/advantages/min"] < 0 < found["critic/advantages/max"] and found["actor/grad_norm"] > 0
    # The server's weights are the actor's: each scores the same tokens alike.
    assert found["training/rollout_probs_diff_max"] < 1e-5

    said = [json.loads(line) for line in (tmp_path / "rollouts" / "1.jsonl").read_text("utf-8").splitlines()]
    assert sorted((one["output"], one["score"]) for one in said) == sorted(
        [*((text, 1.0) for text, _ in answers.values()), *[(WRONG, 0.0)] * len(rows)]
    )

    saved = tmp_path / "checkpoints" / "global_step_1" / "actor" / "huggingface"
    before, after = (AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32) for path in (model, saved))
    handed = [json.loads(line) for line in (tmp_path / "weights.jsonl").read_text("utf-8").splitlines()]
    assert [(one["step"], one["digest"]) for one in handed] == [
        (step, digest(weights.state_dict())) for step, weights in enumerate((before, after))
    ]
    assert handed[0]["digest"] != handed[1]["digest"]
    for better, worse in zip(preferences(after, model, answers), preferences(before, model, answers), strict=True):
        assert better > worse


def preferences(weights: Any, folder: Path, answers: dict[str, list[str]]) -> list[float]:
    """By prompt, how much likelier a token of the right answer is than one of the wrong one, as a logarithm."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for prompt, texts in answers.items():
        asked = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)
        ids = [[*tokenizer(text)["input_ids"], tokenizer.eos_token_id] for text in texts]
        good, bad = (log_probs(weights, asked["input_ids"], each).mean().item() for each in ids)
        found.append(good - bad)
    return found


def train(model: Path, place: Path, *more: str) -> None:
    """verl's command on the files in a folder."""
    settings = [
        f"data.train_files={place / 'train.parquet'}", f"data.val_files={place / 'train.parquet'}",
        f"actor_rollout_ref.model.path={model}", f"reward.custom_reward_function.path={adapter.__file__}",
        f"trainer.rollout_data_dir={place / 'rollouts'}", f"trainer.default_local_dir={place / 'checkpoints'}",
        f"hydra.run.dir={place / 'hydra'}",
    ]  # fmt: skip
    # Ray's sockets must have short names, and its processes may still write there as they end.
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as ray:
        chosen = {
            "VERL_USE_EXTERNAL_MODULES": "verl_on_cpu", "VERL_PLATFORM": "cpu",
            "VERL_ENGINE_DEVICE": "cuda",  # verl's FSDP is registered for GPUs only, and runs on any device
            "PYTHONPATH": os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")]),
            "STAND_IN_ANSWERS": str(place / "answers.json"), "STAND_IN_WEIGHTS": str(place / "weights.jsonl"),
            "VERL_FILE_LOGGER_PATH": str(place / "log.jsonl"), "RAY_TMPDIR": ray, "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "0",  # of the logical ones
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "verl.trainer.main_ppo", *SETTINGS, *settings, *more],
            env={**os.environ, **chosen}, cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
