"""A program that records the values between its steps: what a solver has to work out before it knows the result.

A value is recorded for every expression of `f` that depends on a name and does something: calls, arithmetic,
subscripts, displays, comprehensions as a whole. What runs many times inside one expression (the body of a
comprehension, a lambda, a nested function) is left out. The sandbox runs the rewritten program, as it runs any other.
"""

import ast

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
    if tree is None or any(
        isinstance(node, ast.Name) and node.id in (RECORD, VALUES, TRACED) for node in ast.walk(tree)
    ):
        return None
    entries = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == source.ENTRY]
    if len(entries) != 1 or entries[0].decorator_list or _yields(entries[0]):
        return None
    recorder = _Recorder()
    entries[0].body = [recorder.visit(statement) for statement in entries[0].body]
    text = source.unparse(ast.fix_missing_locations(tree))
    return None if text is None else _HEAD + text + _TAIL


def _yields(entry: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Await) for node in ast.walk(entry))


_HEAD = f"""{VALUES} = []
def {RECORD}(value):
    {VALUES}.append(repr(value))
    return value
"""
_TAIL = f"""
def {TRACED}(*given, **named):
    result = {source.ENTRY}(*given, **named)
    if {VALUES} and {VALUES}[-1] == repr(result):
        {VALUES}.pop()
    return [{VALUES}, result]
"""


class _Recorder(ast.NodeTransformer):
    """Wraps expressions that are evaluated once a statement."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = visit_JoinedStr = visit_FunctionDef  # type: ignore[assignment]

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, source.COMPREHENSIONS):
            first = node.generators[0]
            first.iter = self.visit(first.iter)
            return node if isinstance(node, ast.GeneratorExp) else _recorded(node)
        super().generic_visit(node)
        if isinstance(node, _STEPS) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return _recorded(node)
        return node


_STEPS = (ast.Call, ast.BinOp, ast.BoolOp, ast.Compare, ast.Subscript, ast.IfExp, *source.DISPLAYS)


def _recorded(node: ast.expr) -> ast.expr:
    """The expression with its value recorded, if it depends on a name other than the one it calls."""
    called = node.func if isinstance(node, ast.Call) else None
    names = (child for child in ast.walk(node) if isinstance(child, ast.Name) and child is not called)
    if not any(name.id != RECORD for name in names):
        return node
    return ast.Call(ast.Name(RECORD, ast.Load()), [node], [])
