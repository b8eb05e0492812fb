"""Supervised steps have their own moments, and go on from a checkpoint bit for bit."""

from collections.abc import Sequence
from math import nan
from pathlib import Path

import numpy as np
import pytest
from azr.config import resolve
from azr.errors import ConfigError
from azr.pipeline.build import check
from azr.trainer.model import load_model
from azr.trainer.torch_policy import TorchPolicy
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role

pytestmark = pytest.mark.torch


def episodes(count: int) -> list[Episode]:
    made = []
    for n in range(count):
        prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=(1, 2 + n))
        answer = tuple(range(10 + n, 13 + 2 * n))
        done = Completion(prompt=prompt, text="", token_ids=answer, log_probs=(nan,) * len(answer), finished=True)
        made.append(Episode(completion=done, reward=1.0))
    return made


def policy(model: Path, *more: str) -> TorchPolicy:
    given = ["train.supervised.examples=8", "train.supervised.updates=2", "train.optim.lr=1e-3", "run.steps=10"]
    config = resolve({}, [f"model.name={model}", *given, "train.advantage=hierarchical", *more])
    return TorchPolicy(load_model(config.model), config)


def row(episode: Episode) -> list[int]:
    return [episode.completion.prompt.token_ids[-1], *episode.completion.token_ids]


def batch(rewards: Sequence[float]) -> Batch:
    sampled = [
        Episode(
            completion=Completion(
                prompt=one.completion.prompt, text="", token_ids=(7, 8), log_probs=(-1.0, -1.0), finished=True
            ),
            reward=reward,
        )
        for one, reward in zip(episodes(len(rewards)), rewards, strict=True)
    ]
    return Batch(
        episodes=tuple(sampled), advantages=np.array(rewards), weights=np.full(len(rewards), 1 / (2 * len(rewards)))
    )


def test_the_loss_is_the_cross_entropy_and_falls(tiny_model: Path) -> None:
    trained, given = policy(tiny_model, "train.supervised.updates=1"), episodes(4)
    trained.step = 5
    tokens = sum(one.length for one in given)
    first = trained.learn(given)
    losses = [trained.learn(given) for _ in range(3)]
    assert losses == sorted(losses, reverse=True) and losses[0] < first
    exact = -sum(
        float(policy(tiny_model).log_probs([[*one.completion.prompt.token_ids, *one.completion.token_ids]])[1:].sum())
        for one in given
    )
    assert first == pytest.approx(exact / tokens, rel=1e-4)


def test_the_policy_gradients_moments_are_left_alone(tiny_model: Path, tmp_path: Path) -> None:
    plain, both = policy(tiny_model), policy(tiny_model)
    for trained in (plain, both):
        trained.update(batch([1.0, -1.0]))
    both.learn(episodes(4))
    for name, trained in (("plain", plain), ("both", both)):
        (tmp_path / name).mkdir()
        trained.save(tmp_path / name)
    moments = [(tmp_path / name / "optimizer.safetensors").read_bytes() for name in ("plain", "both")]
    assert moments[0] == moments[1]
    assert (plain.log_probs([row(episodes(1)[0])]) != both.log_probs([row(episodes(1)[0])])).any()


def test_steps_are_smaller_after_the_run_went_back_to_its_best_weights(tiny_model: Path) -> None:
    start, whole, slower = policy(tiny_model), policy(tiny_model), policy(tiny_model)
    slower.rate = 0.01
    for trained in (whole, slower):
        trained.step = 5
        trained.learn(episodes(5))
    probe = [row(episodes(3)[2])]
    moved = [abs(trained.log_probs(probe) - start.log_probs(probe)).max() for trained in (whole, slower)]
    assert 0 < moved[1] < 0.1 * moved[0]


def test_sharded_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"train\.supervised .* ranks\.sharding = 'none'"):
        check(resolve({}, ["train.supervised.examples=8", "ranks.sharding=full"]))


def test_a_restored_policy_learns_on_bit_for_bit(tiny_model: Path, tmp_path: Path) -> None:
    whole, cut = policy(tiny_model), policy(tiny_model)
    for trained in (whole, cut):
        trained.update(batch([1.0, -1.0]))
        trained.learn(episodes(5))
    cut.save(tmp_path)
    again = policy(tiny_model)
    again.restore(tmp_path)
    for trained in (whole, again):
        trained.update(batch([1.0, -1.0]))
        trained.learn(episodes(5))
    probe = [row(episodes(3)[2])]
    assert (whole.log_probs(probe) == again.log_probs(probe)).all()
