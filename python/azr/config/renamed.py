"""Renamed keys: an old key in a user's config is an error that names the new one; a run's own config is migrated."""

from collections.abc import Mapping
from typing import Any, Final

RENAMED: Final[Mapping[str, str]] = {
    "solve.attempts": "solve.trials",
    "solve.train_on_attempts": "solve.train_on_trials",
    "engine.vllm.probe_tolerance": "engine.vllm.sync_tolerance",
    "oversight.alarms.length.clipped": "oversight.alarms.length.truncated",
}
"""Old -> new. A key that is renamed stays in its table."""


def translate(values: dict[str, Any]) -> dict[str, Any]:
    """Migrate the tree of a config that azr wrote to the current keys.

    A run's folder holds every key with its value, so a run of an older azr resumes, and is reported, as it was started.
    """
    for old, new in RENAMED.items():
        *parents, key = old.split(".")
        table: Any = values
        for parent in parents:
            table = table.get(parent) if isinstance(table, dict) else None
        if isinstance(table, dict) and key in table:
            table[new.rpartition(".")[2]] = table.pop(key)
    return values
