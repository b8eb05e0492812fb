"""Broken versions of right solutions, to see whether a scorer notices.

Two families. `broken` breaks a solution by construction: whatever the function does, no test that looks at its result
can be satisfied, so each of these has to fail. `mutated` changes one place of the program as mutation testing does;
such a change may keep the function's results, so an independent run has to say whether it fails.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

WRAPPERS = {
    "leaves": "def {name}(*args, **kwargs):\n    import sys\n    sys.exit(0)\n",
    "kills": "def {name}(*args, **kwargs):\n    import os\n    os._exit(0)\n",
    "raises": "def {name}(*args, **kwargs):\n    raise ValueError('no')\n",
    "hangs": "def {name}(*args, **kwargs):\n    while True: pass\n",
    "nothing": "def {name}(*args, **kwargs):\n    return None\n",
    "agreeable": (
        "class _Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
        "    def __sub__(self, other): return 0\n    def __abs__(self): return 0\n"
        "    def __bool__(self): return True\n    def __hash__(self): return 0\n"
        "def {name}(*args, **kwargs):\n    return _Yes()\n"
    ),
    "boxed": "_was = {name}\ndef {name}(*args, **kwargs):\n    return [_was(*args, **kwargs)]\n",
    "spelt": "_was = {name}\ndef {name}(*args, **kwargs):\n    return 'the answer: ' + repr(_was(*args, **kwargs))\n",
    "shifted": (
        "_was = {name}\ndef {name}(*args, **kwargs):\n    r = _was(*args, **kwargs)\n"
        "    if isinstance(r, bool): return not r\n    if isinstance(r, (int, float)): return r + 1\n"
        "    if isinstance(r, str): return r + 'x'\n    if isinstance(r, list): return r + [None]\n"
        "    if isinstance(r, tuple): return r + (None,)\n    if isinstance(r, dict): return {{**r, 'x': None}}\n"
        "    return 0\n"
    ),
    "greedy": "_was = {name}\ndef {name}(one_more, *args, **kwargs):\n    return _was(*args, **kwargs)\n",
    "renamed": "{name}_ = {name}\ndel {name}\n",
    "unclosed": "print((\n",
}
"""Kind -> what is appended to the solution."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken solution."""

    kind: str
    source: str


def broken(source: str, name: str) -> list[Mutant]:
    """One mutant of each kind that has to fail, for a program that defines the function `name`."""
    return [Mutant(kind, f"{source}\n\n{text.format(name=name)}") for kind, text in WRAPPERS.items()]


def mutated(source: str, name: str, each: int = 1) -> list[Mutant]:
    """Mutants with one change inside the function `name`, at most `each` of a kind.

    Raises:
        SyntaxError: the program does not parse.
    """
    found = []
    for kind, change in CHANGES.items():
        found += [Mutant(kind, text) for text in list(_changed(source, name, change))[:each]]
    return found


def _changed(source: str, name: str, change: Callable[[ast.AST], bool]) -> Iterator[str]:
    """The program with the change at one place, for each possible place, from last to first."""
    tree = ast.parse(source)
    places = len(list(_nodes(tree, name)))
    for place in reversed(range(places)):
        other = copy.deepcopy(tree)
        if change(list(_nodes(other, name))[place]):
            yield ast.unparse(ast.fix_missing_locations(other))


def _nodes(tree: ast.Module, name: str) -> Iterator[ast.AST]:
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == name:
            yield from (node for statement in function.body for node in ast.walk(statement))


_OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
}  # fmt: skip


def _comparison(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare) or type(node.ops[0]) not in _OTHER_COMPARISON:
        return False
    node.ops[0] = _OTHER_COMPARISON[type(node.ops[0])]()
    return True


def _operator(node: ast.AST) -> bool:
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OTHER_OPERATOR:
        return False
    node.op = _OTHER_OPERATOR[type(node.op)]()
    return True


def _constant(node: ast.AST) -> bool:
    if not isinstance(node, ast.Constant) or type(node.value) is not int:
        return False
    node.value += 1
    return True


def _condition(node: ast.AST) -> bool:
    if not isinstance(node, ast.If | ast.While | ast.IfExp):
        return False
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return True


def _connective(node: ast.AST) -> bool:
    if not isinstance(node, ast.BoolOp):
        return False
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return True


def _assignment(node: ast.AST) -> bool:
    """Leave out what is added."""
    if not isinstance(node, ast.AugAssign):
        return False
    node.value = ast.Constant(0 if isinstance(node.op, ast.Add | ast.Sub) else 1)
    return True


def _result(node: ast.AST) -> bool:
    if not isinstance(node, ast.Return) or node.value is None:
        return False
    node.value = ast.UnaryOp(ast.Not(), node.value)
    return True


CHANGES: dict[str, Callable[[ast.AST], bool]] = {
    "comparison": _comparison,
    "operator": _operator,
    "constant": _constant,
    "condition": _condition,
    "connective": _connective,
    "assignment": _assignment,
    "result": _result,
}
