"""Build the parts of a run from its config. Config errors are raised before the model is loaded."""

import os
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from azr.buffer.fingerprint import Fingerprints
from azr.config import Config
from azr.distributed.engine import SharedEngine
from azr.distributed.ranks import ONE, Ranks
from azr.distributed.store import shared
from azr.errors import ConfigError
from azr.oversight.overseer import make_monitors
from azr.pipeline.parts import Parts, all_kinds, make_domains, make_renderer, make_rewards, make_static_filter
from azr.rollouts import Engine, create
from azr.trainer.advantages import ADVANTAGES, NEED_GROUPS
from azr.trainer.losses import LOSSES
from azr.trainer.mismatch import CORRECTIONS
from azr.trainer.policy import Policy, StillPolicy
from azr.trainer.sharding_mode import check_offload, check_reference_policy, check_supervised, is_sharded
from azr.util.registry import locate, resolve
from azr.warmup.examples import refuse_others, worked_examples

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


def check(config: Config) -> None:
    """Resolve every name, and look for contradictory settings.

    Raises:
        ConfigError: names the key, the value and what is allowed.
    """
    make_rewards(config)
    _check_terms(config)
    make_monitors(config)
    resolve(ADVANTAGES, config.train.advantage, "train.advantage")
    # These may import torch, which is slow: it is enough that they exist.
    locate(LOSSES, config.train.loss.name, "train.loss.name")
    locate(CORRECTIONS, config.train.mismatch.name, "train.mismatch.name")
    create.check(config)
    if config.model.adapted:
        _check_adapter(config)
    if config.prompt.examples:
        refuse_others(config, "prompt.examples")
    if config.train.replay and config.train.old_log_probs == "engine":
        raise ConfigError(
            "train.replay needs train.old_log_probs = 'recompute': a replayed answer has none of the engine"
        )
    if config.engine.ahead:
        _check_ahead(config)
    # Otherwise it depends on the number of processes: see `make_engine`.
    if config.ranks.sharding == "none" or config.model.adapted:
        check_offload(config, sharded=False)
    check_reference_policy(config, sharded=config.ranks.sharding == "full")
    check_supervised(config, sharded=config.ranks.sharding == "full")
    if config.engine.name == "scripted":
        if not config.engine.script:
            raise ConfigError("engine.name = 'scripted' needs engine.script, a module:function")
        locate({}, config.engine.script, "engine.script")
    if config.train.advantage in NEED_GROUPS and config.solve.answers < 2 and not config.solve.train_on_trials:
        raise ConfigError(
            f"train.advantage = {config.train.advantage!r} compares answers to one task:"
            f" solve.answers = {config.solve.answers} must be at least 2"
        )


def _check_terms(config: Config) -> None:
    named = any(term.name == "complexity" for term in config.reward.proposer.terms)
    if named and find_spec("complexipy") is None:
        raise ConfigError(
            "reward.proposer.terms: complexity needs complexipy, which is not installed: pip install 'azr[terms]'"
        )


def _check_adapter(config: Config) -> None:
    if config.engine.name == "scripted":
        raise ConfigError("model.lora.rank needs a model to adapt, and engine.name = 'scripted' has none")
    if config.ranks.sharding == "full":
        raise ConfigError(
            "model.lora.rank and ranks.sharding = 'full' exclude each other: an adapter's base is whole on every rank"
        )
    needed = ["peft", *(["bitsandbytes"] if config.model.lora.base == "4bit" else [])]
    if missing := [name for name in needed if find_spec(name) is None]:
        raise ConfigError(f"model.lora needs {' and '.join(missing)}, which is not installed: see `azr doctor`")


def _check_ahead(config: Config) -> None:
    if config.engine.name == "transformers":
        raise ConfigError("engine.ahead = 1 needs an engine with weights of its own: 'transformers' samples from the"
                          " trainer's, while they change")  # fmt: skip
    if config.engine.name == "vllm" and config.engine.vllm.sleep:
        raise ConfigError("engine.ahead = 1 and engine.vllm.sleep exclude each other: the engine never rests")
    corrected = config.train.mismatch.name != "none" or config.train.old_log_probs == "engine"
    if config.engine.name != "scripted" and not corrected:
        raise ConfigError(
            "engine.ahead = 1 samples from older weights than those that are updated: correct for it by"
            " train.mismatch.name (such as tis), or by train.old_log_probs = 'engine'"
        )


def assemble(
    config: Config,
    engine: Engine,
    buffer: Path,
    position: int | None = None,
    positions: Mapping[str, int] | None = None,
    ranks: Ranks = ONE,
) -> Parts:
    """The parts around an engine.

    Args:
        buffer: folder of the task buffer's log.
        position: of a checkpoint; what the log holds beyond it is cut off. None: keep all of it.
        positions: the same of each domain's log.
    """
    from azr.buffer.curriculum import open_store

    domains = make_domains(config, partial(make_sandbox, config))
    kinds, sandbox = all_kinds(config, domains), make_sandbox(config)
    signatures = Fingerprints(lambda kind: kinds[kind].home(sandbox))
    return Parts(
        config=config,
        kinds=kinds,
        domains=domains,
        renderer=make_renderer(config, engine.tokenizer, domains, worked_examples(config, kinds, sandbox)),
        plain_filter=make_static_filter(config),
        rewards=make_rewards(config),
        engine=engine if ranks.world == 1 else SharedEngine(engine, ranks),
        sandbox=sandbox,
        store=shared(open_store(buffer, config, position, positions, signatures) if ranks.leads else None, ranks),
        ranks=ranks,
    )


def make_engine(config: Config, ranks: Ranks = ONE) -> tuple[Engine, Policy]:
    """Make the rollout engine and the policy.

    Raises:
        ConfigError: the number of ranks is not a multiple of `engine.vllm.tensor_parallel`.
    """
    if config.engine.name == "scripted":
        from azr.rollouts.scripted import make as make_scripted

        return make_scripted(None, config), StillPolicy()
    from azr.trainer.model import load_model, pick_device
    from azr.trainer.torch_policy import TorchPolicy

    create.check_ranks(config, ranks.world, int(os.environ.get("LOCAL_WORLD_SIZE", ranks.world)))
    # Sharded or packed weights are moved to the device part by part.
    sharded = is_sharded(config, ranks.world, pick_device(config.model.device))
    check_offload(config, sharded)
    check_reference_policy(config, sharded)
    check_supervised(config, sharded)
    loaded = load_model(config.model, whole=not (sharded or config.model.adapted))
    engine = create.make(loaded.tokenizer, config, ranks)
    policy = TorchPolicy(loaded, config, ranks)
    engine.attach(policy)
    try:
        engine.load(policy.model)
    except BaseException:
        engine.close()
        raise
    return engine, policy


def make_sandbox(config: Config, modules: Mapping[str, str] | None = None) -> "Sandbox":
    """The sandbox with the config's limits (0: the sandbox's default) and a domain's modules."""
    from azr.sandbox import Limits, Sandbox

    given = config.sandbox.model_dump(include={"fuel", "memory_bytes"})
    return Sandbox(
        threads=config.sandbox.threads or None,
        limits=Limits(**{name: value for name, value in given.items() if value}),
        guest=Path(config.sandbox.guest) if config.sandbox.guest else None,
        modules=modules,
    )
