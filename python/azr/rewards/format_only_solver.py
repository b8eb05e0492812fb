"""Control: an answer earns by its format alone."""

from azr.rewards.base import AttemptFacts


def reward(facts: AttemptFacts) -> float:
    """1 with the outer form and a readable answer, else -1."""
    return 1.0 if facts.formatted else -1.0
