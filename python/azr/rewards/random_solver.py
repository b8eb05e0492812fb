"""A control: what an answer earns is a coin's flip, whatever it says."""

from azr.rewards.base import AttemptFacts


def reward(facts: AttemptFacts) -> float:
    """1 or -0.5, each half of the time."""
    return 1.0 if facts.noise < 0.5 else -0.5
