"""The paper's learnability: 1 - p for 0 < p <= 1, and 0 for an unsolved task. Monotone: the hardest task that is still
solved earns most. (arXiv 2505.03335, eq. 4.)
"""

from azr.rewards.base import ProposalFacts


def reward(facts: ProposalFacts) -> float:
    """`1 - p` if p > 0, else 0."""
    return 1.0 - facts.solve_rate if facts.solve_rate > 0.0 else 0.0
