"""Share of stored tasks that are near duplicates; use a negative coefficient (R-Zero, arXiv 2508.05004)."""

from azr.rewards.base import ProposalFacts


def term(facts: ProposalFacts) -> float:
    """In [0, 1]."""
    assert facts.history is not None, "terms that look at the memory are given one"
    return facts.history.cluster_share(facts.task)
