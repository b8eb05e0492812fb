"""Functions made of statements: values flow from one to the next. Each form gives lines that define `g`."""

from collections.abc import Callable
from typing import Protocol


class Drawing(Protocol):
    """What a form asks of the draws: see draw.py."""

    scope: list[tuple[str, str]]
    roll: Callable[[], float]

    def expression(self, type_: str, depth: int) -> str: ...
    def name(self) -> str: ...


_KINDS = (
    "int",
    "int",
    "float",
    "str",
    "list",
    "ints",
    "strs",
    "tuple",
    "dict",
    "words",
    "set",
    "num",
    "bytes",
    "any",
    "bool",
)
_AUGMENTED = ("+=", "-=", "*=", "//=", "%=", "&=", "|=", "^=", ">>=", "/=", "@=")
_RAISED = ("ValueError", "KeyError", "TypeError('x')", "ZeroDivisionError", "StopIteration(3)", "IndexError", "E1", "Exception(1, 2)",
           "AttributeError", "OverflowError", "RuntimeError", "LookupError()", "ArithmeticError")  # fmt: skip
_CAUGHT = ("ValueError", "KeyError", "TypeError", "ZeroDivisionError", "(IndexError, KeyError)", "LookupError", "ArithmeticError",
           "Exception", "E1", "StopIteration")  # fmt: skip
Lines = list[str]


def _pick(draw: Drawing, items: tuple[str, ...]) -> str:
    return items[int(draw.roll() * len(items))]


def _value(draw: Drawing, type_: str = "any") -> str:
    return draw.expression(type_, 2)


def _assign(draw: Drawing, room: int) -> Lines:
    type_, name = _pick(draw, _KINDS), draw.name()
    line = f"{name} = {_value(draw, type_)}"
    draw.scope.append((name, type_))
    return [line]


def _augment(draw: Drawing, room: int) -> Lines:
    name, type_ = _variable(draw)
    other = "small" if draw.roll() < 0.3 else type_
    return [f"{name} {_pick(draw, _AUGMENTED)} {_value(draw, other)}"]


def _variable(draw: Drawing) -> tuple[str, str]:
    return draw.scope[int(draw.roll() * len(draw.scope))]


def _unpack(draw: Drawing, room: int) -> Lines:
    a, b = draw.name(), draw.name()
    form = _pick(
        draw,
        (
            "{a}, {b} = {v}",
            "{a}, *{b} = {v}",
            "*{a}, {b} = {v}",
            "[{a}, ({b}, *_)] = 1, {v}",
            "{a} = {b} = {v}",
            "({a}, {b}), c0 = {v}, 1",
        ),
    )
    line = form.format(a=a, b=b, v=_value(draw, _pick(draw, ("tuple", "list", "str", "ints", "any"))))
    draw.scope += [(a, "any"), (b, "any")]
    return [line]


def _store(draw: Drawing, room: int) -> Lines:
    name, _ = _variable(draw)
    index = _value(draw, "small") if draw.roll() < 0.6 else f"{_value(draw, 'small')}:{_value(draw, 'small')}"
    return [_pick(draw, ("{n}[{i}] = {v}", "{n}[{i}] += {v}", "del {n}[{i}]", "{n}.append({v})", "{n}.extend({v})", "{n}[{v}] = {i0}", "{n}.update({v})", "{n}.add({v})", "{n}.pop()")).format(
        n=name, i=index, i0=_value(draw, "small"), v=_value(draw))]  # fmt: skip


def _branch(draw: Drawing, room: int) -> Lines:
    lines = [f"if {_value(draw, 'bool')}:", *_block(draw, room)]
    if draw.roll() < 0.3:
        lines += [f"elif {_value(draw)}:", *_block(draw, room)]
    return lines + (["else:", *_block(draw, room)] if draw.roll() < 0.6 else [])


def _loop(draw: Drawing, room: int) -> Lines:
    name = draw.name()
    type_ = _pick(draw, ("ints", "strs", "list", "range", "str", "dict", "tuple", "set"))
    head = f"for {name} in {_value(draw, type_)}:"
    draw.scope.append(
        (name, {"ints": "int", "strs": "str", "range": "int", "str": "str", "set": "int"}.get(type_, "any"))
    )
    body = _block(draw, room)
    if draw.roll() < 0.4:
        body += [
            f"    if {_value(draw, 'bool')}: {_pick(draw, ('break', 'continue', 'pass'))}",
            f"    out.append({name})",
        ]
    tail = ["else:", *_block(draw, room)] if draw.roll() < 0.3 else []
    return [head, *body, *tail]


