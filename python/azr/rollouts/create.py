"""From a config to its rollout engine. What an engine needs to know of the run's ranks is decided here."""

from collections.abc import Callable

from azr.config import Config
from azr.distributed.ranks import ONE, Ranks
from azr.rollouts import ENGINES, Engine, Tokenizer
from azr.util.registry import locate, resolve


def check(config: Config) -> None:
    """Reject an engine that does not exist, and settings that it cannot fulfil; imports nothing heavy.

    Raises:
        ConfigError: names the keys.
    """
    locate(ENGINES, config.engine.name, "engine.name")
    if config.engine.name == "vllm":
        from azr.rollouts.vllm.options import check as check_vllm

        check_vllm(config)


def check_ranks(config: Config, world: int, machine: int) -> None:
    """Reject a number of ranks that the engine cannot serve.

    Args:
        world: how many ranks the run has.
        machine: how many of them this machine has.

    Raises:
        ConfigError: not a multiple of `engine.vllm.tensor_parallel`.
    """
    if config.engine.name == "vllm":
        from azr.rollouts.vllm.options import check_groups

        check_groups(config, world, machine)


def make(tokenizer: Tokenizer, config: Config, ranks: Ranks = ONE) -> Engine:
    """This rank's engine: its own, or its seat at one that it shares with its neighbours. Collective if it shares."""
    if config.engine.name == "vllm" and config.engine.vllm.tensor_parallel > 1 and ranks.world > 1:
        from azr.rollouts.vllm.client import take_seat

        return take_seat(tokenizer, config, ranks)
    made: Callable[[Tokenizer, Config], Engine] = resolve(ENGINES, config.engine.name, "engine.name")
    return made(tokenizer, config)
