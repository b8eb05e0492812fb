"""The score, if the form is right."""

from azr.rewards.base import AttemptFacts


def reward(facts: AttemptFacts) -> float:
    """`formatted x score`."""
    return facts.score if facts.formatted else 0.0