def _while(draw: Drawing, room: int) -> Lines:
    name = draw.name()
    lines = [f"{name} = {_value(draw, 'small')}", f"while {name} > 0 and len(out) < 30:", f"    {name} -= 1"]
    draw.scope.append((name, "int"))
    lines += _block(draw, room)
    if draw.roll() < 0.5:
        lines += [f"    if {_value(draw, 'bool')}: {_pick(draw, ('break', 'continue'))}"]
    return lines + (["else:", f"    out.append({_value(draw)})"] if draw.roll() < 0.5 else [])


def _try(draw: Drawing, room: int) -> Lines:
    body = _block(draw, room)
    if draw.roll() < 0.5:
        body.append(
            f"    raise {_pick(draw, _RAISED)}" + _pick(draw, ("", " from None", f" from {_pick(draw, _RAISED)}"))
        )
    lines = ["try:", *body]
    if draw.roll() < 0.85:
        lines += [
            f"except {_pick(draw, _CAUGHT)} as e:",
            "    out.append((type(e).__name__, type(e.__cause__), type(e.__context__), e.args and type(e.args[0])))",
        ]
        if draw.roll() < 0.3:
            lines.append(_pick(draw, ("    raise", "    raise E1 from e", "    return out", "    e = 1")))
        if draw.roll() < 0.4:
            lines += ["else:", *_block(draw, room)]
    else:
        return [*lines, "finally:", *_ending(draw)]
    return lines + (["finally:", *_ending(draw)] if draw.roll() < 0.4 else [])


def _ending(draw: Drawing) -> Lines:
    return [f"    out.append({_value(draw, 'int')})", *(["    return out"] if draw.roll() < 0.1 else [])]


def _group(draw: Drawing, room: int) -> Lines:
    one, two = _pick(draw, _RAISED), _pick(draw, _RAISED)
    return ["try:", f"    raise ExceptionGroup('g', [{_instance(one)}, {_instance(two)}, ExceptionGroup('h', [{_instance(one)}])])",
            f"except* {_pick(draw, _CAUGHT[:7])} as e:", "    out.append((len(e.exceptions), [type(x).__name__ for x in e.exceptions]))"]  # fmt: skip


def _instance(raised: str) -> str:
    return raised if raised.endswith(")") else raised + "()"


def _with(draw: Drawing, room: int) -> Lines:
    name = draw.name()
    head = _pick(
        draw,
        (
            "with M(out, {b}) as {n}:",
            "with contextlib.suppress({e}), M(out, False) as {n}:",
            "with contextlib.closing(M(out, 1)) as {n}:",
        ),
    )
    body = _block(draw, room)
    if draw.roll() < 0.5:
        body.append(f"    raise {_pick(draw, _RAISED)}")
    return [head.format(b=_value(draw, "bool"), n=name, e=_pick(draw, _CAUGHT[:4])), *body]


def _match(draw: Drawing, room: int) -> Lines:
    a, b = draw.name(), draw.name()
    patterns = (
        f"[{a}, {b}]", f"[{a}, *{b}]", f"({a}, _)", "[]", "{}", f"{{'a': {a}}}", f"{{'a': {a}, **{b}}}", f"int({a})", f"str() as {a}",
        f"int() | float() as {a}", "0 | 1 | None", "'abc'", f"{a} if {a}", f"[int({a}), *_]", f"P(x={a})", f"P({a}, {b})", "-1", "1.5",
        f"[[{a}, *_], *{b}]", "True", f"(str({a}) | bytes({a}))", f"dict({a})", f"list() | tuple() as {a}", f"set({a})", "math.pi",
    )  # fmt: skip
    subject = _pick(draw, ("{v}", "P({v}, {w})", "[{v}, {w}]", "{{'a': {v}, 'b': {w}}}"))
    lines = ["match " + subject.format(v=_value(draw), w=_value(draw)) + ":"]
    for _ in range(1 + int(draw.roll() * 4)):
        pattern = patterns[int(draw.roll() * len(patterns))]
        if pattern == f"{a} if {a}" and draw.roll() < 0.5:
            continue
        seen = [name for name in (a, b) if name in pattern]
        lines += [f"    case {pattern}:", f"        out.append(({pattern!r}, {', '.join(seen)}{',' if seen else ''}))"]
    return [*lines, "    case _:", "        out.append('none')"]


