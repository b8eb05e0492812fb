"""R-Zero's uncertainty: 1 - 2 |p - 1/2|. Its penalty is the term `cluster_share` with a negative coefficient."""

from azr.rewards.base import ProposalFacts


def reward(facts: ProposalFacts) -> float:
    """`1 - 2 |p - 0.5|`."""
    return 1.0 - 2.0 * abs(facts.solve_rate - 0.5)
