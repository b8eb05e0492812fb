"""Tests of an item, in an interpreter where no answer ever ran.

What the tests call is a stand-in: it looks up how a call with these arguments ended in an interpreter of its own, and
asks for those that are not known yet. So tests run again until every call is known.
"""

import builtins
from collections import deque

from azr.evals.guest.carry import Foreign, decode, encode

MAX_ASKED = 1024
"""Calls that are asked for at once."""


class Stop(BaseException):
    """The tests cannot go on. Not an Exception: tests may catch those."""


class Tests:
    """The tests of one item, compiled once for all of its answers."""

    def __init__(self, before, tests, names):
        self.code = compile(tests, "<tests>", "exec")
        self.space = {"__name__": "tests", "np": np}
        self.names = names
        exec(before, self.space)

    def run(self, known, guess):
        """How the tests end, given how calls ended, by their keys.

        ["passed"], ["failed", class, message], ["asked", [[key, function, codes, items, keywords], ...]],
        ["raised", class, message]: by the candidate, ["ended", key]: the call has no result,
        ["foreign", class]: the tests or a result are beyond plain data, ["missing", name].

        `guess`: go on after a call that is not known, with a result that agrees to everything, to see what else is
        asked for.
        """
        run = _Run(known, guess)
        for name in self.names:
            self.space[name] = StandIn(run, name)
        try:
            exec(self.code, self.space)
            end = ["passed"]
        except Stop:
            end = None
        except BaseException as error:
            end = ["failed", type(error).__name__, _text(error)]
            if error is run.raised:
                end[0] = "raised"
        # What stopped the tests counts, whatever they made of it.
        if run.end is not None:
            return run.end
        if run.asked:
            return ["asked", list(run.asked.values())]
        return end


class _Run:
    def __init__(self, known, guess):
        self.known = known
        self.guess = guess
        self.asked = {}
        self.end = None
        self.raised = None
        self.ends = {
            "plain": self._plain,
            "carried": self._carried,
            "raised": self._raised,
            "ended": self._ended,
            "foreign": self._foreign,
            "missing": self._missing,
        }

    def stop(self, *end):
        # After a guess the tests may be on a way that the real result does not take.
        if self.end is None and not self.asked:
            self.end = list(end)
        raise Stop

    def call(self, name, args, keywords):
        place = f"{name} {args!r} {keywords!r}"
        found = self.known.get(place)
        if found is not None:
            return self.ends[found[0]](place, args, keywords, *found[1:])
        try:
            codes, items = encode(*args, *keywords.values())
        except Foreign as error:
            self.stop("foreign", f"argument of class {error}")
        self.asked[place] = [place, name, codes, items, list(keywords)]
        if not self.guess or len(self.asked) >= MAX_ASKED:
            raise Stop
        return Agreeing()

    def _plain(self, place, args, keywords, result, changed):
        if changed is not None:
            for old, new in zip((*args, *keywords.values()), copy(changed), strict=False):
                restore(old, new)
        return copy(result)

    def _carried(self, place, args, keywords, codes, items, changed):
        values = (*args, *keywords.values())
        if changed is not None:
            for old, new in zip(values, decode(*changed), strict=False):
                restore(old, new)
        return decode(codes, items, values)[0]

    def _raised(self, place, args, keywords, name, known, arguments, message):
        error = _exception(name, known, [message] if arguments is None else decode(*arguments))
        self.raised = error
        # These end loops and programs in silence: a test that goes on after one has tested nothing.
        if not isinstance(error, Exception) or isinstance(error, (StopIteration, StopAsyncIteration)):
            self.stop("raised", name, message)
        raise error

    def _ended(self, place, args, keywords):
        self.stop("ended", place)

    def _foreign(self, place, args, keywords, name):
        self.stop("foreign", name)

    def _missing(self, place, args, keywords, name):
        self.stop("missing", name)


