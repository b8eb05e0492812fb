"""Corrections of the mismatch between engine and trainer, against small cases worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from azr.config import resolve as config_of
from azr.config.schema import MismatchConfig
from azr.errors import ConfigError
from azr.trainer.mismatch import CORRECTIONS
from azr.trainer.mismatch.base import engine_kl
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from azr.util.registry import resolve

pytestmark = pytest.mark.torch

RATIOS = [[1.0, 4.0, 0.25], [1.01, 0.99, 7.0]]
"""w of two sequences; the second has two tokens, then padding."""
MASK = torch.tensor([[True, True, True], [True, True, False]])


def run(name: str, low: float, high: float) -> torch.Tensor:
    log_ratio = torch.tensor(RATIOS, dtype=torch.float64).log()
    return resolve(CORRECTIONS, name, "train.mismatch.name")(log_ratio, MASK, MismatchConfig(low=low, high=high))


def expect(found: torch.Tensor, wanted: list[list[float]]) -> None:
    given = torch.tensor(wanted, dtype=torch.float64)
    torch.testing.assert_close(found[MASK], given[MASK])


def test_none_changes_nothing() -> None:
    expect(run("none", 0.5, 2.0), [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])


def test_tis_cuts_large_ratios_and_keeps_small_ones() -> None:
    expect(run("tis", 0.5, 2.0), [[1.0, 2.0, 0.25], [1.01, 0.99, 2.0]])


def test_icepop_drops_tokens_on_both_sides() -> None:
    expect(run("icepop", 0.5, 2.0), [[1.0, 0.0, 0.0], [1.01, 0.99, 0.0]])
    expect(run("icepop", 0.25, 5.0), [[1.0, 4.0, 0.25], [1.01, 0.99, 0.0]])


def test_sequence_weighs_by_the_product_or_drops_all() -> None:
    # 1 x 4 x 0.25 = 1; 1.01 x 0.99 = 0.9999: padding has no part in it.
    expect(run("sequence", 0.0, 2.0), [[1.0, 1.0, 1.0], [0.9999, 0.9999, 0.0]])
    expect(run("sequence", 0.0, 0.99999), [[0.0, 0.0, 0.0], [0.9999, 0.9999, 0.0]])


def test_geometric_keeps_or_drops_whole_sequences_whatever_their_length() -> None:
    # Geometric means: 1 and sqrt(0.9999) = 0.99995.
    expect(run("geometric", 0.99, 1.01), [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    expect(run("geometric", 0.99999, 1.01), [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    expect(run("geometric", 0.99, 0.99999), [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])


def test_engine_kl_is_w_minus_one_minus_log_w() -> None:
    found = engine_kl(torch.tensor([0.0, math.log(2.0), math.log(0.5)], dtype=torch.float64))
    wanted = torch.tensor([0.0, 1.0 - math.log(2.0), -0.5 + math.log(2.0)], dtype=torch.float64)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_where_both_agree_every_correction_is_one(name: str) -> None:
    factor = resolve(CORRECTIONS, name, "train.mismatch.name")(torch.zeros(2, 3), MASK, MismatchConfig())
    torch.testing.assert_close(factor[MASK], torch.ones(5))


def test_an_unknown_name_is_refused_before_a_model_is_loaded() -> None:
    from azr.pipeline.build import check

    with pytest.raises(ConfigError, match=r"train\.mismatch\.name = 'icepip' \(did you mean icepop\?\)"):
        check(config_of({}, ["train.mismatch.name=icepip"]))
    with pytest.raises(ConfigError, match=r"low = 3\.0 must be below high"):
        config_of({}, ["train.mismatch.low=3.0"])


def certain(answers: list[tuple[int, ...]]) -> Batch:
    """Completions of an engine that says that each of its tokens was certain."""
    prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=(1, 2, 3))
    episodes = tuple(
        Episode(
            completion=Completion(prompt=prompt, text="", token_ids=ids, log_probs=(0.0,) * len(ids), finished=True),
            reward=0.0,
        )
        for ids in answers
    )
    return Batch(episodes=episodes, advantages=np.array([1.0, -2.0]), weights=np.full(2, 0.2))


def test_masked_tokens_give_no_gradient_and_are_counted(tiny_model: Path) -> None:
    from azr.trainer.model import load_model
    from azr.trainer.torch_policy import TorchPolicy

    settings = [f"model.name={tiny_model}", "train.loss.entropy=0", "train.loss.kl=0", "train.mismatch.name=icepop"]
    config = config_of({}, [*settings, "train.optim.weight_decay=0", "train.optim.lr=1e-2"])
    policy = TorchPolicy(load_model(config.model), config)
    stats = policy.update(certain([(5, 6, 7), (8, 9)]))  # w = pi / 1 is far below 0.5
    assert stats.masked_share == 1.0 and stats.grad_norm == 0.0
    assert stats.mismatch_kl > 0.0 and stats.mismatch_max >= stats.mismatch_mean > math.log(2.0)
