"""Half a point for the format, plus the score."""

from azr.rewards.base import AttemptFacts


def reward(facts: AttemptFacts) -> float:
    """`0.5 formatted + score`."""
    return 0.5 * facts.formatted + facts.score
