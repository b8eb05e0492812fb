"""Control: every valid proposal earns the same, whatever its difficulty."""

from azr.rewards.base import ProposalFacts


def reward(facts: ProposalFacts) -> float:
    """1."""
    return 1.0
