"""Which imports are allowed."""

import pytest
from azr.config.schema import TasksConfig
from azr.sandbox import Sandbox
from azr.tasks.policy import Policy
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
    policy = Policy(banned=TasksConfig().banned_imports)
    (verdict,) = policy.judge(Sandbox(), [f"{line}\ndef f(a):\n    return a"])
    assert verdict is (None if allowed else Reason.FORBIDDEN_IMPORT)


def test_verdicts_keep_their_order() -> None:
    programs = ["def f(a): return a", "import time\ndef f(a): return a", "def f(", "x = 1"]
    assert Policy(banned=("time",)).judge(Sandbox(), programs) == [
        None,
        Reason.FORBIDDEN_IMPORT,
        Reason.SYNTAX_ERROR,
        Reason.NO_ENTRY,
    ]
