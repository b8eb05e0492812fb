"""Lines shared by both views of a run: alarms and durations."""

from collections.abc import Mapping
from typing import Any

from azr.util.sanitize import one_line


def alarm_line(row: Mapping[str, Any]) -> str:
    """One finding on one line, whatever its evidence holds."""
    where = " ".join(str(row[name]) for name in ("role", "kind") if row.get(name))
    return one_line(f"{row['id']} {row['action']} {row['monitor']}/{row['rule']} {where}: {row['evidence']}")


def duration(seconds: float) -> str:
    """In words."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
