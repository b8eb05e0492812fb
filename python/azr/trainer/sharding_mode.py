"""Whether weights are sharded over ranks, decided before anything is loaded."""

from azr.config import Config
from azr.errors import ConfigError


def is_sharded(config: Config, world: int, device: str) -> bool:
    """What `ranks.sharding` means for this number of ranks."""
    if config.ranks.sharding == "auto":
        return world > 1 and device.startswith("cuda") and not config.model.adapted
    return config.ranks.sharding == "full"


def check_offload(config: Config, sharded: bool) -> None:
    """Reject an offload without sharding.

    Raises:
        ConfigError: weights are whole on every rank.
    """
    if config.ranks.offload and not sharded:
        raise ConfigError(
            "ranks.offload = true moves sharded weights to the CPU, and here every rank holds all weights:"
            " it would do nothing."
            " ranks.sharding = 'full' splits them, on a single rank too; not with an adapter (model.lora.rank)"
        )


def check_supervised(config: Config, sharded: bool) -> None:
    """Supervised steps need whole weights: their optimizer is saved whole.

    Raises:
        ConfigError: the weights are sharded.
    """
    if config.train.supervised.examples and sharded:
        raise ConfigError("train.supervised does not go with sharded weights: set ranks.sharding = 'none'")


def reference_policy_moves(config: Config) -> bool:
    """Whether the weights that the KL is taken to change in the course of a run."""
    return bool(config.train.loss.kl and (config.train.loss.follow or config.train.reset_every))


def check_reference_policy(config: Config, sharded: bool) -> None:
    """Weights that the KL is taken to can only move where there is a whole copy of them.

    Raises:
        ConfigError: there is none.
    """
    if reference_policy_moves(config) and (config.model.adapted or sharded):
        raise ConfigError(
            "train.loss.kl to weights that move (train.loss.follow, train.reset_every) needs a whole copy of them:"
            " model.lora has none, nor ranks.sharding = 'full'"
        )
