"""Control: a coin flip for each answer."""

from azr.rewards.base import AttemptFacts


def reward(facts: AttemptFacts) -> float:
    """1 or -0.5, with equal probability."""
    return 1.0 if facts.noise < 0.5 else -0.5
