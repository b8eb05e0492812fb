"""The variance of the outcome, scaled to 1: 4 p (1 - p). Its maximum is at p = 0.5."""

from azr.rewards.base import ProposalFacts


def reward(facts: ProposalFacts) -> float:
    """`4 p (1 - p)`."""
    return 4.0 * facts.solve_rate * (1.0 - facts.solve_rate)
