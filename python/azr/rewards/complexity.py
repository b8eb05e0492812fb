"""Cognitive complexity of the program, divided by 15 (arXiv 2505.03335, appendix D; no gain found there)."""

from azr.rewards.base import ProposalFacts
from azr.tasks import source


def term(facts: ProposalFacts) -> float:
    """Complexity / 15; 0 for a program that cannot be read."""
    from complexipy import code_complexity

    if source.parse(facts.task.program) is None:
        return 0.0
    try:
        return float(code_complexity(facts.task.program).complexity) / 15.0
    except Exception:
        # The library's grammar is not the trainer's: what it cannot read has no complexity.
        return 0.0
