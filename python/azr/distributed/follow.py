"""Read-only run folder for non-zero ranks; writes are no-ops."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from azr.run.folder import RunFolder


class FollowedFolder(RunFolder):
    """The run folder that rank 0 holds: readable, and writes are dropped."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> None: ...

    def append(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None: ...

    def cut(self, sizes: Mapping[str, int]) -> None: ...

    def close(self) -> None: ...
