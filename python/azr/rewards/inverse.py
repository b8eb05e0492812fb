"""Hardness alone: 1 - p, so that a task which nobody solves earns most."""

from azr.rewards.base import ProposalFacts


def reward(facts: ProposalFacts) -> float:
    """`1 - p`."""
    return 1.0 - facts.solve_rate
