"""Renamed keys: an old key in a user's config is an error that names the new one; a run's own config is migrated."""

from collections.abc import Mapping
from typing import Any, Final

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
REMOVED: Final = ("oversight.alarms.sandbox.window", "oversight.alarms.sandbox_ill.window")
"""Keys without a successor."""


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


def _table(values: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The table that holds a key, and the key's own name; an empty table where there is none."""
    *parents, key = path.split(".")
    table: Any = values
    for parent in parents:
        table = table.get(parent) if isinstance(table, dict) else None
    return (table, key) if isinstance(table, dict) else ({}, key)
