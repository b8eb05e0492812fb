"""Difficulty alone: 1 - p, so that an unsolved task earns most."""

from azr.rewards.base import ProposalFacts


def reward(facts: ProposalFacts) -> float:
    """`1 - p`."""
    return 1.0 - facts.solve_rate
