"""Stage 6: episodes -> advantages and token weights -> one batch -> new weights."""

from collections.abc import Sequence

import numpy as np

from azr.config import Config
from azr.pipeline.replay import ADVANTAGE
from azr.trainer.advantages import ADVANTAGES, AdvantageInputs
from azr.trainer.aggregation import AGGREGATIONS
from azr.trainer.policy import Learnt, Policy, UpdateStats
from azr.types import Batch, Episode, Role
from azr.util.registry import resolve


def update(
    policy: Policy, episodes: Sequence[Episode], config: Config, replayed: Sequence[Episode] = ()
) -> tuple[Batch, UpdateStats]:
    """Train on a step's episodes; without any, the step passes and the weights stay as they are."""
    batch = make_batch(episodes, config, k=annealed_k(config, policy.step + 1), replayed=replayed)
    return batch, policy.update(batch)


def learn(policy: Policy, episodes: Sequence[Episode]) -> Learnt:
    """Learn right answers by supervised steps."""
    tokens = sum(episode.length for episode in episodes)
    return Learnt(examples=len(episodes), tokens=tokens, loss=policy.learn(episodes))


def annealed_k(config: Config, step: int) -> int:
    """k of the pass@k objectives: linear from `train.k` at the first step to 1 at the last."""
    done = (step - 1) / max(1, config.run.steps - 1)
    return round(config.train.k - done * (config.train.k - 1))


def make_batch(episodes: Sequence[Episode], config: Config, *, k: int = 1, replayed: Sequence[Episode] = ()) -> Batch:
    """Give every episode its advantage and every token its weight. `replayed`: answers that are learnt again."""
    if not episodes:
        return Batch(episodes=(), advantages=np.empty(0), weights=np.empty(0))
    cells = _labels([(episode.role, episode.kind) for episode in episodes])
    inputs = AdvantageInputs(
        rewards=np.array([episode.reward for episode in episodes], dtype=np.float64),
        lengths=np.array([episode.length for episode in episodes], dtype=np.int64),
        cells=cells,
        groups=_labels([(episode.role, episode.kind, episode.group) for episode in episodes]),
        answers=np.array([episode.role is Role.SOLVE for episode in episodes]),
        k=k,
    )
    advantage = resolve(ADVANTAGES, config.train.advantage, "train.advantage")
    weigh = AGGREGATIONS[config.train.loss.aggregation]
    everything = (*episodes, *replayed)
    lengths = np.array([episode.length for episode in everything], dtype=np.int64)
    cells = _labels([(episode.role, episode.kind) for episode in everything])
    return Batch(
        episodes=everything,
        advantages=np.concatenate([advantage(inputs), np.full(len(replayed), ADVANTAGE)]),
        weights=weigh(lengths, cells, config.sampling.max_tokens),
    )


def _labels(keys: Sequence[tuple[object, ...]]) -> np.ndarray:
    """A number for each distinct key, in order of appearance."""
    numbers: dict[tuple[object, ...], int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
