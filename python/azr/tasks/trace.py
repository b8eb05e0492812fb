"""A program that records what it works out on the way: the values a solver has to know before it knows the result.

A value is recorded when an expression inside a line has it, from the inside out, and when a line of `f` gives a name a
new one. A line with three operations gives three values, so that no step of the thoughts is larger than one operation.
Where an `if` without `else` is not taken, the parameter that it would have changed is recorded as it is.
What is evaluated for each element of a comprehension, in a lambda, in a condition or in another function is left out,
and so is what is no plain data.
"""

import ast
from typing import Final, TypeVar

from azr.tasks import source

RECORD = "_azr_record"
LAST = "_azr_last"
VALUES = "_azr_values"
PLAIN = "_azr_plain"
TRACED = "_azr_traced"
OWN = (RECORD, LAST, VALUES, PLAIN, TRACED)


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
    lines = _Lines({parameter.arg for parameter in entries[0].args.args})
    entries[0].body = [after for line in entries[0].body for after in lines.lines(line)]
    text = source.unparse(ast.fix_missing_locations(tree))
    return None if text is None else _HEAD + text + _TAIL


_HEAD = f"""{VALUES} = []
{PLAIN} = (type(None), bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset)
def {RECORD}(value):
    if type(value) in {PLAIN}:
        {VALUES}.append(repr(value))
    return value
def {LAST}(value):
    if {VALUES} and {VALUES}[-1] == repr(value):
        {VALUES}.pop()
    return value
"""
_TAIL = f"""
def {TRACED}(*given, **named):
    result = {source.ENTRY}(*given, **named)
    return [{VALUES}, result]
"""

Node = TypeVar("Node", bound=ast.AST)


class _Lines(ast.NodeTransformer):
    """Records the values inside the expressions of lines, and puts a line that records behind each that assigns."""

    def __init__(self, parameters: set[str]) -> None:
        self._parameters = parameters

    def lines(self, node: ast.stmt) -> list[ast.stmt]:
        """The line, or what takes its place."""
        found = self.visit(node)
        return found if isinstance(found, list) else [found]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        return self._assigned(node, node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> list[ast.stmt]:
        return self._assigned(node, [node.target] if node.value is not None else [])

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        # What is added is a value of its own.
        node.value = _recorded(node.value)
        return [node, *_names([node.target])]

    def visit_Return(self, node: ast.Return) -> ast.AST:
        # A name's value was recorded where it was assigned, and is no step before the result.
        if isinstance(node.value, ast.Name):
            node.value = _call(node.value, LAST)
        else:
            node.value = node.value and _inside(node.value)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        node.value = _inside(node.value)
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        if not node.orelse and isinstance(changed := node.body[-1], (ast.Assign, ast.AugAssign)):
            targets = changed.targets if isinstance(changed, ast.Assign) else [changed.target]
            # Other names may have no value yet.
            kept = [target for target in targets if isinstance(target, ast.Name) and target.id in self._parameters]
            node.orelse = _names(list(kept))
        return self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        node.iter = _recorded(node.iter)
        return self.generic_visit(node)

    @staticmethod
    def _assigned(node: "ast.Assign | ast.AnnAssign", targets: list[ast.expr]) -> list[ast.stmt]:
        node.value = node.value and _inside(node.value)
        return [node, *_names(targets)]


def _names(targets: list[ast.expr]) -> list[ast.stmt]:
    """A line that records the value of the first name that was assigned to."""
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return [ast.Expr(_call(ast.Name(names[0], ast.Load())))] if names else []


def _call(value: ast.expr, function: str = RECORD) -> ast.expr:
    return ast.Call(ast.Name(function, ast.Load()), [value], [])


def _recorded(value: ast.expr) -> ast.expr:
    """An expression that records what is inside it, and itself unless it is a name or a constant."""
    inner = _inside(value)
    return inner if isinstance(value, NO_STEPS) or _is_constant(value) else _call(inner)


def _inside(value: Node) -> Node:
    """A node with the expressions inside it recorded: its operands, in the order in which they are evaluated."""
    if isinstance(value, CLOSED):
        return value
    if isinstance(value, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        # Only what is walked is evaluated once.
        value.generators[0].iter = _recorded(value.generators[0].iter)
        return value
    if isinstance(value, ast.IfExp):
        # Its value is that of the branch taken.
        value.body, value.orelse = _inside(value.body), _inside(value.orelse)
        return value
    for name, field in ast.iter_fields(value):
        if isinstance(field, ast.expr):
            # A method is no value of its own: what it is called on is.
            setattr(value, name, _inside(field) if isinstance(field, NO_STEPS) else _recorded(field))
        elif isinstance(field, ast.AST):
            setattr(value, name, _inside(field))
        elif isinstance(field, list):
            field[:] = [_recorded(each) if isinstance(each, ast.expr) else each and _inside(each) for each in field]
    return value


def _is_constant(value: ast.expr) -> bool:
    return not any(isinstance(node, (ast.Name, ast.Call)) for node in ast.walk(value))


NO_STEPS: Final = (
    ast.Attribute, ast.Await, ast.Constant, ast.FormattedValue, ast.GeneratorExp, ast.JoinedStr, ast.Lambda, ast.Name,
    ast.NamedExpr, ast.Slice, ast.Starred,
)  # fmt: skip
"""Expressions that are no operations on data."""
CLOSED: Final = (ast.Lambda, ast.Await, ast.NamedExpr)
"""Expressions that are evaluated elsewhere or later, or that assign: nothing inside them is recorded."""
