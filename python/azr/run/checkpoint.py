"""Checkpoints of a whole run: weights, optimizer, the buffer's position, the files' lengths, the step.

Random state needs no saving: every generator derives from the seed and the step (`azr.util.randomness`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from azr.config import Config
from azr.errors import CheckpointError
from azr.pipeline.async_rollouts import Ahead
from azr.pipeline.parts import Parts
from azr.pipeline.replay import Replay
from azr.run.best import Best
from azr.run.folder import RunFolder
from azr.trainer import checkpoint
from azr.trainer.policy import Policy

STATE = "run.json"


@dataclass(frozen=True, slots=True)
class Past:
    """What a run remembers of its steps, besides its weights and its tasks."""

    best: Best
    replay: Replay

    @classmethod
    def of(cls, config: Config, path: Path | None) -> Self:
        """As it was at a checkpoint; None: of a run that begins."""
        state = _state(path).get("past", {}) if path is not None else {}
        return cls(Best(config, state.get("best")), Replay(config, state.get("replay", ())))

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to hold."""
        return {"best": self.best.state(), "replay": self.replay.state()}


class Saver:
    """Writes a run's checkpoints. Sharded weights are written in the background (`ranks.async_save`)."""

    def __init__(self, folder: RunFolder, policy: Policy, parts: Parts, told: Callable[[int, str], None]) -> None:
        """`told`: called with the step and path of each finished checkpoint."""
        self._folder, self._policy, self._parts, self._told = folder, policy, parts, told
        self._pending: tuple[int, Callable[[], bool], Callable[[], Path]] | None = None
        self._kept: set[int] = set()

    def save(
        self,
        oversight: Mapping[str, Any] | None = None,
        ahead: Ahead | None = None,
        past: "Past | None" = None,
    ) -> None:
        """Write the checkpoint of the policy's step, or begin to; `ahead`: the next step's rollouts, if there are."""
        self.finish()
        self._kept = past.best.kept if past is not None else set()
        store, ranks, step = self._parts.store, self._parts.ranks, self._policy.step
        positions = dict(ahead.positions) if ahead is not None else store.positions()
        state = {
            "step": step, "buffer": positions.pop(""), "domains": positions, "files": self._folder.sizes(),
            "oversight": dict(oversight or {}), "past": past.state() if past is not None else {},
        }  # fmt: skip

        def complete(folder: Path) -> None:
            (folder / STATE).write_text(json.dumps(state), "ascii")

        if ranks.world == 1:

            def fill(folder: Path) -> None:
                self._policy.save(folder)
                if ahead is not None:
                    ahead.save(folder)
                complete(folder)

            self._told(step, str(self._pruned(checkpoint.write(self._folder.checkpoints, step, fill))))
            return
        root = self._folder.checkpoints
        folder = ranks.first(lambda: checkpoint.begin(root, step))
        written = self._policy.save(folder)
        if ahead is not None:
            ahead.save(folder)

        def seal() -> Path:
            if written is not None:
                written.result()
            # The checkpoint is sealed after all ranks have written.
            ranks.gather(None)
            return ranks.first(lambda: self._pruned(checkpoint.finish(root, step, complete)))

        self._pending = (step, lambda: written is None or written.done(), seal)
        self.poll()

    def poll(self) -> None:
        """Seal a checkpoint in progress if all ranks have written their part."""
        if self._pending is not None and all(self._parts.ranks.gather(self._pending[1]())):
            self.finish()

    def finish(self) -> None:
        """Wait for a checkpoint in progress."""
        if self._pending is not None:
            (step, _, seal), self._pending = self._pending, None
            self._told(step, str(seal()))

    def _pruned(self, path: Path) -> Path:
        """Remove the checkpoints that the config does not keep."""
        keep = self._parts.config.run
        checkpoint.prune(self._folder.checkpoints, keep.keep_last, keep.keep_every, self._kept)
        return path


def latest(folder: RunFolder) -> Path | None:
    """The checkpoint to resume from, verified; None if the run stopped before its first."""
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
    """The oversight state of a checkpoint."""
    return dict(_state(path)["oversight"])


def restore(path: Path, folder: RunFolder, policy: Policy) -> None:
    """Restore the weights and the run folder's files from a checkpoint."""
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
            "past": dict(state.get("past", {})),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"the checkpoint {path} has no readable {STATE}: {error!r}") from error
