"""Behaviour signatures, and canonical forms against what the sandbox sees."""

# ruff: noqa: E501 - programs are data, one a line

from collections.abc import Sequence
from typing import cast

import pytest
from azr.buffer import fingerprint
from azr.buffer.client import Duplicate, Extras, Inserted, TaskBuffer, canonical
from azr.buffer.fingerprint import INPUTS, Fingerprints, signatures
from azr.sandbox import Outcome, Request, Sandbox
from azr.types import Kind, Task


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def seen(outcomes: list[Outcome]) -> list[object]:
    return [(outcome.kind, outcome.value, outcome.exception) for outcome in outcomes]


def test_equal_behaviour_has_one_signature_whatever_the_text(sandbox: Sandbox) -> None:
    one, renamed, padded, other, sometimes, never = signatures(
        sandbox,
        [
            "def f(x): return x * 2",
            "def f(thing):\n    return thing * 2",
            "def f(x):\n    for _ in range(3):\n        pass\n    y = [x]\n    return y[0] * 2 if True else None",
            "def f(x): return x * 3",
            "def f(x): return x * 2 if x else 1",
            "def f(x, y, z, w, v): return 1",
        ],
    )
    assert one is not None and 0 < one < 2**128
    assert one == renamed == padded
    assert len({one, other, sometimes}) == 3
    assert never is None


def test_a_buffer_by_behaviour_refuses_what_does_the_same(sandbox: Sandbox) -> None:
    buffer = TaskBuffer.in_memory(deduplicate="behaviour")
    programs = ["def f(x): return x + x", "def f(x): return 2 * x", "def f(x): return x"]
    tasks = [Task(kind=Kind.DEDUCTION, program=program, inputs=("1",), outputs=()) for program in programs]
    extras = [Extras(behaviour=number) for number in signatures(sandbox, programs)]
    assert buffer.insert_many(tasks, extras) == [Inserted(0), Duplicate("behaviour", 0), Inserted(1)]


