"""Inputs of reward functions. Pure values: a reward is arithmetic, never a call of a model or the sandbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from azr.types import Task


class History(Protocol):
    """Statistics of the buffer, for terms that reward diversity."""

    def surprise(self, task: Task) -> float:
        """How rare the task's answers are among all stored ones, in [0, 1]; 1 for unseen ones."""
        ...

    def nearest(self, task: Task) -> float:
        """Similarity of the program to the most similar other stored one, in [0, 1]."""
        ...

    def cluster_share(self, task: Task) -> float:
        """Share of the stored tasks that are near copies of this one, in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalFacts:
    """One valid proposal."""

    task: Task
    solve_rate: float
    """Mean score of the trials."""
    references: Sequence[Task] = ()
    target: Task | None = None
    """The unsolved task that the proposal aims at (`tasks.composite.aimed`)."""
    history: History | None = None
    noise: float = 0.0
    """Uniform in [0, 1), seeded; for control runs."""
    quality: float | None = None
    """The domain's quality score, in [0, 1]; None where the domain has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """One attempt."""

    score: float
    formatted: bool
    """The outer form is right and the answer could be read."""
    noise: float = 0.0


ProposerReward = Callable[[ProposalFacts], float]
SolverReward = Callable[[AttemptFacts], float]
