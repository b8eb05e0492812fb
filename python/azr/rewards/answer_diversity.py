"""How rare the task's answer is among all stored ones (arXiv 2505.03335, appendix D): 1 - count / total."""

from azr.rewards.base import ProposalFacts


def term(facts: ProposalFacts) -> float:
    """In [0, 1]; 1 for an answer never seen."""
    assert facts.history is not None, "terms that look at the memory are given one"
    return facts.history.surprise(facts.task)