PROGRAMS = [
    "import math\ndef f(x):\n    '''Text.'''\n    return [math.floor(v) for v in (x if isinstance(x, list) else [x])]",
    "def f(*args, **more):\n    def inner(a, *, key=0):\n        return (a, key)\n    return [inner(v, key=i) for i, v in enumerate(args)]",
    "from functools import lru_cache\n@lru_cache\ndef g(n): return n if n < 2 else g(n - 1) + g(n - 2)\ndef f(x): return g(abs(x) % 15)",
    "class P:\n    k = 2\n    def __init__(self, v): self.v = v\n    def twice(self): return self.v * self.k\ndef f(x): return P(x).twice()",
    "def f(x):\n    total = 0\n    def add(n):\n        nonlocal total\n        total += n\n        return total\n    return [add(v) for v in x]",
    "N = 3\ndef f(x):\n    global N\n    N += 1\n    return (N, x)",
    "def f(x):\n    match x:\n        case [a, *rest]: return (a, rest)\n        case {'a': v, **more}: return (v, more)\n        case str() as s: return s.upper()\n    return None",
    "def f(x):\n    try:\n        return 10 // x\n    except (TypeError, ZeroDivisionError) as error:\n        return type(error).__name__",
    "def f(x):\n    def helper(): pass\n    return (len(str(helper)) > 5, helper.__name__, f'{x!r:>8}', f'{x=}')",
    "def f(x): return sorted(x, key=lambda v: (-v, str(v))) if (n := len(x)) > 1 else n",
    "def f(x):\n    gen = (v for v in x if v)\n    return {k: v ** 2 - -v for k, v in enumerate(gen)}",
    "def f(x):\n    a = b = x\n    a, (b, *c) = 1, [2, 3]\n    return not a == b < 3 or (a, b, c)[-1:], -a ** 2, (-a) ** 2",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_canonical_program_does_what_the_program_does(sandbox: Sandbox, program: str) -> None:
    written, inputs = canonical(program, INPUTS)
    before = sandbox.run_batch([Request(program=program, call=text) for text in INPUTS])
    after = sandbox.run_batch([Request(program=written, call=text) for text in inputs])
    assert seen(after) == seen(before)
    assert canonical(written, inputs) == (written, inputs)


PAIRS = [
    (
        "def f(x):\n    def aa(): pass\n    return len(str(aa))",
        "def f(x):\n    def bbb(): pass\n    return len(str(bbb))",
    ),
    ("def f(x):\n    def aa(): pass\n    return aa.__name__", "def f(x):\n    def bb(): pass\n    return bb.__name__"),
    ("def f(x):\n    aa = x\n    return list(locals())", "def f(x):\n    bb = x\n    return list(locals())"),
    ("def f(x):\n    '''a'''\n    return f.__doc__", "def f(x):\n    '''b'''\n    return f.__doc__"),
    ("def g(a, **k): return k\ndef f(x): return g(x, b=1)", "def g(b, **k): return k\ndef f(x): return g(x, b=1)"),
    (
        "def g(a, b): return a\ndef f(x): return g(**{'a': 1, 'b': x})",
        "def g(b, a): return b\ndef f(x): return g(**{'a': 1, 'b': x})",
    ),
    ("if 0: sum = 1\ndef f(x): return sum([x])", "if 0: foo = 1\ndef f(x): return foo([x])"),
    ("def f(x): return f'{x+1=}'", "def f(x): return f'{x + 1=}'"),
    (
        "def f(x):\n    class A: pass\n    return type(A()).__name__",
        "def f(x):\n    class B: pass\n    return type(B()).__name__",
    ),
    ("def f(x): return 1", "def f(x): return 1.0"),
    ("def f(x): return 1", "def f(x): return True"),
    ("def f(x): return '\\ud800' == '\\ud801'", "def f(x): return '\\ud800' == '\\ud800'"),
    (
        "def f(x):\n    try: g()\n    except NameError as e: return str(e)",
        "def f(x):\n    try: h()\n    except NameError as e: return str(e)",
    ),
    (
        "x = 1\ndef f(n):\n    class A:\n        x = x\n    return A.x",
        "y = 1\ndef f(n):\n    class A:\n        x = y\n    return A.x + 1",
    ),
    ("def f(x):\n    return (lambda: str(f)[10:11])()", "def f(x):\n    return (lambda: str(f)[11:12])()"),
]


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_programs_that_the_sandbox_tells_apart_have_different_forms(sandbox: Sandbox, one: str, two: str) -> None:
    first, second = sandbox.run_batch([Request(program=one, call="2"), Request(program=two, call="2")])
    assert seen([first]) != seen([second]), "the pair is no test"
    assert canonical(one, ["2"]) != canonical(two, ["2"])


class Counting:
    """A sandbox that counts what it runs."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner, self.limits, self.ran = inner, inner.limits, 0

    def run_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        self.ran += len(requests)
        return self._inner.run_batch(requests)


def test_a_program_is_run_once_however_many_tasks_are_about_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(sandbox)
    numbers = Fingerprints(lambda kind: cast("Sandbox", counting))
    double, same = "def f(x):\n    return x * 2", "def f(y):\n    return y + y"
    tasks = [
        Task(kind=kind, program=program, inputs=("1",), outputs=())
        for program, kind in ((double, Kind.DEDUCTION), (double, Kind.ABDUCTION), (same, Kind.DEDUCTION))
    ]
    first = numbers(tasks)
    assert first[0] == first[1] is not None and counting.ran == 2 * len(INPUTS)
    assert numbers(tasks[:1]) == first[:1] and counting.ran == 2 * len(INPUTS)
    monkeypatch.setattr(fingerprint, "KEPT", 1)
    assert numbers(tasks[::-1]) == first[::-1], "all are known until the answer is given"
    assert numbers(tasks[:1]) == first[:1] and counting.ran == 3 * len(INPUTS), "the oldest was forgotten"
