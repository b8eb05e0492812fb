"""Keys of older versions: in a user's config each is an error that says what to do; a run's own config is migrated."""

from collections.abc import Mapping
from typing import Any, Final

from azr.errors import ConfigError

ALARMS = (
    "duplicates", "clusters", "novelty", "entropy", "valid", "learnable", "length", "gap", "decline", "narrowing",
    "time", "memory",
)  # fmt: skip
RENAMED: Final[Mapping[str, str]] = {
    "solve.attempts": "solve.trials",
    "solve.train_on_attempts": "solve.train_on_trials",
    "engine.vllm.probe_tolerance": "engine.vllm.sync_tolerance",
    "oversight.alarms.length.clipped": "oversight.alarms.length.truncated",
    **{f"oversight.alarms.{name}.window": "oversight.alarms.window" for name in ALARMS},
}
"""Old -> new."""
ALL_SAME: Final = "there is one window for all alarms, oversight.alarms.window"
REMOVED: Final[Mapping[str, tuple[Any, str]]] = {
    "oversight.alarms.sandbox.window": (None, ALL_SAME),
    "oversight.alarms.sandbox_ill.window": (None, ALL_SAME),
    "engine.vllm.head_float32": (False, "the engine's logits have the type of engine.vllm.dtype"),
    "evals.batch": (None, "the engine's batch holds for probes too"),
    "evals.reach_limit": (0, "evals.reach has all tasks of its file"),
    "evals.best_by": ("sampled", "evals.decline looks at the sampled score"),
    "oversight.alarms.memory.bytes": (512 << 20, "the memory alarm wants a growth of 512 MiB"),
    "oversight.refusal.max_tokens": (64, "64 tokens show whether a model declines"),
    "propose.reference_sampling": ("uniform", "references are drawn uniformly"),
    "propose.start_step": (1, "every step proposes"),
    "reward.proposer.combine": ("sum", "extra terms are added; a reward of your own can do otherwise"),
    "sampling.propose.top_k": (-1, "sampling.top_k holds for both roles"),
    "sampling.propose.top_p": (0.0, "sampling.top_p holds for both roles"),
    "sampling.solve.top_k": (-1, "sampling.top_k holds for both roles"),
    "sampling.solve.top_p": (0.0, "sampling.top_p holds for both roles"),
    "sandbox.output_bytes": (0, "the sandbox's default limit of output holds"),
    "sandbox.value_bytes": (0, "the sandbox's default limit of a value holds"),
    "seeding.max_passes": (200, "seeding ends after 200 passes"),
    "solve.window": (1, "tasks of the last step count as new"),
    "tasks.composite.at_least": (1, "one to tasks.composite.at_most programs are asked for"),
    "tasks.composite.schedule": (False, "tasks.composite.chance and .at_most hold for every step"),
    "tasks.composite.start_step": (1, "composites are asked for from the first step on"),
    "train.optim.eps": (1e-8, "AdamW's eps is 1e-8"),
    "warmup.lr_steps": (10, "the rate of azr warmup is reached after ten optimizer steps"),
}
"""Keys without a successor: the only value that still works, None for any, and what holds instead."""


def refuse_lost(values: Mapping[str, Any]) -> None:
    """Refuse the config of a run that used what a removed key did: it could not go on as it was started.

    Raises:
        ConfigError: names the key and its value.
    """
    for old, (works, instead) in REMOVED.items():
        table, key = _table(values, old)
        if works is not None and key in table and table[key] != works:
            raise ConfigError(f"{old} = {table[key]!r}: the key was removed, so the run cannot go on; {instead}")


def translate(values: dict[str, Any]) -> dict[str, Any]:
    """Migrate the tree of a config that azr wrote to the current keys.

    A run's folder holds every key with its value, so a run of an older azr resumes, and is reported, as it was started.
    """
    for old in (*RENAMED, *REMOVED):
        table, key = _table(values, old)
        if key not in table:
            continue
        value = table.pop(key)
        if old in RENAMED:
            target, name = _table(values, RENAMED[old])
            target[name] = value
    return values


def _table(values: Mapping[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The table that holds a key, and the key's own name; an empty table where there is none."""
    *parents, key = path.split(".")
    table: Any = values
    for parent in parents:
        table = table.get(parent) if isinstance(table, dict) else None
    return (table, key) if isinstance(table, dict) else ({}, key)