def _function(draw: Drawing, room: int) -> Lines:
    name = draw.name()
    signature = _pick(
        draw,
        ("a, b={v}", "a, /, b={v}", "a, *b", "a, *, b={v}", "a, **b", "*b, a={v}", "a={v}, *b", "a: int = {v}, b=1"),
    )
    held = list(draw.scope)
    draw.scope += [("a", "any"), ("b", "any")]
    body = ["    " + line for line in _statements(draw, room - 1, 1 + int(draw.roll() * 2))]
    end = (
        f"    return {_pick(draw, ('a, b', _value(draw)))}"
        if draw.roll() < 0.8
        else f"    yield {_value(draw)}\n    got = yield a\n    return got"
    )
    draw.scope[:] = held
    call = _pick(
        draw,
        (
            "{n}({v})",
            "{n}({v}, {w})",
            "{n}({v}, b={w})",
            "{n}(a={v})",
            "{n}(*{t})",
            "{n}(**{d})",
            "list({n}({v}))",
            "{n}(*{t}, b={v})",
        ),
    )
    decorator = _pick(
        draw,
        (
            "",
            "",
            "",
            "@functools.cache\n",
            "@functools.lru_cache(2)\n",
            "@D\n",
            "@functools.wraps(len)\n",
            "@contextlib.contextmanager\n",
        ),
    )
    call = call.format(n=name, v=_value(draw), w=_value(draw), t=_value(draw, "tuple"), d=_value(draw, "words"))
    closure = [f"    nonlocal {_variable(draw)[0]}"] if draw.roll() < 0.0 else []
    return [
        *decorator.split("\n")[:-1],
        f"def {name}({signature.format(v=_value(draw))}):",
        *closure,
        *body,
        *end.split("\n"),
        f"out.append({call})",
    ]


def _generator(draw: Drawing, room: int) -> Lines:
    name = draw.name()
    lines = [f"def {name}(n):", "    try:", "        for i in range(n):", f"            got = yield {_pick(draw, ('i', 'i * i', '(i, n)', _value(draw)))}",
             "            if got: out.append(got)", *_pick(draw, (f"        yield from {_value(draw, 'list')}", "        return n", "        yield")).split("\n"),
             f"    except {_pick(draw, _CAUGHT)} as e:", "        yield type(e).__name__", "    finally:", "        out.append('end')",
             f"it = {name}({_value(draw, 'small')})"]  # fmt: skip
    for _ in range(1 + int(draw.roll() * 4)):
        lines.append(_pick(draw, ("out.append(next(it, 'no'))", "out.append(it.send({v}))", "it.throw({r})", "it.close()", "out.append(list(it))",
                                  "out.extend(itertools.islice(it, 2))", "a, *b = it; out.append((a, b))", "out.append(sum(it))", "for y in it: out.append(y)"
                                  )).format(v=_value(draw), r=_pick(draw, _RAISED)))  # fmt: skip
    return lines


def _class(draw: Drawing, room: int) -> Lines:
    name = draw.name()
    base = _pick(draw, ("", "", "(P)", "(int)", "(str)", "(list)", "(dict)", "(tuple)", "(float)", "(set)", "(enum.Enum)", "(enum.IntEnum)", "(collections.UserDict)",
                        "(typing.NamedTuple)", "(Exception)", "(P, int)", "(M)"))  # fmt: skip
    members = []
    for _ in range(1 + int(draw.roll() * 4)):
        members += _member(draw)
    made = _pick(draw, ("{n}({v})", "{n}()", "{n}({v}, {w})", "{n}.x", "{n}"))
    used = _pick(draw, ("o", "o + {v}", "{v} + o", "o == {v}", "o[{v}]", "len(o)", "o.x", "o.m({v})", "repr(o)", "str(o)", "list(o)", "o < {v}", "hash(o)", "bool(o)",
                        "format(o, '>5')", "-o", "o({v})", "{v} in o", "o.y", "setattr(o, 'z', 1), o.z", "type(o).__mro__", "vars(o)", "{v} * o", "o * 2", "o @ o",
                        "isinstance(o, type({v}))", "copy.copy(o)", "abs(o)", "int(o)", "[*o]", "divmod(o, 2)", "sorted([o, o])", "o += {v}", "dir(o)[-3:]"))  # fmt: skip
    lines = [
        f"class {name}{base}:",
        *("    " + line for line in members),
        f"o = {made}".format(n=name, v=_value(draw), w=_value(draw)),
    ]
    used = used.format(v=_value(draw))
    return [*lines, used if "+=" in used else f"out.append(({used},))", "out.append(type(o).__name__)"]


