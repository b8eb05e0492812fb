"""Which imports are allowed."""

import pytest
from azr.config.schema import TasksConfig
from azr.sandbox import Sandbox
from azr.tasks.static_filter import StaticFilter
from azr.types import Reason


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("import math", True),
        ("import os", True),
        ("import sys", True),
        ("import os.path", False),
        ("import os.path.x as y", False),
        ("from os import path as p", False),
        ("from os import environ, getcwd", False),
        ("from os.path import join", False),
        ("from sys import exit", False),
        ("import random", False),
        ("import randomness", True),
        ("from . import random", True),
        ("# import random", True),
        ("x = 'import random'", True),
        ("if x:\n    import time", False),
    ],
)
def test_the_papers_list(line: str, allowed: bool) -> None:
    static_filter = StaticFilter(banned=TasksConfig().banned_imports)
    (verdict,) = static_filter.check(Sandbox(), [f"{line}\ndef f(a):\n    return a"])
    assert verdict is (None if allowed else Reason.FORBIDDEN_IMPORT)


def test_verdicts_keep_their_order() -> None:
    programs = ["def f(a): return a", "import time\ndef f(a): return a", "def f(", "x = 1"]
    assert StaticFilter(banned=("time",)).check(Sandbox(), programs) == [
        None,
        Reason.FORBIDDEN_IMPORT,
        Reason.SYNTAX_ERROR,
        Reason.NO_ENTRY,
    ]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def f(d):\n    return f'{d['k']}'", None),
        ("def f(d):\n    return f\"{d[\"k\"]}\"", None),
        ("type Pair = tuple[int, int]\ndef f(x):\n    return x", None),
        ("def f[T](x: T) -> T:\n    return x", None),
        ("class A[T]:\n    pass\ndef f(x):\n    return x", None),
        ("def f(x):\n    return (x", Reason.SYNTAX_ERROR),
        ("def f(x):\n    return '\ud800'", Reason.SYNTAX_ERROR),
        ("def f(x):\n    return " + "(" * 5000 + "x" + ")" * 5000, Reason.SYNTAX_ERROR),
        ("def f(x):\n    return x" + "+x" * 8000, Reason.SYNTAX_ERROR),
        ("async def f(x):\n    return x", Reason.NO_ENTRY),
        ("def f(x):\n    return " + "x" * 20_000, Reason.TOO_LONG),
    ],
)  # fmt: skip
def test_a_verdict_is_that_of_the_guests_grammar_whatever_python_trains(program: str, reason: Reason | None) -> None:
    assert StaticFilter(max_chars=17_000).check(Sandbox(threads=1), [program, "def f(a): return a"]) == [reason, None]


def test_the_policy_reads_nothing_with_the_trainers_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    def refuse(*args: object, **keywords: object) -> None:
        raise AssertionError("the trainer's grammar was asked")

    monkeypatch.setattr(ast, "parse", refuse)
    static_filter = StaticFilter(banned=("os",), several_definitions=False)
    programs = ["def f(a): return a", "import os\ndef f(a): return a", "def g(a): pass\ndef f(a): return a"]
    reasons = static_filter.check(Sandbox(threads=1), programs)
    assert reasons == [None, Reason.FORBIDDEN_IMPORT, Reason.SEVERAL_DEFINITIONS]
