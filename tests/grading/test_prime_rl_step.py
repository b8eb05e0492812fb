"""What prime-rl does for a step, without a GPU: its own code up to the loss, with azr's self-play.

Its env server plays, its dispatcher asks it, its sink scores groups by `hierarchical_grpo`, its packer packs them, its
transport carries them, and its trainer's data loader and loss read them. The model's forward pass and the optimizer are
not prime-rl's: its trainer calls `torch.cuda` throughout. A server answers in place of vLLM.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("prime_rl.orchestrator.train_sink", reason="needs prime-rl, from GitHub: `make adapters` runs it")
pytestmark = pytest.mark.torch
os.environ["TORCHDYNAMO_DISABLE"] = "1"  # two of prime-rl's functions would be compiled, for minutes

import tomli_w  # noqa: E402
import torch  # noqa: E402
import verifiers.v1 as vf  # noqa: E402
from endpoint import answering, scripted  # noqa: E402
from prime_rl.configs.rl import RLConfig  # noqa: E402
from prime_rl.entrypoints.rl import write_subconfigs  # noqa: E402
from prime_rl.orchestrator.dispatcher import Dispatcher  # noqa: E402
from prime_rl.orchestrator.envs import TrainEnvs  # noqa: E402
from prime_rl.orchestrator.packing import BatchPacker  # noqa: E402
from prime_rl.orchestrator.train_sink import TrainSink  # noqa: E402
from prime_rl.orchestrator.train_source import TrainSource  # noqa: E402
from prime_rl.orchestrator.types import Policy, Progress, TrainBatch  # noqa: E402
from prime_rl.orchestrator.utils import setup_policy_inference_pool  # noqa: E402
from prime_rl.trainer.rl import loss as losses  # noqa: E402
from prime_rl.trainer.rl.data import DataLoader  # noqa: E402
from prime_rl.transports.rollouts import TrainingSample, setup_micro_batch_sender  # noqa: E402
from pydantic_config import cli  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402
from tiny_models import chat_model, log_probs  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

RECIPE = Path(__file__).parents[2] / "environments" / "azr_self_play"
GROUP, SOLVERS = 2, 4
STREAMS = (
    "inference_logprobs", "ref_logprobs", "advantages", "loss_mask", "rl_weights", "ce_weights", "ref_kl_weights",
)  # fmt: skip


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were installed."""
    monkeypatch.syspath_prepend(str(RECIPE))


@pytest.fixture(autouse=True)
def no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """This prime-rl asks a branch for its images, and verifiers 0.4.0 has another name for them."""
    monkeypatch.setattr(vf.Branch, "multi_modal_data", None, raising=False)


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return chat_model(tiny_model, tmp_path / "model")


@contextmanager
def vllm(model: Path) -> Iterator[str]:
    """vLLM's endpoints for tokens: each proposal is another sum, and the first answer to each task is wrong."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    weights = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    proposed, asked = count(1), Counter[str]()

    def say(prompt: list[int]) -> list[int]:
        text = tokenizer.decode(prompt).rpartition("<|im_start|>user\n")[2]
        asked[text] += 1
        proposes = "Write a new Python program" in text
        said = scripted(text, next(proposed) if proposes else int(asked[text] > 1))
        return [*tokenizer(said)["input_ids"], tokenizer.eos_token_id]

    async def generate(request: Request) -> JSONResponse:
        prompt = (await request.json())["token_ids"]
        ids = say(prompt)
        found = log_probs(weights, prompt, ids).tolist()
        content = [{"token": f"token_id:{one}", "logprob": value} for one, value in zip(ids, found, strict=True)]
        choice = {"index": 0, "token_ids": ids, "logprobs": {"content": content}, "finish_reason": "stop"}
        return JSONResponse({"request_id": "r", "choices": [choice]})

    async def models(request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [{"id": str(model), "max_model_len": 4096}]})

    with answering(
        Starlette(routes=[Route("/inference/v1/generate", generate, methods=["POST"]), Route("/v1/models", models)])
    ) as url:
        yield url


def configured(model: Path, url: str, place: Path, port: int) -> RLConfig:
    """The recipe, small."""
    given = tomllib.loads((RECIPE / "rl.toml").read_text("utf-8"))
    given |= {"output_dir": str(place / "out"), "max_steps": 1, "model": {"name": str(model)}}
    given["trainer"]["optim"]["lr"] = 1e-3
    asks = given["orchestrator"]
    asks |= {"batch_size": GROUP * (1 + SOLVERS), "group_size": GROUP, "env_server_base_port": port}
    asks |= {"renderer": {"name": "default"}, "model": {"client": {"base_url": url}}}
    given["rollout_transport"] = {"type": "filesystem"}
    (source,) = asks["train"]["source"]
    source["env"] |= {"n": SOLVERS, "max_concurrent_agents": 1}
    source["env"]["taskset"]["kinds"] = ["deduction"]
    (place / "rl.toml").write_text(tomli_w.dumps(given), "utf-8")
    return cli(RLConfig, args=["@", str(place / "rl.toml")])


@contextmanager
def env_server(config: RLConfig, place: Path) -> Iterator[None]:
    """prime-rl's, from what its launcher writes for it."""
    write_subconfigs(config, place)
    (file,) = (place / "envs" / "train").glob("*.json")
    paths = os.pathsep.join([str(RECIPE), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "prime_rl.entrypoints.env_server", "@", str(file)]
    with (
        (place / "env.log").open("w") as log,
        subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, stdout=log, stderr=log) as server,
    ):
        try:
            yield
        finally:
            server.send_signal(signal.SIGINT)


