"""The TRL adapter, in TRL's own trainer: a step of GRPO on a CPU with a tiny random model."""

from pathlib import Path
from typing import Any

import pytest
from azr.errors import GradingError
from azr.grading import Grader
from azr.grading.trl import reward_function, rows
from azr.types import Kind, Task

CHAT = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant:"


@pytest.fixture
def calls() -> list[dict[str, Any]]:
    """What TRL handed to the reward function."""
    return []


@pytest.mark.parametrize("conversational", [True, False])
def test_grpo_trains_on_the_sandboxs_rewards(
    tiny_model: Path,
    tmp_path: Path,
    grader: Grader,
    tasks: list[Task],
    right: dict[Kind, str],
    calls: list[dict[str, Any]],
    conversational: bool,
) -> None:
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    reward = reward_function(grader)

    def azr_reward(**arguments: Any) -> list[float]:
        calls.append(arguments)
        return reward(**arguments)

    made = rows(grader, tasks)
    if not conversational:
        made = [row | {"prompt": row["prompt"][0]["content"]} for row in made]
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = CHAT
    settings = GRPOConfig(
        output_dir=str(tmp_path), per_device_train_batch_size=4, num_generations=2, max_completion_length=8,
        max_steps=2, report_to="none", use_cpu=True, bf16=False, save_strategy="no", logging_steps=1,
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=str(tiny_model), reward_funcs=[azr_reward], args=settings, train_dataset=Dataset.from_list(made),
        processing_class=tokenizer,
    )  # fmt: skip
    trainer.train()
    logged = [row["reward"] for row in trainer.state.log_history if "reward" in row]
    assert len(calls) == 2 == len(logged) and trainer.state.global_step == 2
    for call in calls:
        assert len(call["completions"]) == len(call["task"]) == 4
        # The same call with what the model should have written.
        texts = [right[grader.read(task).kind] for task in call["task"]]
        told = [[{"role": "assistant", "content": text}] for text in texts] if conversational else texts
        assert isinstance(call["completions"][0], type(told[0]))
        assert reward(**(call | {"completions": told})) == [1.0] * 4
    expected = [sum(reward(**call)) / 4 for call in calls]
    assert logged == pytest.approx(expected)


def test_a_data_set_without_the_column_is_an_error(grader: Grader) -> None:
    with pytest.raises(GradingError, match="no column 'task'"):
        reward_function(grader)(prompts=["x"], completions=["y"])


def test_columns_of_other_lengths_are_an_error_that_names_them(grader: Grader) -> None:
    with pytest.raises(GradingError, match="2 completions and 1 values of 'task'"):
        reward_function(grader)(prompts=["x"], completions=["y", "z"], task=["t"])
