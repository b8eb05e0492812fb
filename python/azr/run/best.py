"""The best weights of a run, by its probes: kept, and put back where the score falls (`evals.decline`).

Long runs of self-play unlearn. What a run has to remember of it, the step of its best checkpoint, that score and the
learning rate's factor, is in every checkpoint, so that a run that goes on does the same.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from azr.config import Config

HALF = 0.5
"""The factor of the learning rate each time that a run goes back."""


class Move(StrEnum):
    """What follows from a probe."""

    NOTHING = "nothing"
    KEEP = "keep"
    """These weights are the best: save them."""
    BACK = "back"
    """Put the best weights back, and go on at a lower rate."""
    STOP = "stop"
    """Put the best weights back, and end."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of the best weights."""

    step: int = -1
    """Of their checkpoint; -1: none yet."""
    score: float = 0.0
    rate: float = 1.0
    """Factor of the learning rate by now."""


class Best:
    """The rule. Saving and putting back is the loop's."""

    def __init__(self, config: Config, state: Mapping[str, Any] | None = None) -> None:
        """`state`: of the checkpoint that a run goes on from."""
        self._config = config
        self.memory = Memory(**(state or {}))

    @property
    def kept(self) -> set[int]:
        """Steps whose checkpoints must stay."""
        return {self.memory.step} if self.memory.step >= 0 else set()

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to hold."""
        return asdict(self.memory)

    def probed(self, step: int, numbers: Mapping[str, float]) -> Move:
        """What to do after a step with these numbers."""
        given = self._config.evals
        score = numbers.get("probe/sampled")
        if given.decline == "go_on" or score is None:
            return Move.NOTHING
        best = self.memory
        if best.step < 0 or score > best.score:
            self.memory = Memory(step, score, best.rate)
            return Move.KEEP
        last = step >= self._config.run.steps
        if score < best.score and (last or best.score - score >= given.fall):
            self.memory = Memory(best.step, best.score, best.rate * HALF)
            return Move.STOP if last or given.decline == "stop" else Move.BACK
        return Move.NOTHING
