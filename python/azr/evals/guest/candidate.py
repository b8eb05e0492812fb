"""Calls of an answer, in an interpreter that holds the answer and one call's arguments: no tests, no expected values.

Nothing here is safe from the answer, and nothing has to be: whatever it does to this module, it can only make the call
return some plain data, as it could have done by `return`.
"""

import builtins

from azr.evals.guest.carry import Foreign, decode, encode, key


def load(answer):
    """Two ways to call functions of an answer: one for results that are exact plain data, and `call` for others."""
    space = {"__name__": "answer"}
    exec(answer, space)

    def plain(name, args, keywords):
        if not callable(space.get(name)):
            return "missing"
        return space[name](*args, **keywords), args, keywords

    return plain, lambda *row: call(space, *row)


def call(space, name, codes, items, keywords):
    """Calls one function; how that ended, as plain data.

    ["carried", codes, items, changed]: the result, and the arguments where the call changed them, else None.
    ["raised", class, its nearest class of Python's own, its arguments, message]
    ["foreign", class]: the result, or what an argument was changed to, is no plain data.
    ["missing", name]: the answer has no such function.
    """
    function = space.get(name)
    if not callable(function):
        return ["missing", name]
    values = decode(codes, items)
    count = len(values) - len(keywords)
    try:
        result = function(*values[:count], **dict(zip(keywords, values[count:], strict=False)))
        # An iterator runs the answer's code while it is drawn.
        of_result, in_result = encode(result, own=values)
    except Foreign as error:
        return ["foreign", str(error)]
    except BaseException as error:
        return _raised(error)
    try:
        after = encode(*values)
    except Foreign as error:
        return ["foreign", str(error)]
    changed = None if key(*after) == key(codes, items) else list(after)
    return ["carried", of_result, in_result, changed]


def _raised(error):
    cls = type(error)
    known = next(base.__name__ for base in cls.__mro__ if getattr(builtins, base.__name__, None) is base)
    try:
        message = str(error)[:2000]
    except BaseException:
        message = ""
    try:
        arguments = list(encode(*error.args))
    except BaseException:
        arguments = None
    return ["raised", str(cls.__name__)[:200], known, arguments, message]


def bare(value):
    """A result as plain data where it is a subclass of that; as it is where it is something else."""
    for cls in type.__dict__["__mro__"].__get__(type(value)):
        if cls in (list, tuple, set, frozenset):
            return cls(bare(part) for part in cls.__iter__(value))
        if cls is dict:
            return {bare(name): bare(part) for name, part in dict.items(value)}
        if cls is bool:
            return value
        if cls is int:
            return int.__add__(value, 0)
        if cls is float:
            return float.__add__(value, -0.0)
        if cls is str:
            return str.encode(value, "utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    return value
