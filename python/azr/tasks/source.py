"""Static analysis of programs. Nothing here runs them.

Programs are untrusted text: `parse` bounds their size and nesting, so that walking the tree is safe, and returns None
for what exceeds the bounds.
"""

import ast
import copy
from typing import TypeGuard

MAX_CHARS = 16_384
"""Maximum length. A tree takes about 100 bytes and 5 microseconds per character of dense text. Programs within the
default `tasks.max_program_chars` are shorter."""
MAX_DEPTH = 100
"""Maximum depth of the tree; unparsing needs about four stack frames per level."""
ENTRY = "f"


def parse(program: str) -> ast.Module | None:
    """The syntax tree, or None for what is no Python, too long or nested too deeply."""
    if len(program) > MAX_CHARS:
        return None
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
        return None
    return tree if _depth_within(tree, MAX_DEPTH) else None


def unparse(node: ast.AST) -> str | None:
    """The source text of a tree that `parse` gave, or None if it cannot be unparsed.

    `ast.unparse` fails on integers of more than 4,300 digits, which CPython does not convert to decimal; they are
    written in hexadecimal.
    """
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.unparse(_Hexadecimal().visit(copy.deepcopy(node)))
    except (ValueError, RecursionError):
        return None


def constant(value: object) -> str:
    """The text of any constant."""
    return hex(value) if _is_large(value) else repr(value)


def _is_large(value: object) -> "TypeGuard[int]":
    return isinstance(value, int) and value.bit_length() > LARGE_BITS


LARGE_BITS = 2048
"""Integers with more bits are written in hexadecimal, far below CPython's limit for decimal text."""


class _Hexadecimal(ast.NodeTransformer):
    """Replaces large integers by names that read as their digits."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(hex(node.value), ast.Load()) if _is_large(node.value) else node


def operations(node: ast.AST) -> int:
    """Number of operations below a node: calls, arithmetic, comparisons, subscripts, displays.

    A comprehension is one, besides what gives the values that it runs over. Constants such as `-1` are none.
    """
    if isinstance(node, COMPREHENSIONS):
        return 1 + sum(operations(clause.iter) for clause in node.generators)
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        return 0
    below = sum(operations(child) for child in ast.iter_child_nodes(node))
    if isinstance(node, DISPLAYS):
        return below + any(isinstance(child, ast.Name | ast.Starred) or below for child in ast.iter_child_nodes(node))
    return below + isinstance(node, OPERATIONS)


def size(program: str) -> int:
    """Number of operations of a program; 0 if it cannot be read."""
    tree = parse(program)
    return 0 if tree is None else operations(tree)


def yields(function: ast.FunctionDef) -> bool:
    """Whether a function gives a generator."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
OPERATIONS = (
    ast.Call, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Subscript, ast.IfExp, ast.JoinedStr, ast.AugAssign,
)  # fmt: skip


def _depth_within(tree: ast.AST, limit: int) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(limit):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return True
    return False
