"""What ranks other than the first have in place of the run folder's files: the place, and no hand on it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from azr.run.folder import RunFolder


class FollowedFolder(RunFolder):
    """The run folder that the first rank holds: can be read, and what is written to it is dropped here."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> None: ...

    def append(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None: ...

    def cut(self, sizes: Mapping[str, int]) -> None: ...

    def close(self) -> None: ...
