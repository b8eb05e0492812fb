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
    "evals.best_by": ("sampled", "evals.decline looks at the sampled score"),
    "propose.reference_sampling": ("uniform", "references are drawn uniformly"),
    "propose.start_step": (1, "every step proposes"),
    "reward.proposer.combine": ("sum", "extra terms are added; a reward of your own can do otherwise"),
    "seeding.max_passes": (200, "seeding ends after 200 passes"),
    "tasks.composite.schedule": (False, "tasks.composite.chance and .at_most hold for every step"),
    "tasks.composite.start_step": (1, "composites are asked for from the first step on"),
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
