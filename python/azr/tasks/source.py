"""What can be said of a program by reading it. Nothing here runs it.

A program is a stranger's text: `parse` bounds its size and nesting, so that everything that walks the tree is safe,
and answers None for whatever it refuses.
"""

import ast
import copy
from typing import TypeGuard

MAX_CHARS = 16_384
"""A tree takes a hundred bytes and some five microseconds for each character of a dense text. No program that the
default `tasks.max_program_chars` lets in is longer."""
MAX_DEPTH = 100
"""Of the tree; what unparsing needs in stack frames is about four times as much."""
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
    """The source text of a tree that `parse` gave, or None where the syntax tree's own writer has no form for it.

    That writer fails on integers of more than 4,300 digits, which CPython writes in no decimal text: they are written
    in hexadecimal.
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
    """The text of a constant, whatever it is."""
    return hex(value) if _is_large(value) else repr(value)


def _is_large(value: object) -> "TypeGuard[int]":
    return isinstance(value, int) and value.bit_length() > LARGE_BITS


LARGE_BITS = 2048
"""Integers of more bits are written in hexadecimal: far below the bound of decimal texts."""


class _Hexadecimal(ast.NodeTransformer):
    """Large integers as names that read as their digits."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(hex(node.value), ast.Load()) if _is_large(node.value) else node


def has_entry(tree: ast.Module) -> bool:
    """Whether `f` is defined by a `def` at the top level."""
    return any(isinstance(node, ast.FunctionDef) and node.name == ENTRY for node in tree.body)


def count_definitions(tree: ast.Module) -> int:
    """Number of `def`s at any depth, methods and nested ones included."""
    return sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def operations(node: ast.AST) -> int:
    """How many operations are written below a node: calls, arithmetic, comparisons, subscripts, displays.

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
