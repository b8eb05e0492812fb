"""Halstead measures and cyclomatic complexity (arXiv 2505.03335, appendix D; radon's definitions)."""

from azr.rewards.base import ProposalFacts
from azr.tasks import source


def term(facts: ProposalFacts) -> float:
    """0 for a program that cannot be read or measured, else
    `0.5 min(effort/10000, 1) + 0.3 min(max cyclomatic/10, 1) + 0.2 min(volume/500, 1)`, three decimals."""
    from radon.metrics import h_visit_ast  # type: ignore[import-untyped]
    from radon.visitors import ComplexityVisitor  # type: ignore[import-untyped]

    tree = source.parse(facts.task.program)
    if tree is None:
        return 0.0
    try:
        total = h_visit_ast(tree).total
        blocks = ComplexityVisitor.from_ast(tree).blocks
    except (RecursionError, ValueError, ArithmeticError, AttributeError, TypeError):
        return 0.0
    cyclomatic = max((block.complexity for block in blocks), default=0)
    parts = (0.5 * min(total.effort / 10_000, 1), 0.3 * min(cyclomatic / 10, 1), 0.2 * min(total.volume / 500, 1))
    return round(float(sum(parts)), 3)
