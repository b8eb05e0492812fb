"""The programs that are put around answers before they are run in the sandbox.

An answer is source text inside a string, executed in a namespace of its own: it cannot see, replace or skip what comes
after it. Whatever the harness uses is taken before the answer runs. A test only counts as passed when the harness
reached its end and returned what it was called with, so an answer that ends the program early has passed nothing.
"""

LIMIT_BYTES = 16 << 20
"""Of a program with its tests: some inputs are megabytes long. The most that the sandbox takes."""

FUNCTION = """
def f(token, run=exec, type=type, dict=dict, callable=callable, modules=__import__("sys").modules,
      own=dict(__import__("builtins").__dict__),
      plain=(type(None), bool, int, float, complex, str, bytes), rows=(list, tuple, set, frozenset)):
    space = {"__name__": "answer"}
    run(%(answer)s, space)
    function = space.get(%(name)r)
    if not callable(function):
        return token + " has no function"
    def look(value):
        cls = type(value)
        if cls in plain:
            return
        if cls in rows:
            for part in value:
                look(part)
        elif cls is dict:
            for key, part in value.items():
                look(key)
                look(part)
        else:
            tools = {"__builtins__": own, "modules": modules, "look": look, "value": value, "rows": rows}
            run(%(other)s, tools)
    def guarded(*args, **kwargs):
        result = function(*args, **kwargs)
        look(result)
        return result
    space = dict(space)
    space[%(name)r] = guarded
    run(%(tests)s, space)
    return token
"""
"""Refuses results of classes that the answer made: such a result answers `==` as it likes."""

OTHER = """
class ForeignResult(Exception): pass

def trusted(cls, function=type(lambda: 0)):
    home = modules.get(cls.__module__)
    if home is not None and getattr(home, cls.__qualname__, None) is cls:
        return True
    made = (function, staticmethod, classmethod, property)
    return not any(isinstance(member, made) for member in list(cls.__dict__.values()))

cls = type(value)
if type(cls) is not type and not trusted(type(cls)) or not all(trusted(base) for base in cls.__mro__):
    raise ForeignResult(cls.__name__)
if isinstance(value, dict):
    for key, part in value.items():
        look(key)
        look(part)
elif isinstance(value, rows):
    for part in value:
        look(part)
"""
"""What is done with a result that is no plain data: compiled only where there is one, since that takes longer than most
answers."""

METHOD = """
class NoFunction(Exception): pass

def _make(run=exec, missing=NoFunction):
    space = {"__name__": "answer"}
    run(%(imports)s, space)
    run(%(answer)s, space)
    made = space.get("Solution")
    if made is None or not hasattr(made, %(name)r):
        raise missing("Solution." + %(name)r)
    return made

_made = _make()

def f(*args, str=str, list=list, tuple=tuple, type=type, getattr=getattr, made=_made):
    result = getattr(made(), %(name)r)(*args)
    return list(result) if type(result) is tuple else result
"""

SCRIPT = """
def _run(run=exec, text=%(stdin)s):
    import builtins, io, sys
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode("utf-8")), encoding="utf-8")
    given, stdin = builtins.open, sys.stdin

    def open(file, *args, **kwargs):
        return stdin if file in (0, "/dev/stdin") else given(file, *args, **kwargs)

    builtins.open = open
    space = {"__name__": "__main__"}
    run(%(imports)s, space)
    try:
        run(%(answer)s, space)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise

_run()
"""

IMPORTS = (
    "import sys\nimport bisect, collections, copy, functools, heapq, itertools, math, operator, random, re, string\n"
    "from bisect import *\nfrom collections import *\nfrom copy import *\nfrom functools import *\n"
    "from heapq import *\nfrom itertools import *\nfrom math import *\nfrom operator import *\nfrom random import *\n"
    "from re import *\nfrom string import *\nfrom typing import *\nfrom builtins import *\n"
    "sys.setrecursionlimit(50000)\n"
)
"""What LiveCodeBench's own checker imports in front of an answer. `builtins` last: `math.pow` must not hide `pow`."""

ARRAYS = '''
class np:
    """What the tests of EvalPlus use of numpy. Answers that import numpy still fail to."""
    class ndarray: pass
    class float64(float): pass
    class float32(float): pass

    @staticmethod
    def allclose(out, exp, rtol=1e-05, atol=1e-08):
        if isinstance(exp, dict) or isinstance(out, dict):
            raise TypeError("no arrays of dicts")
        if isinstance(exp, (list, tuple)) or isinstance(out, (list, tuple)):
            if not isinstance(exp, (list, tuple)):
                exp = [exp] * len(out)
            if not isinstance(out, (list, tuple)):
                out = [out] * len(exp)
            if len(out) != len(exp):
                raise ValueError("operands could not be broadcast together")
            return all(np.allclose(o, e, rtol, atol) for o, e in zip(out, exp))
        if out == exp:
            return True
        return abs(out - exp) <= atol + rtol * abs(exp) if abs(exp) != float("inf") else False
'''


def function_program(answer: str, name: str, tests: str) -> str:
    """A program whose `f(token)` runs the tests against the answer's function and returns the token.

    Where there is no such function, it returns the token and says so.
    """
    return FUNCTION % {"answer": repr(answer), "name": name, "tests": repr(tests), "other": repr(OTHER)}


def method_program(answer: str, name: str) -> str:
    """A program whose `f(*args)` is the method of the answer's class Solution."""
    return METHOD % {"answer": repr(answer), "name": name, "imports": repr(IMPORTS)}


def script_program(answer: str, stdin: str) -> str:
    """A script that runs the answer on a standard input."""
    return SCRIPT % {"answer": repr(answer), "stdin": repr(stdin), "imports": repr(IMPORTS)}
