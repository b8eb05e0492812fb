"""Shapes of the trainer's core are those that it documents."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from azr.config.schema import LossConfig, MismatchConfig
from azr.trainer.advantages import ADVANTAGES
from azr.trainer.advantages.base import AdvantageInputs
from azr.trainer.losses import LOSSES
from azr.trainer.losses.base import LossInputs
from azr.trainer.mismatch import CORRECTIONS
from azr.trainer.packing import Layout, MicroBatch
from azr.util.registry import resolve
from shapes import documented, problems

pytestmark = pytest.mark.torch


def micro_batch() -> MicroBatch:
    """Two prompts, three completions of at most two tokens, eleven tokens in all."""
    layout = Layout(
        prompts=torch.tensor([0, 3, 6]), completions=torch.tensor([6, 8, 10, 11]), prompt_of=torch.tensor([0, 0, 1])
    )
    grid = torch.zeros(3, 2)
    column = torch.zeros(3, 1)
    return MicroBatch(
        rows=torch.arange(3), ids=torch.arange(11), positions=torch.arange(11), layout=layout,
        source=torch.arange(5), targets=grid.long(), mask=grid.bool(), engine_log_probs=grid,
        advantages=column, weights=column,
    )  # fmt: skip


def test_every_tensor_of_the_core_documents_its_shape() -> None:
    for kind in (MicroBatch, Layout, LossInputs, AdvantageInputs):
        tensors = {name for name, of in kind.__annotations__.items() if "Tensor" in str(of) or "NDArray" in str(of)}
        assert tensors <= documented(kind).keys()


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("ids", torch.arange(12)), ("targets", torch.zeros(2, 3)), ("advantages", torch.zeros(3)),
        ("weights", torch.zeros(3, 2)), ("rows", torch.arange(4)),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_found(field: str, wrong: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(problems(micro_batch()))
    with pytest.raises(AssertionError, match="is not"):
        replace(micro_batch(), **{field: wrong})


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_a_value_for_each_position(name: str) -> None:
    grid = torch.rand(3, 4)
    inputs = LossInputs(log_probs=-grid, old_log_probs=-grid, advantages=grid, mask=grid > 0.1)
    assert resolve(LOSSES, name, "")(inputs, LossConfig()).shape == (3, 4)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_correction_has_a_factor_for_each_position(name: str) -> None:
    grid = torch.rand(3, 4)
    assert resolve(CORRECTIONS, name, "")(grid, grid > 0.1, MismatchConfig()).shape == (3, 4)


@pytest.mark.parametrize("name", ADVANTAGES)
def test_an_advantage_has_a_value_for_each_episode(name: str) -> None:
    labels = np.array([0, 0, 0, 1, 1])
    inputs = AdvantageInputs(
        rewards=np.array([1.0, 0.0, 1.0, 0.5, 0.0]), lengths=np.arange(1, 6), cells=labels, groups=labels,
        answers=labels == 0,
    )  # fmt: skip
    assert resolve(ADVANTAGES, name, "")(inputs).shape == (5,)
