"""Oversight of a run: traces, monitors, alarms, hooks, the watchdog. The user's page: docs/oversight.md.

`Monitor`, `Finding` and `Seen` (in `base`) are the API for your hooks; `Overseer` is what the loop calls.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azr.oversight.base import Finding, Monitor, Seen

__all__ = ["Finding", "Monitor", "Seen"]


def __getattr__(name: str) -> Any:
    """Lazy import: readers of traces need none of it."""
    if name in __all__:
        from azr.oversight import base

        return getattr(base, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
