"""Checkpoints of a whole run: weights, optimizer, the buffer's position, the files' lengths, the step.

Chance needs no saving: every generator is made from the seed and the step (`azr.randomness`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azr.config import Config
from azr.errors import CheckpointError
from azr.run import RunFolder
from azr.trainer import checkpoint
from azr.trainer.policy import Policy

if TYPE_CHECKING:
    from azr.store import TaskStore

STATE = "run.json"


def save(
    folder: RunFolder, policy: Policy, store: "TaskStore", config: Config, oversight: Mapping[str, Any] | None = None
) -> Path:
    """Write the checkpoint of the policy's step and remove those that the config does not keep."""
    positions = store.positions()
    state = {
        "step": policy.step, "buffer": positions.pop(""), "domains": positions, "files": folder.sizes(),
        "oversight": dict(oversight or {}),
    }  # fmt: skip

    def fill(target: Path) -> None:
        policy.save(target)
        (target / STATE).write_text(json.dumps(state), "ascii")

    path = checkpoint.write(folder.checkpoints, policy.step, fill)
    checkpoint.prune(folder.checkpoints, config.run.keep_last, config.run.keep_every)
    return path


def latest(folder: RunFolder) -> Path | None:
    """The checkpoint to resume from, verified; None if the run was stopped before its first."""
    path = checkpoint.newest(folder.checkpoints)
    if path is not None:
        checkpoint.verify(path)
    return path


def position_of(path: Path) -> int:
    """The buffer's position at a checkpoint."""
    return int(_state(path)["buffer"])


def positions_of(path: Path) -> dict[str, int]:
    """The positions of the domains' buffers at a checkpoint."""
    return {name: int(position) for name, position in _state(path)["domains"].items()}


def oversight_of(path: Path) -> dict[str, Any]:
    """What oversight has to know at a checkpoint."""
    return dict(_state(path)["oversight"])


def restore(path: Path, folder: RunFolder, policy: Policy) -> None:
    """Put the weights and the run folder's files back to a checkpoint."""
    state = _state(path)
    policy.restore(path)
    if policy.step != state["step"]:
        raise CheckpointError(f"the checkpoint {path} is of step {state['step']}, its policy of step {policy.step}")
    folder.cut(state["files"])


def _state(path: Path) -> dict[str, Any]:
    try:
        state = json.loads((path / STATE).read_text("ascii"))
        return {
            "step": int(state["step"]),
            "buffer": int(state["buffer"]),
            "domains": dict(state["domains"]),
            "files": dict(state["files"]),
            "oversight": dict(state.get("oversight", {})),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"the checkpoint {path} has no readable {STATE}: {error!r}") from error
