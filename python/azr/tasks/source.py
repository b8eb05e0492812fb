"""What can be said of a program by reading it. Nothing here runs it.

A program is a stranger's text: `parse` bounds its size and nesting, so that everything that walks the tree is safe,
and answers None for whatever it refuses.
"""

import ast

MAX_CHARS = 65_536
MAX_DEPTH = 100
"""Of the tree; what unparsing needs in stack frames is about four times as much."""
ENTRY = "f"


def parse(program: str) -> ast.Module | None:
    """The syntax tree, or None for what is no Python, too long or nested too deeply."""
    if len(program) > MAX_CHARS:
        return None
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree if _depth_within(tree, MAX_DEPTH) else None


def has_entry(tree: ast.Module) -> bool:
    """Whether `f` is defined by a `def` at the top level."""
    return any(isinstance(node, ast.FunctionDef) and node.name == ENTRY for node in tree.body)


def count_definitions(tree: ast.Module) -> int:
    """Number of `def`s at any depth, methods and nested ones included."""
    return sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def _depth_within(tree: ast.AST, limit: int) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(limit):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return True
    return False