async def sampled(config: RLConfig, tokenizer: Any) -> TrainBatch:
    """A batch, as prime-rl's orchestrator has its parts play, score and choose it."""
    asks = config.orchestrator
    _, pool = await setup_policy_inference_pool(config=asks, tokenizer=tokenizer)
    envs = TrainEnvs(asks.train.source, asks.env_addresses, policy_pool=pool, renderer_config=asks.renderer)
    await envs.start()
    source, progress = TrainSource(envs), Progress()
    sink = TrainSink(
        asks, tokenizer=tokenizer, train_envs=envs, mm_token_type_ids_mapping=None, progress=progress,
        batch_size=asks.batch_size, token_batch_size=None, on_result=source.on_result,
    )  # fmt: skip
    dispatcher = Dispatcher(
        train_envs=envs, eval_envs=None, train_source=source, eval_source=None, policy_pool=pool,
        policy=Policy(version=0, model_name=pool.model_name), progress=progress, initial_max_inflight=1,
        max_inflight_ceiling=1, tasks_per_minute=None, max_off_policy_steps=1, run_id="run", run_name=None,
    )  # fmt: skip
    async with asyncio.TaskGroup() as running:  # where the dispatcher fails, this does
        running.create_task(dispatcher.start())
        batch = None
        while batch is None:
            batch = await sink.add(await dispatcher.out_q.get())
        await dispatcher.stop()
    return batch


def update(weights: Any, config: RLConfig, batch: Any) -> dict[str, torch.Tensor]:
    """A step on prime-rl's loss, called as its trainer calls it; what the loss tells."""
    optimizer = torch.optim.AdamW(weights.parameters(), lr=config.trainer.optim.lr)
    labels = losses.shift_tensor_left(batch["input_ids"])
    # Without a cache, transformers keeps packed sequences apart by their positions.
    logits = weights(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
    found = losses.selective_log_softmax(logits / batch["temperatures"][..., None], labels)
    lengths = batch["sequence_lengths"]
    parts = {name: None if batch[name] is None else batch[name][0].split(lengths) for name in STREAMS}
    trained = batch["loss_mask"] if batch["rl_weights"] is None else batch["loss_mask"] & (batch["rl_weights"] != 0)
    loss, told = losses.compute_loss(
        trainer_logprobs=losses.shift_tensor_right(found)[0].split(lengths), **parts,
        rl_loss_fn=losses.setup_rl_loss_fn(config.trainer.loss), rl_scale=int(trained.sum()), ce_scale=1,
        ref_kl_scale=1,
    )  # fmt: skip
    loss.backward()
    optimizer.step()
    return told


def test_a_step_of_self_play_on_prime_rls_loss(model: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with vllm(model) as url:
        config = configured(model, url, tmp_path, port)
        with env_server(config, tmp_path):
            batch = asyncio.run(sampled(config, tokenizer))

    # azr's rewards: three of four solve each task, so a proposal earns what the fourth leaves.
    paid = [[(trace.agent.name, trace.reward) for trace in episode.traces] for episode in batch.episodes]
    assert [sorted(each) for each in paid] == [
        [("proposer", 0.25), ("solver", -0.5), ("solver", 1.0), ("solver", 1.0), ("solver", 1.0)]
    ] * GROUP
    # prime-rl's advantages: solvers within their task; proposals that earn the same teach nothing, and are left out.
    credit = [{a for a, on in zip(one.advantages, one.mask, strict=True) if on} for one in batch.samples]
    assert sorted(map(list, credit)) == [[-1.125]] * GROUP + [[0.375]] * GROUP * (SOLVERS - 1)

    asks = config.orchestrator
    sender = setup_micro_batch_sender(asks.output_dir, asks.num_train_workers, 1, asks.rollout_transport)
    asyncio.run(sender.send(BatchPacker(asks).pack(batch.samples)))
    loader = DataLoader(config.trainer.output_dir, 1, asks.num_train_workers, config.trainer.rollout_transport)
    (packed,) = loader.get_batch()
    assert len(packed["sequence_lengths"]) == len(batch.samples)

    weights = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    before = [log_prob(weights, one) for one in batch.samples]
    told = update(weights, config, packed)
    assert told["unmasked_mismatch_kl"].max() < 1e-6  # the tokens, masks and log-probabilities belong together
    after = [log_prob(weights, one) for one in batch.samples]
    moved = [new - old for new, old in zip(after, before, strict=True)]
    assert sum(one.pop() * move for one, move in zip(credit, moved, strict=True)) > 0


def log_prob(weights: Any, sample: TrainingSample) -> float:
    """Of the tokens that a sample trains."""
    begin = sample.mask.index(True)
    return log_probs(weights, sample.token_ids[:begin], sample.token_ids[begin:]).sum().item()