def _member(draw: Drawing) -> Lines:
    special = _pick(draw, ("__init__(self, *a)", "__repr__(self)", "__str__(self)", "__eq__(self, o)", "__lt__(self, o)", "__hash__(self)", "__len__(self)", "__iter__(self)",
                           "__getitem__(self, k)", "__contains__(self, k)", "__add__(self, o)", "__radd__(self, o)", "__mul__(self, o)", "__rmul__(self, o)", "__call__(self, *a)",
                           "__bool__(self)", "__format__(self, s)", "__neg__(self)", "__getattr__(self, n)", "__iadd__(self, o)", "__index__(self)", "__abs__(self)", "__int__(self)",
                           "m(self, v=1)", "__matmul__(self, o)", "__next__(self)", "__enter__(self)", "__set_name__(self, o, n)", "__missing__(self, k)", "__reversed__(self)",
                           "__setattr__(self, n, v)", "__delitem__(self, k)", "__getattribute__(self, n)", "__new__(cls, *a)", "__init_subclass__(cls)", "__class_getitem__(cls, k)"))  # fmt: skip
    result = _pick(
        draw,
        (
            "NotImplemented",
            "'r'",
            "1",
            "(self, o)" if ", o" in special else "3",
            "iter([1, 2])",
            "super()." + special.replace("self, ", "").replace("(self)", "()").replace("cls, ", ""),
            _value(draw),
        ),
    )
    return {
        0: [f"x = {_value(draw)}"],
        1: [f"x: int = {_value(draw)}", "y: str"],
        2: ["@property", f"def y(self): return {_value(draw)}"],
        3: ["@staticmethod", f"def m(*a): return a, {_value(draw)}"],
        4: ["@classmethod", "def m(cls, *a): return cls.__name__, a"],
        5: [f"__slots__ = {_pick(draw, ('()', '(chr(120),)', '[chr(121), chr(122)]'))}"],
    }.get(int(draw.roll() * 14), [f"def {special}: return {result}"])


_SIMPLE = (_assign, _assign, _assign, _augment, _unpack, _store)
_COMPOUND = (_branch, _loop, _while, _try, _group, _with, _match, _function, _generator, _class)


def _statements(draw: Drawing, room: int, count: int) -> Lines:
    lines: Lines = []
    for _ in range(count):
        compound = room > 0 and draw.roll() < 0.4
        forms = _COMPOUND if compound else _SIMPLE
        lines += forms[int(draw.roll() * len(forms))](draw, room)
    return lines


def _block(draw: Drawing, room: int) -> Lines:
    held = len(draw.scope)
    lines = _statements(draw, room - 1, 1 + int(draw.roll() * 1.6))
    if draw.roll() < 0.6:
        lines.append(f"out.append({_variable(draw)[0]})")
    del draw.scope[held:]
    return ["    " + line for line in lines]


_HEAD = """def g(out):
    class E1(LookupError): pass
    class P:
        __match_args__ = ("x", "y")
        def __init__(self, x=1, y=2): self.x, self.y = x, y
        def __repr__(self): return f"P({self.x!r}, {self.y!r})"
    class M:
        def __init__(self, out, eats): self.out, self.eats = out, eats
        def __enter__(self): self.out.append("in"); return self.eats
        def __exit__(self, kind, value, frames): self.out.append(kind and kind.__name__); return self.eats
        def close(self): self.out.append("closed")
    def D(f): return lambda *a, **k: (f.__name__, f(*a, **k))
"""


def function(draw: Drawing) -> str:
    """A function of a few statements; what it noted is part of how it ends."""
    lines: Lines = [*_assign(draw, 0), *_assign(draw, 0)]
    form = _COMPOUND[int(draw.roll() * len(_COMPOUND))]
    lines += _statements(draw, 2, int(draw.roll() * 3))
    lines += form(draw, 2)
    lines.append("return out, " + ", ".join(name for name, _ in draw.scope if name.startswith("v")) + ",")
    text = "\n".join(lines)
    head = [line for line in _HEAD.splitlines()[1:]]
    used = [name for name in ("E1", "P", "M", "D") if _uses(text, name)]
    return "def g(out):\n" + "\n".join([*_needed(head, used), *("    " + line for line in lines)])


def _uses(text: str, name: str) -> bool:
    return any(
        f"{before}{name}{after}" in text
        for before in (" ", "(", "[", "@", "\n")
        for after in ("(", ")", " ", ",", "\n", ":")
    ) or text.endswith(name)


def _needed(head: Lines, used: list[str]) -> Lines:
    """The helpers that a text uses."""
    lines, on = [], False
    for line in head:
        if not line.startswith("     "):
            on = any(line.strip().startswith((f"class {name}", f"def {name}(")) for name in used)
        if on:
            lines.append(line)
    return lines


FORMS: tuple[Callable[[Drawing], str], ...] = (function,)
