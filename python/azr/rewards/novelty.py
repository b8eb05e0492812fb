"""Distance of the program to its nearest neighbour in the whole buffer, over canonical tokens."""

from azr.rewards.base import ProposalFacts


def term(facts: ProposalFacts) -> float:
    """1 - similarity of the nearest stored program, in [0, 1]."""
    assert facts.history is not None, "terms that look at the memory are given one"
    return 1.0 - facts.history.nearest(facts.task)
