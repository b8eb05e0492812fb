"""Distance of the program's syntax tree from the proposer's references (arXiv 2505.03335, appendix D).

The mean over the references of 1 - the ratio of the longest matching parts of the two trees, written out node by node.
Matching is quadratic in the nodes, so only the first 2,000 of each tree count, ten times an ordinary program.
"""

import ast
from difflib import SequenceMatcher
from itertools import islice

from azr.rewards.base import ProposalFacts
from azr.tasks import source

MAX_NODES = 2000


def term(facts: ProposalFacts) -> float:
    """In [0, 1]; 0 without references."""
    own = _nodes(facts.task.program)
    distances = [1.0 - SequenceMatcher(None, own, _nodes(ref.program)).ratio() for ref in facts.references]
    return sum(distances) / len(distances) if distances else 0.0


def _nodes(program: str) -> list[str]:
    """The tree's nodes in breadth-first order: class, name or constant."""
    tree = source.parse(program)
    if tree is None:
        return []
    return [f"{type(node).__name__}:{_label(node)}" for node in islice(ast.walk(tree), MAX_NODES)]


def _label(node: ast.AST) -> str:
    for field in ("name", "id", "arg", "attr", "value"):
        label = getattr(node, field, None)
        if isinstance(label, str):
            return label
        if isinstance(label, int | float):
            return source.constant(label)
    return ""
