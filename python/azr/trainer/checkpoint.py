"""Atomic checkpoints: a folder is either complete or missing.

A checkpoint is written to a temporary folder, every file is flushed, a manifest of sizes and hashes is added, and one
rename publishes it. A failure before the rename leaves the earlier checkpoints unchanged.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from azr.errors import CheckpointError

MANIFEST = "manifest.json"
PREFIX, TEMPORARY = "step_", ".writing-"
_NAME = re.compile(rf"{PREFIX}(\d+)")


def write(root: Path, step: int, fill: Callable[[Path], None]) -> Path:
    """Make the checkpoint of a step; `fill` writes its files into the folder it is given.

    Raises:
        CheckpointError: the disk is full or read-only, or `fill` failed; nothing else has changed.
    """
    begin(root, step)
    return finish(root, step, fill)


def begin(root: Path, step: int) -> Path:
    """Make the temporary folder of a step's checkpoint, for one or several writing processes.

    Raises:
        CheckpointError: the disk is full or read-only.
    """
    with _explained(root, step):
        root.mkdir(parents=True, exist_ok=True)
        working = _working(root, step)
        shutil.rmtree(working, ignore_errors=True)
        working.mkdir()
    return working


def finish(root: Path, step: int, fill: Callable[[Path], None]) -> Path:
    """Write the manifest and rename the folder."""
    final = root / f"{PREFIX}{step}"
    with _explained(root, step):
        working = _working(root, step)
        fill(working)
        _seal(working)
        if final.exists():  # a step repeated after a resume
            shutil.rmtree(final)
        os.replace(working, final)
        _flush(root)
    return final


@contextmanager
def _explained(root: Path, step: int) -> Iterator[None]:
    """On failure, remove the incomplete folder and report which checkpoint is still good."""
    try:
        yield
    except Exception as error:
        shutil.rmtree(_working(root, step), ignore_errors=True)
        left = newest(root)
        good = f"the last good checkpoint is {left}" if left else "there is no earlier checkpoint"
        raise CheckpointError(f"cannot write the checkpoint {root / f'{PREFIX}{step}'}: {error}; {good}") from error


def _working(root: Path, step: int) -> Path:
    return root / f"{TEMPORARY}{PREFIX}{step}"


def verify(folder: Path) -> None:
    """Check every file against the manifest.

    Raises:
        CheckpointError: a file is missing, damaged or not listed.
    """
    try:
        listed = json.loads((folder / MANIFEST).read_text("ascii"))
        found = {str(path.relative_to(folder)): _digest(path) for path in _files(folder)}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the checkpoint {folder} cannot be read: {error}") from error
    if found != listed:
        odd = sorted(name for name in found.keys() | listed.keys() if found.get(name) != listed.get(name))
        raise CheckpointError(f"the checkpoint {folder} is damaged: {odd[0]} is not what was written")


def steps(root: Path) -> list[int]:
    """Steps with a complete checkpoint, ascending."""
    if not root.is_dir():
        return []
    return sorted(int(match[1]) for path in root.iterdir() if (match := _NAME.fullmatch(path.name)))


def newest(root: Path) -> Path | None:
    """The latest checkpoint."""
    found = steps(root)
    return root / f"{PREFIX}{found[-1]}" if found else None


def prune(root: Path, keep_last: int, keep_every: int, others: Collection[int] = ()) -> list[Path]:
    """Remove all but the last few, those of every `keep_every` steps and `others`; also what a crash left half done."""
    found = steps(root)
    kept = {*found[-keep_last:], *others} | {step for step in found if keep_every and step % keep_every == 0}
    gone = [root / f"{PREFIX}{step}" for step in found if step not in kept]
    gone += [path for path in root.iterdir() if path.name.startswith(TEMPORARY)]
    for path in gone:
        shutil.rmtree(path)
    return gone


def _seal(folder: Path) -> None:
    manifest = {}
    for path in _files(folder):
        _flush(path)
        manifest[str(path.relative_to(folder))] = _digest(path)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), "ascii")
    _flush(folder / MANIFEST)
    _flush(folder)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
