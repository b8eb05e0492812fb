"""Programs built on earlier programs (the paper's composite functions; off by default).

The chosen programs' `f` become `g_0`, `g_1`, ... and are placed in front of the model's program. The model's `f` must
call each of them with something that depends on its own parameters or locals, and must not define them anew.

In a template without words the prompt contains the lines of one earlier program, with its result assigned to the
parameter. The model continues the program and has to use that result.
"""

import ast
from collections.abc import Sequence
from dataclasses import replace

from azr.tasks import source
from azr.types import Task

# Built-in functions that may stand in a call's arguments without being the model's own names.
BUILTIN_NAMES = (
    "abs all any bool chr dict divmod enumerate filter float frozenset hex int len list map max min ord pow range repr"
    " reversed round set sorted str sum tuple type zip"
)
BUILTINS = frozenset(BUILTIN_NAMES.split())


def rename(task: Task, index: int) -> Task | None:
    """The task with `f` and its references renamed to `g_<index>`; None if its program cannot be rewritten."""
    tree = source.parse(task.program)
    if tree is None:
        return None
    name = f"g_{index}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == source.ENTRY:
            node.name = name
        elif isinstance(node, ast.Name) and node.id == source.ENTRY:
            node.id = name
    program = source.unparse(tree)
    return replace(task, program=program) if program is not None else None


def head(program: str) -> str | None:
    """The lines of a program's `f` up to its result, which is assigned to the parameter: what another can go on from.

    Without a last line break, which models tend to have in one token with what follows. None if `f` is not all there
    is, or has not one parameter, or does not end with its result, or does nothing.
    """
    tree = source.parse(program)
    if tree is None or len(tree.body) != 1:
        return None
    (entry,) = tree.body
    if not isinstance(entry, ast.FunctionDef) or entry.name != source.ENTRY or entry.decorator_list:
        return None
    names, result = _parameters(entry), entry.body[-1]
    if len(names) != 1 or not isinstance(result, ast.Return) or result.value is None or source.yields(entry):
        return None
    if not source.operations(entry):
        return None
    lines = program.encode().splitlines(keepends=True)
    before = b"".join(lines[: result.lineno - 1]).decode()
    indent = lines[result.lineno - 1][: result.col_offset].decode()
    if indent.strip():
        return None
    if isinstance(result.value, ast.Name) and result.value.id == names[0]:
        return before.rstrip()
    return f"{before}{indent}{names[0]} = {ast.get_source_segment(program, result.value)}"


def halved(program: str) -> str | None:
    """The first half of the lines of a program's `f`, as a program: what an easier one on the way to it begins with.

    None where `head` is, or where there is but one line before the result.
    """
    if head(program) is None:
        return None
    tree = source.parse(program)
    assert tree is not None and isinstance(tree.body[0], ast.FunctionDef), "it has a head"
    entry = tree.body[0]
    kept = len(entry.body) // 2
    if not kept:
        return None
    last, line = entry.body[kept - 1].end_lineno, entry.body[-1].lineno
    lines = program.encode().splitlines(keepends=True)
    indent = lines[line - 1][: entry.body[-1].col_offset].decode()
    return f"{b''.join(lines[:last]).decode()}{indent}return {_parameters(entry)[0]}"


def extends(program: str, start: str) -> bool:
    """Whether `program` continues a `head` and does more."""
    tree = source.parse(program)
    before = source.parse(start)
    if tree is None or before is None or not program.startswith(start) or len(tree.body) != 1:
        return False
    return source.operations(tree) > source.operations(before)


def chained(first: str, second: str) -> str | None:
    """One program that does what `first` does, and then what `second` does with its result.

    None where either has no `head`, or where `second` has a name that is the parameter of `first`.
    """
    start, tree = head(first), source.parse(second)
    if start is None or tree is None or len(tree.body) != 1 or head(second) is None:
        return None
    before, entry = source.parse(start), tree.body[0]
    assert before is not None and isinstance(before.body[0], ast.FunctionDef) and isinstance(entry, ast.FunctionDef)
    ((own,), (given,)) = _parameters(before.body[0]), _parameters(entry)
    if own != given:
        if any(isinstance(node, ast.Name) and node.id == own for node in ast.walk(entry)):
            return None
        for node in ast.walk(entry):
            if isinstance(node, ast.Name) and node.id == given:
                node.id = own
    before.body[0].body += entry.body
    return source.unparse(before)


def _parameters(entry: ast.FunctionDef) -> list[str]:
    """Names of plain parameters; none if there are others."""
    given = entry.args
    others = given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs or given.defaults
    return [] if others else [parameter.arg for parameter in given.args]


def fits(program: str, count: int) -> bool:
    """Whether `program` defines an `f` that really uses `g_0` to `g_<count - 1>`."""
    tree = source.parse(program)
    if tree is None:
        return False
    names = {f"g_{index}" for index in range(count)}
    if any(name in names for name in _defined(tree)):
        return False
    entries = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == source.ENTRY]
    if len(entries) != 1:
        return False
    return names <= _used_with_own_values(entries[0], names)


def _used_with_own_values(entry: ast.FunctionDef, names: set[str]) -> set[str]:
    """Names called inside `f` with arguments that only use `f`'s own variables, at least one of them."""
    own = set(_defined(entry))
    called = set()
    for node in ast.walk(entry):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names):
            continue
        arguments: Sequence[ast.expr] = [*node.args, *(keyword.value for keyword in node.keywords)]
        variables = {
            child.id
            for argument in arguments
            for child in ast.walk(argument)
            if isinstance(child, ast.Name) and child.id not in names and child.id not in BUILTINS
        }
        if variables and variables <= own:
            called.add(node.func.id)
    return called


def _defined(tree: ast.AST) -> list[str]:
    """Names bound below a node: functions, classes, parameters, assignments, loop and comprehension targets."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node is not tree:
            found.append(node.name)
        elif isinstance(node, ast.arg):
            found.append(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            found.append(node.id)
        elif isinstance(node, ast.alias):
            found.append((node.asname or node.name).split(".")[0])
    return found
