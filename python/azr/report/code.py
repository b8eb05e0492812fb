"""Static measures of a program: size, complexity, shape, comments. Nothing here runs it.

Cyclomatic complexity and Halstead's measures are radon's, as in the rewards of the same names.
"""

import ast
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from azr.tasks import source

SHINGLE = 3
"""Number of consecutive node types in one feature of a program's shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Measures of one program."""

    lines: int
    nodes: int
    """Nodes of the syntax tree."""
    depth: int
    """Depth of the syntax tree."""
    operations: int
    """As the embedded model's chains are counted: see `azr.tasks.source.operations`."""
    cyclomatic: float
    """Of the most complex function."""
    volume: float
    """Halstead's volume in bits."""
    effort: float
    shape: frozenset[int]
    """Hashed shingles of node types, without names and constants."""
    whole: int
    """Hash of all node types in order: equal for programs that differ only in names and constants."""


def measures(program: str) -> Measures | None:
    """All of them, or None for what is no Python, too long or nested too deeply (`azr.tasks.source.parse`)."""
    from radon.metrics import h_visit_ast  # type: ignore[import-untyped]
    from radon.visitors import ComplexityVisitor  # type: ignore[import-untyped]

    tree = source.parse(program)
    if tree is None:
        return None
    try:
        total = h_visit_ast(tree).total
        blocks = ComplexityVisitor.from_ast(tree).blocks
    except (RecursionError, ValueError, ArithmeticError, AttributeError, TypeError):
        return None
    names = [type(node).__name__ for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    return Measures(
        lines=program.count("\n") + 1,
        nodes=len(names),
        depth=_depth(tree),
        operations=source.operations(tree),
        cyclomatic=float(max((block.complexity for block in blocks), default=1)),
        volume=float(total.volume),
        effort=float(total.effort),
        shape=frozenset(_hash(" ".join(names[i : i + SHINGLE])) for i in range(max(1, len(names) - SHINGLE + 1))),
        whole=_hash(" ".join(names)),
    )


def unlikeness(shapes: Sequence[frozenset[int]]) -> float | None:
    """Mean Jaccard distance over all pairs, 0 (all alike) to 1; None for fewer than two."""
    pairs = [(a, b) for index, a in enumerate(shapes) for b in shapes[index + 1 :]]
    if not pairs:
        return None
    return sum(1.0 - len(a & b) / len(a | b) for a, b in pairs if a or b) / len(pairs)


# Strings first, so that a mark inside of them is skipped; then comments. Also works on programs that do not parse.
_COMMENT = re.compile(
    r'''"""[\s\S]*?(?:"""|\Z)|\'{3}[\s\S]*?(?:\'{3}|\Z)|"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?|#([^\n]*)'''
)


def comments(program: str) -> list[str]:
    """The comments of a program, without their marks."""
    if "#" not in program:
        return []
    found = (match[1] for match in _COMMENT.finditer(program[: source.MAX_CHARS]))
    return [text for one in found if one and (text := one.lstrip("#").strip())]


# Comments that plan, act, observe or doubt, as the paper's models wrote between their lines of code.
PATTERNS: dict[str, re.Pattern[str]] = {
    "numbered steps": re.compile(r"^\s*(step\s*\d+|\d+\s*[.):])", re.I),
    "sequence words": re.compile(r"^\s*(first|second|third|next|then|now|after that|finally|lastly)\b", re.I),
    "plans": re.compile(r"^\s*(plan|goal|idea|approach|strategy|(we|i) (need|want|have) to|let'?s|let us)\b", re.I),
    "observations": re.compile(
        r"^\s*(observation|observe|note|notice|so far|result|this gives|this means|we get|we see)\b|->|=>", re.I
    ),
    "doubts": re.compile(r"\b(wait|hmm+|actually|but no|let me (re)?check|not sure|maybe|mistake|oops)\b", re.I),
    "checks": re.compile(r"^\s*(check|verify|test|assert|expected|example|e\.g\.|sanity)\b", re.I),
}


def patterns(found: Sequence[str]) -> frozenset[str]:
    """Names of the step-by-step patterns that occur in a program's comments."""
    return frozenset(name for name, pattern in PATTERNS.items() if any(pattern.search(text[:500]) for text in found))


def phrase(comment: str) -> str:
    """A comment without its numbers and quoted parts, so that similar comments are counted together."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", comment[:200].lower())
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?", "0", text)).strip(" .:;-")[:80]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _depth(tree: ast.AST) -> int:
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth
