"""A program that records the values of its lines: what a solver has to work out before it knows the result.

A value is recorded whenever a line of `f` gives a name a new one, as a debugger shows it. What happens inside one line
(a comprehension, a lambda, a call of another function) is left out.
"""

import ast
from collections.abc import Sequence

from azr.tasks import source

RECORD = "_azr_record"
VALUES = "_azr_values"
TRACED = "_azr_traced"
OWN = (RECORD, VALUES, TRACED)


def tracer(program: str) -> str | None:
    """The program with a function `TRACED` that calls `f` and returns [texts, result].

    The texts are the values before the result, as recorded.

    None for a program that cannot be rewritten, or whose `f` is no plain function.
    """
    tree = source.parse(program)
    if tree is None or any(isinstance(node, ast.Name) and node.id in OWN for node in ast.walk(tree)):
        return None
    entries = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == source.ENTRY]
    if len(entries) != 1 or entries[0].decorator_list or source.yields(entries[0]):
        return None
    _Recorder().generic_visit(entries[0])
    text = source.unparse(ast.fix_missing_locations(tree))
    return None if text is None else _HEAD + text + _TAIL


_HEAD = f"""{VALUES} = []
def {RECORD}(value):
    {VALUES}.append(repr(value))
"""
_TAIL = f"""
def {TRACED}(*given, **named):
    result = {source.ENTRY}(*given, **named)
    if {VALUES} and {VALUES}[-1] == repr(result):
        {VALUES}.pop()
    return [{VALUES}, result]
"""


class _Recorder(ast.NodeTransformer):
    """Puts a line that records behind each line that assigns to a name."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.AST]:
        return self._recorded(node, node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.AST]:
        return self._recorded(node, [node.target])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.AST]:
        return self._recorded(node, [node.target] if node.value is not None else [])

    def _recorded(self, node: ast.stmt, targets: Sequence[ast.expr]) -> ast.AST | list[ast.AST]:
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        return [node, _record(names[0])] if names else node


def _record(name: str) -> ast.stmt:
    """A line that records the value of a name."""
    return ast.Expr(ast.Call(ast.Name(RECORD, ast.Load()), [ast.Name(name, ast.Load())], []))
