"""Ranks of the trainer's tests: gradients, weights and checkpoints of 1, 2 and 4, into files that the tests compare.

python work.py MODEL OUT
"""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from azr.config import Config, resolve
from azr.distributed.group import Group
from azr.trainer.balance import deal
from azr.trainer.model import LoadedModel, load_model
from azr.trainer.torch_policy import TorchPolicy
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from forks import fork
from torch.distributed.fsdp import fully_shard  # noqa: F401  # once, not in each fork
from torch.distributed.tensor import DTensor

ROWS = [[1, 2, 3, 4], [5, 6, 7, 8]]
STILL = ("train.loss.kl=0", "train.loss.entropy=0")
"""Nothing but its advantage moves an episode: those that have none take no backward pass."""


def batch(seed: int = 0, prompts: int = 9, still: bool = False) -> Batch:
    """Prompts with one to four completions each; `still`: every third has no advantage."""
    rng = np.random.default_rng(seed)
    episodes = []
    for _ in range(prompts):
        ids = tuple(int(x) for x in rng.integers(0, 256, rng.integers(1, 40)))
        prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=ids)
        for _ in range(int(rng.integers(1, 5))):
            answer = tuple(int(x) for x in rng.integers(0, 256, rng.integers(1, 20)))
            done = Completion(prompt=prompt, text="", token_ids=answer, log_probs=(-5.0,) * len(answer), finished=True)
            episodes.append(Episode(completion=done, reward=0.0))
    count = len(episodes)
    advantages = rng.normal(size=count)
    if still:
        advantages[::3] = 0.0
    return Batch(episodes=tuple(episodes), advantages=advantages, weights=rng.random(count) / 400)


def config_of(model: Path, sharding: str, *more: str) -> Config:
    return resolve({}, [f"model.name={model}", f"ranks.sharding={sharding}", "train.optim.lr=1e-3", *more])


def policy_of(config: Config, ranks: Group, double: bool) -> TorchPolicy:
    loaded = load_model(config.model)
    if double:
        loaded = LoadedModel(exact(loaded.model.double()), loaded.tokenizer)
    return TorchPolicy(loaded, config, ranks)


def exact(model: Any) -> Any:
    """transformers takes norms in float32, whatever the weights are in."""
    for module in model.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = partial(exact_norm, module)
    return model


def exact_norm(norm: Any, x: torch.Tensor) -> torch.Tensor:
    return norm.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).detach().clone()


def gradients(model: Path, ranks: Group, sharding: str, *more: str) -> dict[str, torch.Tensor]:
    """Of one update in float64, by parameter; and what is scored and handed to engines after it."""
    settings = ("train.loss.kl=0.1", "train.old_log_probs=engine", "train.micro_batch_tokens=150", *more)
    config = config_of(model, sharding, *settings)
    policy = policy_of(config, ranks, True)
    found: dict[str, torch.Tensor] = {}

    def step() -> None:
        found.update({name: whole(p.grad) for name, p in policy._model.named_parameters() if p.grad is not None})

    policy._optimizer.step = step  # type: ignore[assignment,method-assign]
    stats = policy.update(batch(still=not config.train.loss.kl))
    found["stats"] = torch.tensor(
        [stats.loss, stats.grad_norm, stats.kl, stats.mismatch_mean, stats.mismatch_max, stats.tokens]
    )
    found["entropy"] = torch.from_numpy(stats.entropy)
    found["scored"] = torch.from_numpy(policy.log_probs(ROWS))
    assert policy.model is not None
    # Scored or not, the weights are split again.
    split = {name: whole(p) for name, p in policy._model.named_parameters()}
    assert all(torch.equal(p, split[name]) for name, p in policy.model.named_parameters())
    assert all(isinstance(p, DTensor) == (sharding == "full") for p in policy._model.parameters())
    return found


def checkpoints(model: Path, ranks: Group, out: Path) -> dict[str, Any]:
    """Train a step, save; and take up what two ranks saved, and train on."""
    found: dict[str, Any] = {}
    config = config_of(model, "full")
    if ranks.world == 2:
        policy = policy_of(config, ranks, False)
        policy.update(batch(1))
        folder = out / "split"
        folder.mkdir(exist_ok=True)
        if (written := policy.save(folder)) is not None:
            written.result()
        ranks.gather(None)
        found["saved"] = {name: whole(p) for name, p in policy._model.named_parameters()}
        policy.update(batch(2))
        found["next"] = {name: whole(p) for name, p in policy._model.named_parameters()}
    for sharding in ("full", "none"):
        policy = policy_of(config_of(model, sharding), ranks, False)
        policy.restore(out / "split")
        found[f"restored/{sharding}"] = {name: whole(p) for name, p in policy._model.named_parameters()}
        assert policy.model is not None
        found[f"engine/{sharding}"] = {name: whole(p) for name, p in policy.model.named_parameters()}
        policy.update(batch(2))
        found[f"resumed/{sharding}"] = {name: whole(p) for name, p in policy._model.named_parameters()}
    return found


def main(model: Path, out: Path) -> None:
    torch.set_num_threads(1)
    ranks = Group("cpu", timedelta(hours=2))
    results: dict[str, Callable[[], Any]] = {
        "none": lambda: gradients(model, ranks, "none"),
        "full": lambda: gradients(model, ranks, "full"),
        "recomputed": lambda: gradients(model, ranks, "full", "model.gradient_checkpointing=true"),
        "checkpoints": lambda: checkpoints(model, ranks, out),
        "still-none": lambda: gradients(model, ranks, "none", *STILL),
        "still-full": lambda: gradients(model, ranks, "full", *STILL),
        "offloaded": lambda: gradients(model, ranks, "full", "ranks.offload=true"),
    }
    for name, work in results.items():
        found = work()
        if ranks.leads:
            torch.save(found, out / f"{ranks.world}-{name}.pt")
    shares = [sum(len(rows) for rows in cuts) for cuts in deal(batch(), 150, ranks.world)]
    (out / f"{ranks.world}-shares.json").write_text(json.dumps(shares))
    ranks.close()


if __name__ == "__main__":
    for size in (2, 1, 4):  # two ranks save what all take up
        fork(size, lambda: main(Path(sys.argv[1]), Path(sys.argv[2])))
