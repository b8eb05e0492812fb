"""The verl adapter, called as verl 0.9 calls it; and in verl's own reward manager, where verl is installed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import azr.grading.verl as adapter
import pytest
from adapters import installed
from azr.errors import GradingError
from azr.grading import Grader, shared
from azr.types import Kind, Task

FILE = str(Path(adapter.__file__))


def test_one_answer_by_keyword(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    """verl/experimental/reward_loop/reward_manager/naive.py"""
    for row, task in zip(adapter.rows(grader, tasks), tasks, strict=True):
        for text, score in ((right[task.kind], 1.0), ("nothing", 0.0)):
            found = asyncio.run(
                adapter.compute_score(
                    data_source=row["data_source"], solution_str=text,
                    ground_truth=row["reward_model"]["ground_truth"], extra_info=row["extra_info"],
                    reward_router_address=None,
                )
            )  # fmt: skip
            assert found == score and isinstance(found, float)


def test_what_is_asked_together_is_graded_together(
    grader: Grader, tasks: list[Task], right: dict[Kind, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    inner = shared.shared_async().grader
    original = inner.verdicts

    def counted(items: Any) -> Any:
        sizes.append(len(items))
        return original(items)

    monkeypatch.setattr(inner, "verdicts", counted)
    text = adapter.rows(grader, tasks)[0]["reward_model"]["ground_truth"]

    async def all_at_once() -> list[float]:
        return await asyncio.gather(*[adapter.compute_score("azr", right[Kind.DEDUCTION], text) for _ in range(64)])

    assert asyncio.run(all_at_once()) == [1.0] * 64 and sizes == [64]


def test_rows_have_what_verls_data_set_reads(grader: Grader, tasks: list[Task]) -> None:
    for row in adapter.rows(grader, tasks):
        assert set(row) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
        assert row["prompt"][0]["role"] == "user" and row["reward_model"]["style"] == "rule"


def test_verl_loads_it_by_the_path_of_its_file(tasks: list[Task], grader: Grader) -> None:
    """`reward.custom_reward_function.path` is loaded by its file, outside of its package, in a worker process."""
    row = adapter.rows(grader, tasks[:1])[0]
    code = (
        "import asyncio, importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('custom_module', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "text = '<answer>\\n```output\\n[7, 7]\\n```\\n</answer>'\n"
        "print(asyncio.run(module.compute_score('azr', text, sys.argv[2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, FILE, row["reward_model"]["ground_truth"]],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1.0"


def test_rows_of_another_source_are_an_error_and_no_score() -> None:
    with pytest.raises(GradingError):
        asyncio.run(adapter.compute_score("gsm8k", "#### 42", "42"))


def test_verl_itself_scores_by_it(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    """verl's config, its loader of reward functions and its reward manager, in a process of their own."""
    installed("verl")
    rows = adapter.rows(grader, tasks)
    cases = [[row, right[task.kind]] for row, task in zip(rows, tasks, strict=True)]
    cases += [[row, "nothing"] for row in rows]
    done = subprocess.run(
        [sys.executable, "-c", IN_VERL, FILE], input=json.dumps(cases), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [1.0] * len(tasks) + [0.0] * len(tasks)


IN_VERL = '''
import asyncio, json, sys
import numpy as np, torch
from hydra import compose, initialize_config_module

with initialize_config_module("verl.trainer.config", version_base=None):
    config = compose("ppo_trainer", overrides=[f"reward.custom_reward_function.path={sys.argv[1]}"])
assert (config.data.prompt_key, config.data.reward_fn_key) == ("prompt", "data_source")

from verl import DataProto
from verl.trainer.ppo.reward import load_reward_manager


class Characters:
    """A tokenizer with an id for each character."""

    def decode(self, ids, skip_special_tokens):
        return "".join(map(chr, ids.tolist()))


async def main(cases):
    manager = load_reward_manager(config, Characters())
    asked = []
    for row, text in cases:
        ids = torch.tensor([[ord(letter) for letter in text]])
        data = DataProto.from_dict(
            tensors={"responses": ids, "attention_mask": torch.ones_like(ids)},
            non_tensors={
                name: np.array([row[name]], dtype=object) for name in ("data_source", "reward_model", "extra_info")
            },
        )
        asked.append(manager.run_single(data))
    return [found["reward_score"] for found in await asyncio.gather(*asked)]


print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
'''
