"""The stages together learn: sample, reward, update, sample again."""

from pathlib import Path

import pytest
from azr.config import resolve
from azr.rollouts import Sampling
from azr.rollouts.transformers import TransformersEngine
from azr.trainer.model import load_model
from azr.trainer.torch_policy import TorchPolicy
from azr.types import Episode, Kind, Prompt, Role
from azr.update import make_batch

pytestmark = pytest.mark.torch


def test_a_rewarded_habit_is_learnt_within_a_few_steps(tiny_model: Path) -> None:
    """Reward: the share of tokens below 64. By chance it is about a quarter."""
    config = resolve({}, [f"model.name={tiny_model}", "train.optim.lr=3e-3", "train.loss.aggregation=token_mean"])
    loaded = load_model(config.model)
    policy, engine = TorchPolicy(loaded, config), TransformersEngine(loaded.tokenizer, 64)
    prompts = [Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=(70 + n,)) for n in range(8)]
    shares = []
    for step in range(25):
        engine.load(policy.model)
        rows = engine.sample(prompts, Sampling(seed=step, max_tokens=8), count=8)
        episodes = [
            Episode(completion=c, reward=sum(token < 64 for token in c.token_ids) / len(c.token_ids))
            for row in rows
            for c in row
        ]
        shares.append(sum(episode.reward for episode in episodes) / len(episodes))
        stats = policy.update(make_batch(episodes, config))
        assert stats.mismatch_max < 1e-3, "the trainer sees other probabilities than the engine sampled from"
    assert shares[-1] > shares[0] + 0.2
