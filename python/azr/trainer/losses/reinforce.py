"""REINFORCE: the plain policy gradient, for batches that the current weights sampled."""

from torch import Tensor

from azr.config.schema import LossConfig
from azr.trainer.losses.base import LossInputs


def loss(inputs: LossInputs, config: LossConfig) -> Tensor:
    """`-A log pi`."""
    return -inputs.advantages * inputs.log_probs
