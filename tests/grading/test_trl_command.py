"""`trl grpo` with a data set of `azr export` and azr's reward by its name: no line of code."""

import os
import subprocess
import sys
from pathlib import Path

import azr as package
import pytest
from adapters import needs
from azr.cli import azr as command_group
from azr.collection.task_file import Row, TaskFile
from azr.types import Task
from click.testing import CliRunner

needs("trl")
pytestmark = pytest.mark.torch

CHAT = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant:"


def test_trl_trains_a_step_on_an_exported_data_set(tiny_model: Path, tmp_path: Path, tasks: list[Task]) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = TaskFile(tmp_path / "tasks.jsonl")
    file.append(
        [
            Row(kind=task.kind, program=task.program, inputs=list(task.inputs), outputs=[], message=task.message,
                attempts=4, solve_rate=0.5, step=1, model="m", azr="0")
            for task in tasks
        ]
    )  # fmt: skip
    file.close()
    assert CliRunner().invoke(command_group, ["export", str(file.path), str(tmp_path / "set")]).exit_code == 0
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(tmp_path / "model")
    AutoModelForCausalLM.from_pretrained(tiny_model).save_pretrained(tmp_path / "model")
    given = {
        "model_name_or_path": tmp_path / "model", "dataset_name": tmp_path / "set",
        "reward_funcs": "azr.grading.trl.azr_reward", "output_dir": tmp_path / "out",
        "per_device_train_batch_size": 4, "num_generations": 2, "max_completion_length": 8, "max_steps": 1,
        "report_to": "none", "use_cpu": True, "bf16": False, "save_strategy": "no", "logging_steps": 1,
    }  # fmt: skip
    command = [sys.executable, "-m", "trl.scripts.grpo"]
    command += [part for name, value in given.items() for part in (f"--{name}", str(value))]
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    saved = tmp_path / "out" / "model.safetensors"
    assert saved.is_file(), "the trained model is saved at the end"
    lines = [line for line in done.stdout.splitlines() if "rewards/azr_reward/mean" in line]
    assert lines, done.stdout[-4000:]
