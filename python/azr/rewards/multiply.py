"""The score, if the format is right; else 0."""

from azr.rewards.base import AttemptFacts


def reward(facts: AttemptFacts) -> float:
    """`formatted x score`."""
    return facts.score if facts.formatted else 0.0