def copy(value):
    """Plain data again: a call may be made twice, and a test may change what it gets."""
    cls = type(value)
    if cls is list or cls is tuple or cls is set or cls is frozenset:
        return cls([part if type(part) in _SCALARS else copy(part) for part in value])
    if cls is dict:
        return {name: part if type(part) in _SCALARS else copy(part) for name, part in value.items()}
    return value


_SCALARS = {int, str, float, bool, type(None), bytes, complex}


class StandIn:
    """Stands for a function of the answer."""

    def __init__(self, run, name):
        # The interpreter itself looks at a callee's name.
        self.__dict__.update(_stand_in=(run, name), __name__=name, __qualname__=name)

    def __call__(self, *args, **keywords):
        run, name = self._stand_in
        return run.call(name, args, keywords)

    def __getattr__(self, attribute):
        # Tests that look at the function itself.
        run, name = self._stand_in
        run.stop("foreign", f"{name}.{attribute}")


def restore(old, new):
    """Gives a mutable value the content of another, in place as far as it goes; what stands for `new` from now on."""
    if isinstance(old, dict) and isinstance(new, dict):
        merged = {name: restore(old[name], part) if name in old else part for name, part in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is not type(new):
        return new
    elif type(old) is list:
        old[:] = [restore(was, now) for was, now in zip(old, new, strict=False)] + new[len(old) :]
    elif type(old) is set:
        old.clear()
        old.update(new)
    elif type(old) is deque:
        old.clear()
        old.extend(new)
    elif type(old) is bytearray:
        old[:] = new
    elif type(old) is tuple:
        return tuple(restore(was, now) for was, now in zip(old, new, strict=False)) if len(old) == len(new) else new
    else:
        return new
    return old


def _exception(name, known, arguments):
    """An exception of a class of Python's own, or of a new class below it. The names are the candidate's to choose."""
    base = vars(builtins).get(known)
    if not isinstance(base, type) or not issubclass(base, BaseException):
        base = Exception
    cls = base if name == base.__name__ else type(name, (base,), {})
    error = cls.__new__(cls)
    error.args = tuple(arguments)
    return error


def _text(error):
    try:
        return str(error)[:2000]
    except BaseException:
        return ""


class Agreeing:
    """Stands for a result that is not known: agrees to everything, so that tests go on to their next call."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **keywords):
        return self

    def __getitem__(self, place):
        if isinstance(place, int) and place > 2:
            raise IndexError
        return self

    def __iter__(self):
        return iter(())

    def __hash__(self):
        return 0

    def __len__(self):
        return 0

    def __contains__(self, part):
        return True

    def __bool__(self):
        return True

    def __int__(self):
        return 0

    def __index__(self):
        return 0

    def __float__(self):
        return 0.0


def _agree(name, result):
    setattr(Agreeing, f"__{name}__", lambda self, *others: self if result is None else result)


for _name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "lshift", "rshift", "and", "xor",
    "or", "radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rdivmod", "rpow", "rmatmul", "rlshift",
    "rrshift", "rand", "rxor", "ror", "neg", "pos", "abs", "invert", "round", "trunc", "floor", "ceil", "setitem",
    "delitem",
):  # fmt: skip
    _agree(_name, None)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    _agree(_name, True)


class np:
    """What the tests of EvalPlus use of numpy. Answers that import numpy still fail to."""

    class ndarray:
        pass

    class float64(float):
        pass

    class float32(float):
        pass

    @staticmethod
    def allclose(out, exp, rtol=1e-05, atol=1e-08):
        if isinstance(out, Agreeing):
            return True
        if isinstance(exp, dict) or isinstance(out, dict):
            raise TypeError("no arrays of dicts")
        if isinstance(exp, (list, tuple)) != isinstance(out, (list, tuple)):
            # numpy repeats the number for each item of the other side, and calls it close to an empty list.
            return False
        if isinstance(exp, (list, tuple)):
            if len(out) != len(exp):
                raise ValueError("operands could not be broadcast together")
            return all(np.allclose(o, e, rtol, atol) for o, e in zip(out, exp, strict=True))
        if out == exp:
            return True
        return abs(out - exp) <= atol + rtol * abs(exp) if abs(exp) != float("inf") else False
