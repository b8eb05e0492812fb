"""Renamed metrics: rows of older runs are read under the current names."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

RENAMED: Final = (
    (re.compile(r"(update/\w+/[\w.]+)/clipped_share"), r"\1/truncated_share"),
    (re.compile(r"update/gap_(mean|max|kl)"), r"update/mismatch_\1"),
    (re.compile(r"rollout/probe_gap"), r"rollout/sync_mismatch"),
)
"""Old -> new, as patterns of the whole name."""


def current(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of metrics.jsonl under the current names."""
    return {_current(name): value for name, value in row.items()}


@lru_cache(4096)
def _current(name: str) -> str:
    for old, new in RENAMED:
        if found := old.fullmatch(name):
            return found.expand(new)
    return name
