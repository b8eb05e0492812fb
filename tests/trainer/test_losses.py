"""Losses against small cases worked out by hand."""

import math

import pytest
import torch
from azr.config.schema import LossConfig
from azr.trainer.losses import LOSSES
from azr.trainer.losses.base import LossInputs
from azr.trainer.losses.kl import k3
from azr.util.registry import resolve

pytestmark = pytest.mark.torch


def inputs(ratios: list[list[float]], advantages: list[float], lengths: list[int] | None = None) -> LossInputs:
    ratio = torch.tensor(ratios)
    old = torch.full_like(ratio, -1.0)
    size = ratio.shape[1]
    mask = torch.arange(size)[None, :] < torch.tensor(lengths or [size] * len(ratios))[:, None]
    return LossInputs(
        log_probs=(ratio.log() + old).requires_grad_(),
        old_log_probs=old,
        advantages=torch.tensor(advantages)[:, None].expand_as(ratio),
        mask=mask,
    )


def run(name: str, given: LossInputs, **config: float) -> torch.Tensor:
    return resolve(LOSSES, name, "train.loss.name")(given, LossConfig(**config))


def test_ppo_clips_only_where_it_lowers_the_objective() -> None:
    given = inputs([[1.5, 0.5, 1.0], [1.5, 0.5, 1.0]], [1.0, -1.0])
    # A = 1: min(1.5, 1.2), min(0.5, 0.8), 1. A = -1: min(-1.5, -1.2), min(-0.5, -0.8), -1.
    torch.testing.assert_close(run("ppo", given), torch.tensor([[-1.2, -0.5, -1.0], [1.5, 0.8, 1.0]]))


def test_clip_higher_moves_the_upper_bound_alone() -> None:
    given = inputs([[1.5, 0.5]], [1.0])
    torch.testing.assert_close(run("ppo", given, clip_high=0.28), torch.tensor([[-1.28, -0.5]]))


def test_dual_clip_bounds_bad_tokens() -> None:
    given = inputs([[10.0, 2.0], [10.0, 2.0]], [-1.0, 1.0])
    torch.testing.assert_close(run("dual_clip", given), torch.tensor([[3.0, 2.0], [-1.2, -1.2]]))


def test_cispo_keeps_the_gradient_of_clipped_tokens() -> None:
    given = inputs([[9.0, 0.5]], [2.0])
    run("cispo", given, clip_high=4.0).sum().backward()
    # d/dlogp of -sg(min(rho, 5)) A log pi is -min(rho, 5) A.
    torch.testing.assert_close(given.log_probs.grad, torch.tensor([[-10.0, -1.0]]))


def test_gspo_uses_the_geometric_mean_of_the_sequence() -> None:
    given = inputs([[2.0, 0.5, 1.21, 99.0]], [1.0], lengths=[3])
    mean = (2.0 * 0.5 * 1.21) ** (1 / 3)
    values = run("gspo", given, clip_low=0.5, clip_high=0.5)
    torch.testing.assert_close(values[0, :3], torch.full((3,), -mean))
    values[0, :3].mean().backward()
    # Sequence form: d(-s A)/dlogp_t = -s A / length.
    torch.testing.assert_close(given.log_probs.grad, torch.tensor([[-mean / 3, -mean / 3, -mean / 3, 0.0]]))


def test_gspo_clips_whole_sequences() -> None:
    given = inputs([[1.1, 1.1]], [1.0])
    run("gspo", given, clip_low=3e-4, clip_high=4e-4).sum().backward()
    torch.testing.assert_close(given.log_probs.grad, torch.zeros(1, 2))


def test_reinforce_is_minus_a_log_pi() -> None:
    given = inputs([[1.0, 2.0]], [3.0])
    torch.testing.assert_close(run("reinforce", given), -3.0 * given.log_probs.detach())


@pytest.mark.parametrize("name", LOSSES)
def test_on_policy_all_losses_have_the_policy_gradient(name: str) -> None:
    given = inputs([[1.0, 1.0, 1.0]], [2.0])
    run(name, given).sum().backward()
    torch.testing.assert_close(given.log_probs.grad, torch.full((1, 3), -2.0))


@pytest.mark.parametrize("name", LOSSES)
def test_padding_with_wild_values_gives_no_nan(name: str) -> None:
    given = inputs([[1.0, 1.0]], [1.0], lengths=[1])
    wild = LossInputs(
        log_probs=given.log_probs,
        old_log_probs=torch.tensor([[-1.0, -1e6]]),
        advantages=given.advantages,
        mask=given.mask,
    )
    run(name, wild)[0, 0].backward()
    assert torch.isfinite(given.log_probs.grad).all()


def test_k3_is_zero_for_equal_and_positive_otherwise() -> None:
    log_probs = torch.tensor([-1.0, -1.0, -1.0])
    reference = torch.tensor([-1.0, -2.0, -0.5])
    expected = torch.tensor([0.0, math.exp(-1) + 1 - 1, math.exp(0.5) - 0.5 - 1])
    torch.testing.assert_close(k3(log_probs, reference), expected)
