"""The paper's answer reward: -1 without the form, -0.5 if wrong, else the score (1, or a fraction if graded)."""

from azr.rewards.base import AttemptFacts


def reward(facts: AttemptFacts) -> float:
    """-1, -0.5 or the score."""
    if not facts.formatted:
        return -1.0
    return facts.score if facts.score > 0.0 else -0.5
