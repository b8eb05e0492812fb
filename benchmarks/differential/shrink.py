"""Smaller forms of an item, by its syntax: a part for the whole, a plain constant, a statement or element less."""

import ast
from collections.abc import Iterator
from typing import Final

PART: Final = 25
"""Places of an item that are tried at once: after each change the whole text is made anew."""
_PLAIN: Final = ("0", "1", "''", "'a'", "None", "[]", "1.5")


def smaller(item: str, part: int) -> tuple[list[str], bool]:
    """Texts that are smaller than the item, the smallest first, and whether more parts follow.

    Part 0 takes statements and elements away, each further one changes some of the places.
    """
    try:
        tree = ast.parse(item)
    except SyntaxError:
        return [], False
    most = size(item)
    nodes = list(ast.walk(tree))
    texts = _without_some(tree, nodes) if part == 0 else _changed(tree, nodes[(part - 1) * PART : part * PART])
    found = {text: size(text) for text in dict.fromkeys(texts)}
    return sorted(
        (text for text, its in found.items() if its < most), key=lambda text: (found[text], text)
    ), part * PART < len(nodes)


def size(item: str) -> int:
    """How large an item is: what a reader has to read, a name no more than a digit."""
    try:
        nodes = list(ast.walk(ast.parse(item)))
    except SyntaxError:
        return len(item)
    constants = sum(min(len(repr(node.value)), 40) for node in nodes if isinstance(node, ast.Constant))
    return 10 * len(nodes) + constants


def shape(item: str) -> str:
    """The item without its constants and with its variables numbered: what two finds of one kind have in common."""
    try:
        tree = ast.parse(item)
    except SyntaxError:
        return item
    return ast.unparse(_Shape().visit(tree))


class _Shape(ast.NodeTransformer):
    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Name(type(node.value).__name__.upper(), ast.Load())

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        inner = self.visit(node.operand)
        return (
            inner
            if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)
            else ast.UnaryOp(node.op, inner)
        )

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id[:1] == "v" and node.id[1:].isdigit():
            node.id = self.names.setdefault(node.id, f"v{len(self.names) + 1}")
        return node


def _without_some(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[str]:
    """Statements, arguments and elements less."""
    for node in nodes:
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and not isinstance(node, ast.Dict):
                yield from _without(tree, value)
        if isinstance(node, ast.Dict):
            yield from _without_pair(tree, node)


def _changed(tree: ast.Module, nodes: list[ast.AST]) -> Iterator[str]:
    """Something smaller in place of expressions."""
    for node in nodes:
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from _other_elements(tree, value)
            elif isinstance(value, ast.expr):
                for other in _instead(value):
                    setattr(node, field, other)
                    yield from _text(tree)
                setattr(node, field, value)
        if isinstance(node, ast.Constant):
            yield from _constants(tree, node)


def _without(tree: ast.Module, items: list[ast.AST]) -> Iterator[str]:
    whole = list(items)
    for at, item in enumerate(whole):
        items[:] = whole[:at] + whole[at + 1 :]
        yield from _text(tree)
        if isinstance(item, ast.stmt) and at + 2 < len(whole):
            items[:] = whole[: at + 1]
            yield from _text(tree)
        for inner in ("body", "orelse", "finalbody") if isinstance(item, ast.stmt) else ():
            block = getattr(item, inner, None)
            if block and not isinstance(item, ast.FunctionDef | ast.ClassDef):
                items[:] = [*whole[:at], *block, *whole[at + 1 :]]
                yield from _text(tree)
    items[:] = whole


def _other_elements(tree: ast.Module, items: list[ast.AST]) -> Iterator[str]:
    whole = list(items)
    for at, item in enumerate(whole):
        for other in _instead(item) if isinstance(item, ast.expr) else ():
            items[at] = other
            yield from _text(tree)
        items[at] = item


def _without_pair(tree: ast.Module, node: ast.Dict) -> Iterator[str]:
    """A dictionary's key and value go together."""
    keys, values = node.keys, node.values
    for at in range(len(keys)):
        node.keys, node.values = keys[:at] + keys[at + 1 :], values[:at] + values[at + 1 :]
        yield from _text(tree)
    node.keys, node.values = keys, values


def _instead(node: ast.expr) -> Iterator[ast.expr]:
    """What may stand in an expression's place: its parts, then plain constants."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child.value if isinstance(child, ast.Starred) else child
        elif isinstance(child, ast.keyword | ast.comprehension):
            yield child.value if isinstance(child, ast.keyword) else child.iter
    if not isinstance(node, ast.Constant | ast.Name):
        for text in _PLAIN:
            yield ast.parse(text, mode="eval").body


def _constants(tree: ast.Module, node: ast.Constant) -> Iterator[str]:
    value = node.value
    others: list[object] = []
    if isinstance(value, str | bytes):
        others = [
            value[: len(value) // 2],
            value[len(value) // 2 :],
            *(value[:at] + value[at + 1 :] for at in range(min(len(value), 8))),
        ]
    elif type(value) is int:
        others = [0, 1, 2, 3, value // 2, value // 1000, int(str(value)[:-1] or "0") if value < 10**4000 else 0]
    elif type(value) is float and value == value:
        others = [0.0, 1.0, 0.5, round(value, 1), float(f"{value:.2g}")]
    for other in others:
        node.value = other  # type: ignore[assignment]
        yield from _text(tree)
    node.value = value


def _text(tree: ast.Module) -> Iterator[str]:
    """The tree as text, if it still is an item."""
    try:
        text = ast.unparse(tree)
        body = ast.parse(text).body
    except (SyntaxError, ValueError, TypeError, AttributeError, IndexError, RecursionError):
        return
    if (len(body) == 1 and isinstance(body[0], ast.Expr) and "\n" not in text) or (
        len(body) == 1 and isinstance(body[0], ast.FunctionDef) and body[0].name == "g" and len(body[0].args.args) == 1
    ):
        yield text
