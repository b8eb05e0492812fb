"""TRL's environments: a model runs Python in the sandbox while it answers, in TRL's own trainer and its tool loop."""

import functools
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from adapters import installed
from azr.grading import Grader, dump_task
from azr.grading.trl import azr_reward, rows
from azr.grading.trl_environment import FUEL, PythonEnvironment
from azr.sandbox import Limits
from azr.types import Task
from tool_use import ANSWER, TOOLS_FROM, release, tools_model, turn


@pytest.fixture
def environment() -> PythonEnvironment:
    made = PythonEnvironment(limits=Limits(fuel=500_000_000), fuel=2_000_000_000)
    made.reset()
    return made


def test_the_model_sees_what_is_printed_and_the_last_value(environment: PythonEnvironment) -> None:
    assert environment.run_python("print('seen')\n6 * 7") == "seen\n42"
    assert environment.run_python("x = 1") == "It printed nothing."
    assert environment.run_python("x + 1") == "2"


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("def g():\n    return 1 / 0\nprint('a')\ng()", "a\nline 4, in <module>\nline 2, in g\nZeroDivisionError: .*"),
        ("def", "line 1, in <module>\nsyntax_error: invalid syntax"),
        ("while True: pass", "out_of_fuel"),
        ("x = [0] * 10**9", "line 1, in <module>\nMemoryError"),
        ("\ud800", "line 1, in <module>\nsyntax_error: source code cannot contain null bytes or lone surrogates"),
        ("raise SystemExit(3)", "line 1, in <module>\nSystemExit: 3"),
        ("import os\nos.listdir('/')", "line 2, in <module>\nOSError: .*"),
    ],
)  # fmt: skip
def test_a_program_that_fails_is_a_text(environment: PythonEnvironment, program: str, told: str) -> None:
    assert re.fullmatch(told, environment.run_python(program))
    assert environment.run_python("1 + 1") == "2"


def test_what_is_shown_is_cut_and_can_be_encoded() -> None:
    environment = PythonEnvironment(shown=100)
    assert environment.run_python("print('y' * 5000)") == "y" * 100 + "\n[4,900 more characters are not shown]"
    environment.run_python("print('\\x1b[2J')\nraise ValueError('\\ud800')").encode()


def test_programs_of_an_episode_share_its_fuel_and_the_next_has_its_own(environment: PythonEnvironment) -> None:
    for _ in range(4):
        assert environment.run_python("while True: pass") == "out_of_fuel"
    assert environment.run_python("1") == "out_of_fuel"
    environment.reset()
    assert environment.run_python("1") == "1"


def test_nothing_of_an_episode_is_left_for_the_next(
    environment: PythonEnvironment, grader: Grader, squares: Task
) -> None:
    environment.run_python("left = 1")
    other = PythonEnvironment()
    assert environment.reset(**grader.row(squares)) is None
    for each in (environment, other):
        assert each.run_python("left").endswith("NameError: name 'left' is not defined")


def test_a_factory_with_limits_can_be_pickled() -> None:
    factory = functools.partial(PythonEnvironment, limits=Limits(fuel=1_000), fuel=FUEL, shown=100)
    environment = pickle.loads(pickle.dumps(factory))()
    assert environment.run_python("while True: pass") == "out_of_fuel"


def test_what_a_tool_printed_is_no_answer(squares: Task) -> None:
    right = ANSWER.format(91)
    completion = [
        {"role": "assistant", "content": "", "tool_calls": []},
        {"role": "tool", "name": "run_python", "content": right},
    ]
    found = azr_reward(
        completions=[completion, [*completion, {"role": "assistant", "content": right}]], task=[dump_task(squares)] * 2
    )
    assert found == [0.0, 1.0]


def test_grpo_trains_a_step_on_answers_that_a_program_found(tiny_model: Path, tmp_path: Path, squares: Task) -> None:
    if release(installed("trl")) < TOOLS_FROM:
        pytest.skip("tools are tested with TRL 1.16 and later")
    import torch
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    tokenizer, model = tools_model(tiny_model)
    asked: list[str] = []

    def generate(input_ids: Any, **more: Any) -> Any:
        """What a model would say that asks for a program, and answers with what it is told; every second one adds 1."""
        said = []
        for place, ids in enumerate(input_ids):
            text = tokenizer.decode(ids)
            asked.append(text)
            said.append(tokenizer(turn(text, place % 2))["input_ids"] + [tokenizer.eos_token_id])
        longest = max(map(len, said))
        padded = [ids + [tokenizer.pad_token_id] * (longest - len(ids)) for ids in said]
        return torch.cat([input_ids, torch.tensor(padded)], dim=1)

    model.generate = generate
    seen: list[dict[str, Any]] = []

    def reward(**given: Any) -> list[float | None]:
        seen.append(given)
        return azr_reward(**given)

    settings = GRPOConfig(
        output_dir=str(tmp_path), per_device_train_batch_size=2, num_generations=2, max_completion_length=2048,
        max_steps=1, report_to="none", use_cpu=True, bf16=False, save_strategy="no", logging_steps=1,
        learning_rate=1e-2, max_tool_calling_iterations=3,
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=model, reward_funcs=[reward], args=settings, train_dataset=Dataset.from_list(rows(Grader(), [squares])),
        processing_class=tokenizer, environment_factory=PythonEnvironment,
    )  # fmt: skip
    before = model.model.embed_tokens.weight.detach().clone()
    trainer.train()
    assert trainer.state.global_step == 1 and len(asked) == 4
    assert "run_python" in asked[0] and "The program." in asked[0], "the tool is in the prompt"
    (given,) = seen
    for completion in given["completions"]:
        assert [message["role"] for message in completion] == ["assistant", "tool", "assistant"]
        assert completion[1]["content"] == "91"
    assert azr_reward(**given) == [1.0, 0.0]
    logged = next(row for row in trainer.state.log_history if "reward" in row)
    assert logged["reward"] == 0.5 and logged["tools/call_frequency"] == 1.0 and logged["tools/failure_frequency"] == 0
    assert not torch.equal(before, model.model.embed_tokens.weight), "it learned"
