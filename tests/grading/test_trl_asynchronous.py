"""azr's reward and environment in TRL's asynchronous trainer, on a CPU.

The loop that samples and scores, and the trainer's step, are TRL's own. In place of a vLLM server there is a stub with
its interface, weights go nowhere, the kernel that needs a GPU has a plain substitute, and no GPU's speed is asked for.
"""

import asyncio
import functools
import pickle
import queue
import socket
import threading
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from adapters import needs
from azr.grading import Grader
from azr.grading.trl import azr_reward, rows
from azr.grading.trl_environment import PythonEnvironment
from azr.types import Task
from tool_use import TOOLS_FROM, release, tools_model, turn

if release(needs("trl")) < TOOLS_FROM:
    pytest.skip("its asynchronous trainer is tested with TRL 1.16 and later", allow_module_level=True)
pytestmark = pytest.mark.torch

import torch  # noqa: E402
import uvicorn  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402
from trl.experimental.async_grpo import (  # noqa: E402
    AsyncGRPOConfig,
    AsyncGRPOTrainer,
    async_grpo_trainer,
    async_rollout_worker,
    packing,
)

FACTORY = functools.partial(PythonEnvironment, fuel=1_000_000_000)


class Worker:
    """TRL's loop on a thread, in place of a process that first looks for vLLM."""

    def __init__(self, **options: Any) -> None:
        from accelerate.state import PartialState

        PartialState()
        self.rollout_buffer: queue.Queue[Any] = queue.Queue()
        self.metrics_queue: queue.Queue[Any] = queue.Queue()
        self.failed = threading.Event()
        self.version = SimpleNamespace(value=0)
        self.loop = async_rollout_worker._AsyncRolloutLoop(
            rollout_buffer=self.rollout_buffer, model_version_value=self.version, metrics_queue=self.metrics_queue,
            heartbeat_value=SimpleNamespace(value=0.0), failed_event=self.failed, exception_info_queue=queue.Queue(),
            **options,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.loop.run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.loop._loop.call_soon_threadsafe(self.loop._stop_event.set)
        self.thread.join()

    def update_model_version(self, model_version: int) -> None:
        self.version.value = model_version

    def check_health(self, stale_after_s: float) -> None:
        assert not self.failed.is_set()


@pytest.fixture
def served(tiny_model: Path) -> Iterator[tuple[str, Any, Any]]:
    """vLLM's `/v1/completions` with tokens: a model that runs a program and answers, every second time wrong."""
    tokenizer, model = tools_model(tiny_model)
    answers = count()

    async def complete(request: Request) -> JSONResponse:
        text = tokenizer.decode((await request.json())["prompt"])
        said = turn(text, next(answers) % 2 if "<tool_response>" in text else 0)
        ids = [*tokenizer(said)["input_ids"], tokenizer.eos_token_id]
        return JSONResponse({"choices": [{"token_ids": ids, "logprobs": {"token_logprobs": [-1.0] * len(ids)}}]})

    app = Starlette(routes=[Route("/v1/completions", complete, methods=["POST"])])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", tokenizer, model
        server.should_exit = True
        thread.join()


def attention(
    query: Any, key: Any, value: Any, ends_q: Any, ends_k: Any, *longest: int, softmax_scale: float, **more: Any
) -> Any:
    """FlashAttention's `flash_attn_varlen_func`: each segment of queries attends to its own path, up to itself."""
    assert more["causal"] and more["window_size"] == (-1, -1)
    found = []
    for (q, q_end), (k, k_end) in zip(pairwise(ends_q.tolist()), pairwise(ends_k.tolist()), strict=True):
        mask = torch.ones(q_end - q, k_end - k, dtype=torch.bool).tril(k_end - k - (q_end - q))
        parts = [x.transpose(0, 1)[None] for x in (query[q:q_end], key[k:k_end], value[k:k_end])]
        seen = torch.nn.functional.scaled_dot_product_attention(
            *parts, attn_mask=mask, scale=softmax_scale, enable_gqa=True
        )
        found.append(seen[0].transpose(0, 1))
    return torch.cat(found)


def test_the_asynchronous_trainer_trains_a_step(
    served: tuple[str, Any, Any], squares: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasets import Dataset

    url, tokenizer, model = served
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    monkeypatch.setattr(packing, "_flash_attn", lambda: SimpleNamespace(flash_attn_varlen_func=attention))
    monkeypatch.setattr(async_grpo_trainer, "get_peak_flops_per_device", lambda *given: 1.0)
    data = Dataset.from_list(rows(Grader(), [squares]))
    worker = Worker(
        model_name="stub", dataset=data, reward_funcs=[azr_reward], processing_class=tokenizer,
        eos_token_ids=[tokenizer.eos_token_id], environment_factory=FACTORY, num_generations=2, max_inflight_tasks=2,
        vllm_server_url=url, max_tokens=512,
    )  # fmt: skip
    nowhere = SimpleNamespace(
        init_weight_transfer=lambda: None, pause=lambda: None, send_weights=list, resume=lambda: None,
        destroy=lambda: None,
    )  # fmt: skip
    settings = AsyncGRPOConfig(
        output_dir=str(tmp_path / "out"), per_device_train_batch_size=2, gradient_accumulation_steps=1, max_steps=1,
        num_generations=2, token_budget=0, report_to="none", use_cpu=True, bf16=False, save_strategy="no",
        learning_rate=1e-2, gradient_checkpointing=False,
    )  # fmt: skip
    trainer = AsyncGRPOTrainer(
        model=str(tmp_path / "model"), reward_funcs=[azr_reward], args=settings, train_dataset=data,
        processing_class=tokenizer, environment_factory=FACTORY, rollout_worker=worker, weight_transfer=nowhere,
    )  # fmt: skip
    before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
    trainer.train()
    assert trainer.state.global_step == 1 and not worker.failed.is_set()
    logged = next(row for row in trainer.state.log_history if "reward" in row)
    assert logged["reward"] == logged["rewards/azr_reward"] == 0.5
    assert logged["tools/call_frequency"] == 1.0 and logged["tools/failure_frequency"] == 0.0
    assert any(not torch.equal(before[name], weight) for name, weight in trainer.model.named_parameters())


def test_an_answer_without_a_verdict_has_no_advantage(served: tuple[str, Any, Any], squares: Task) -> None:
    """One row's task is no task: TRL leaves it out."""
    url, tokenizer, _ = served
    (row,) = rows(Grader(), [squares])
    worker = Worker(
        model_name="stub", dataset=[row], reward_funcs=[azr_reward], processing_class=tokenizer,
        eos_token_ids=[tokenizer.eos_token_id], num_generations=3, vllm_server_url=url,
    )  # fmt: skip
    answers = [[{"role": "assistant", "content": turn("<tool_response>\n91\n</tool_response>", n)}] for n in (0, 1, 0)]
    ids = [1, 2]
    group = async_rollout_worker.RolloutGroup(
        prompts=[row["prompt"]] * 3, reward_kwargs={"task": [row["task"], row["task"], "no task"]},
        completions=answers, completions_ids=[ids] * 3, completions_sequences=[[sequence()]] * 3,
        tool_call_counts=[0] * 3, tool_failure_counts=[0] * 3, model_version=0, group_id=0, env_rewards=[],
        rollout_rewards=[None] * 3,
    )  # fmt: skip
    samples = asyncio.run(worker.loop._score_group(group))
    right, wrong, none = (sample.advantage for sample in samples)
    assert right == -wrong > 0.9 and none == 0.0


def sequence() -> Any:
    return async_rollout_worker.TrainingSequence(
        input_ids=[1, 2], completion_mask=[0, 1], old_log_probs=[0.0, -1.0], rollout_id="one"
    )


def test_the_process_that_samples_can_be_given_both() -> None:
    """It is spawned: what TRL hands it must be picklable."""
    given = {"reward_funcs": [azr_reward], "environment_factory": FACTORY}
    again = pickle.loads(pickle.dumps(given))
    assert again["reward_funcs"] == [azr_reward]
    assert again["environment_factory"]().run_python("2 + 2") == "4"
