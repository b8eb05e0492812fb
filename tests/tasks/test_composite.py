"""A composite's program really uses the earlier programs."""

import pytest
from azr.tasks.composite import chained, extends, fits, halved, head, rename
from azr.types import Kind, Task


@pytest.mark.parametrize(
    ("program", "count", "good"),
    [
        ("def f(x):\n    return g_0(x) + 1", 1, True),
        ("def f(x):\n    y = x + 1\n    return g_0(y) + g_1([z for z in x])", 2, True),
        ("def f(x):\n    return g_0(len(x))", 1, True),
        ("def f(x):\n    return g_0(3) + x", 1, False),
        ("def f(x):\n    return g_0(x)", 2, False),
        ("def f(x):\n    return g_0(outer)", 1, False),
        ("def g_0(x):\n    return 1\ndef f(x):\n    return g_0(x)", 1, False),
        ("def f(x):\n    g_0 = len\n    return g_0(x)", 1, False),
        ("def h(x):\n    return g_0(x)\ndef f(x):\n    return x", 1, False),
        ("def f(x:", 1, False),
    ],
)
def test_fits(program: str, count: int, good: bool) -> None:
    assert fits(program, count) is good


def test_rename_changes_the_definition_and_its_calls() -> None:
    task = Task(kind=Kind.DEDUCTION, program="def f(n):\n    return n and f(n - 1)", inputs=("3",), outputs=())
    renamed = rename(task, 2)
    assert renamed is not None and renamed.program == "def g_2(n):\n    return n and g_2(n - 1)"


@pytest.mark.parametrize(
    ("program", "lines"),
    [
        ("def f(x):\n    x = x[1:]\n    return sorted(x)", "def f(x):\n    x = x[1:]\n    x = sorted(x)"),
        ("def f(name):\n    return name * 2\n", "def f(name):\n    name = name * 2"),
        ("def f(x):\n\tx = x[1:]\n\treturn x", "def f(x):\n\tx = x[1:]"),
        ("def f(x):\n    return [v\n      for v in x]", "def f(x):\n    x = [v\n      for v in x]"),
        ("def f(x):\n    return 'é' + x", "def f(x):\n    x = 'é' + x"),
        ("def f(x):\n    return x", None),
        ("def f(x): return x + 1", None),
        ("def f(x):\n    x += 1; return x", None),
        ("def f(x, y):\n    return x + y", None),
        ("def f(*x):\n    return x[0]", None),
        ("def f(x):\n    if x[0]:\n        return 1", None),
        ("def f(x):\n    yield x[0]\n    return x", None),
        ("def g(x):\n    return x[0]", None),
        ("def f(x):\n    return g(x)\ndef g(x):\n    return 1", None),
        ("def f(x:", None),
    ],
)
def test_a_head_is_the_program_up_to_its_result(program: str, lines: str | None) -> None:
    assert head(program) == lines


def test_what_goes_on_from_a_head_does_what_the_program_did_first() -> None:
    first, scope = "def f(x):\n    x = x[1:]\n    return sorted(x)", {}
    exec(f"{head(first)}\n    return x[0]", scope)  # written above
    assert scope["f"]([9, 3, 1, 2]) == 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("rest", "good"),
    [
        ("\n    return x[0]", True),
        ("[0]\n    return x", True),
        ("\n    return x", False),
        ("\n    y = x\n    return y", False),
        ("\n    return x[0]\ndef g(x):\n    return 1", False),
        ("\n    return (", False),
    ],
)
def test_a_program_that_goes_on_does_more(rest: str, good: bool) -> None:
    start = "def f(x):\n    x = sorted(x)"
    assert extends(start + rest, start) is good
    assert not extends("def f(x):\n    return x[0][1]", start)


@pytest.mark.parametrize(
    ("program", "half"),
    [
        ("def f(x):\n    x = x[1:]\n    return sorted(x)", "def f(x):\n    x = x[1:]\n    return x"),
        (
            "def f(x):\n    if x:\n        x = x[1:]\n    x = x + x\n    x = x[0]\n    return x + 1",
            "def f(x):\n    if x:\n        x = x[1:]\n    x = x + x\n    return x",
        ),
        ("def f(x):\n    return sorted(x)", None),
        ("def f(x, y):\n    x = y\n    return x + y", None),
    ],
)
def test_half_of_a_program_is_a_program(program: str, half: str | None) -> None:
    assert halved(program) == half


CHAINS = [
    ("x[1:]", "def f(x):\n    return sorted(x)", "def f(x):\n    x = x[1:]\n    return sorted(x)"),
    ("x[1:]", "def f(y):\n    y = y * 2\n    return y", "def f(x):\n    x = x[1:]\n    x = x * 2\n    return x"),
    ("x[:1]", "def f(s):\n    return s + '''a\n b'''", "def f(x):\n    x = x[:1]\n    return x + 'a\\n b'"),
    ("x[1:]", "def f(v):\n    return [x for x in v]", None),
    ("x[1:]", "def f(a, b):\n    return a", None),
    ("x[1:]", "import os\ndef f(x):\n    return x", None),
    ("x[1:]", "def f(x", None),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "whole"), CHAINS)
def test_a_chain_does_one_thing_after_the_other(first: str, second: str, whole: str | None) -> None:
    assert chained(f"def f(x):\n    return {first}", second) == whole
