"""The losses and aggregations that TRL has too give the same number and the same gradient."""

from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from azr.config.schema import LossConfig
from azr.trainer.aggregation import AGGREGATIONS
from azr.trainer.losses import LOSSES
from azr.trainer.losses.base import LossInputs
from azr.trainer.losses.kl import k3
from azr.util.registry import resolve

pytestmark = pytest.mark.torch

ROWS, COLUMNS, LONGEST, BETA = 5, 7, 16, 0.05


@pytest.fixture(scope="module")
def numbers() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    lengths = torch.tensor([7, 3, 1, 5, 6])
    return {
        "log_probs": -torch.rand(ROWS, COLUMNS, generator=generator) * 3,
        "old": -torch.rand(ROWS, COLUMNS, generator=generator) * 3,
        "reference": -torch.rand(ROWS, COLUMNS, generator=generator) * 3,
        "advantages": torch.randn(ROWS, generator=generator),
        "mask": (torch.arange(COLUMNS)[None] < lengths[:, None]).float(),
    }


def theirs(numbers: dict[str, torch.Tensor], loss_type: str, level: str, low: float, high: float) -> torch.Tensor:
    """TRL's own method, on a stand-in for the trainer around it."""
    from trl.trainer.grpo_trainer import GRPOTrainer

    log_probs = numbers["log_probs"].clone().requires_grad_()
    trainer = MagicMock()
    trainer._get_per_token_logps_and_entropies.return_value = (log_probs, torch.zeros(ROWS, COLUMNS), None)
    for name, value in {
        "top_entropy_quantile": 1.0, "off_policy_mask_threshold": None, "importance_sampling_level": level,
        "beta": BETA, "loss_type": loss_type, "epsilon_low": low, "epsilon_high": high, "use_vllm": False,
        "_entropy_bonus_enabled": False, "aux_loss_enabled": False, "max_completion_length": LONGEST,
        "current_gradient_accumulation_steps": 1,
    }.items():  # fmt: skip
        setattr(trainer, name, value)
    trainer.args.delta, trainer.args.use_bias_correction_kl, trainer.args.steps_per_generation = None, False, 1
    trainer.accelerator.num_processes = 1
    trainer.accelerator.gather.side_effect = lambda tensor: tensor
    inputs = {
        "prompt_ids": torch.ones(ROWS, 1), "prompt_mask": torch.ones(ROWS, 1), "completion_mask": numbers["mask"],
        "completion_ids": torch.ones(ROWS, COLUMNS), "advantages": numbers["advantages"],
        "old_per_token_logps": numbers["old"], "ref_per_token_logps": numbers["reference"],
        "num_items_in_batch": numbers["mask"].sum(),
    }  # fmt: skip
    loss = GRPOTrainer._compute_loss(trainer, MagicMock(), inputs)
    loss.backward()
    return torch.cat([loss.detach().reshape(1), log_probs.grad.flatten()])


def ours(numbers: dict[str, torch.Tensor], name: str, aggregation: str, low: float, high: float) -> torch.Tensor:
    log_probs = numbers["log_probs"].clone().requires_grad_()
    mask = numbers["mask"].bool()
    inputs = LossInputs(
        log_probs=log_probs,
        old_log_probs=numbers["old"],
        advantages=numbers["advantages"][:, None].expand_as(log_probs),
        mask=mask,
    )
    lengths = mask.sum(1).numpy().astype(np.int64)
    weights = torch.tensor(AGGREGATIONS[aggregation](lengths, np.zeros(ROWS, dtype=np.int64), LONGEST))
    per_token = resolve(LOSSES, name, "loss")(inputs, LossConfig(clip_low=low, clip_high=high))
    per_token = per_token + BETA * k3(log_probs, numbers["reference"])
    loss = (per_token * weights[:, None].float()).masked_fill(~mask, 0.0).sum()
    loss.backward()
    return torch.cat([loss.detach().reshape(1), log_probs.grad.flatten()])


@pytest.mark.parametrize(
    ("name", "aggregation", "loss_type", "level"),
    [
        ("ppo", "sequence_mean", "grpo", "token"),
        ("ppo", "token_mean", "bnpo", "token"),
        ("ppo", "token_mean", "dapo", "token"),
        ("ppo", "constant", "dr_grpo", "token"),
        ("cispo", "token_mean", "cispo", "token"),
        ("gspo", "sequence_mean", "grpo", "sequence"),
    ],
)
def test_same_loss_and_gradient(
    numbers: dict[str, torch.Tensor], name: str, aggregation: str, loss_type: str, level: str
) -> None:
    low, high = 0.2, 0.28
    # TRL's bound of CISPO is the ratio itself, ours what it exceeds 1 by.
    their_high = 1.0 + high if loss_type == "cispo" else high
    expected = theirs(numbers, loss_type, level, low, their_high)
    torch.testing.assert_close(ours(numbers, name, aggregation, low, high), expected, atol=1e-6, rtol=1e-4)
