"""Functions under assertions: what passes, what fails, and what only pretends to pass."""

import pytest
from azr.evals.benchmarks import Item, find, mbpp
from azr.evals.scorers import Reason, Tools, Verdict, make_scorer

ROW = {"task_id": 1, "text": "Add.", "test_list": ["assert add(1, 2) == 3", "assert add(0, 0) == 0"]}


def grade(tools: Tools, *answers: str) -> list[Verdict]:
    [item] = find("mbpp").build([ROW], tools.sandbox)
    return make_scorer("asserts", tools).score([(item, answer) for answer in answers])


def test_right_answers_pass_in_any_form(tools: Tools) -> None:
    answers = (
        "def add(a, b):\n    return a + b",
        "from __future__ import annotations\nadd = lambda a, b: a + b",
        "from fractions import Fraction\ndef add(a, b):\n    return Fraction(a + b)",
        "import collections\ndef add(a, b):\n    print('noise')\n    return sum((a, b))",
        "class T:\n    def __init__(self, v): self.v = v\ndef add(a, b):\n    return T(a + b).v",
        "def add(a, b):\n    return a if b == 0 else add(a + 1, b - 1)\nif __name__ == '__main__':\n    1 / 0",
    )
    assert [verdict.score for verdict in grade(tools, *answers)] == [1.0] * len(answers)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("def add(a, b):\n    return a - b", Reason.WRONG),
        ("def plus(a, b):\n    return a + b", Reason.NO_FUNCTION),
        ("add = 3", Reason.NO_FUNCTION),
        ("def add(a, b):\n    return (a + b", Reason.SYNTAX_ERROR),
        ("def add(a, b):\n    return 1 / 0", Reason.RAISED),
        ("def add(a, b):\n    while True: pass", Reason.OUT_OF_FUEL),
        ("def add(a, b):\n    return [0] * 10**9", Reason.OUT_OF_MEMORY),
        ("def add(a, b):\n    return add(a, b)", Reason.RAISED),
    ],
)
def test_wrong_answers_fail_by_their_reason(tools: Tools, answer: str, reason: Reason) -> None:
    [verdict] = grade(tools, answer)
    assert (verdict.score, verdict.reason) == (0.0, reason)


@pytest.mark.parametrize(
    "answer",
    [
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "raise SystemExit",
        "def add(a, b):\n    import sys\n    sys.exit(0)",
        "class E:\n    def __eq__(self, other): return True\ndef add(a, b): return E()",
        "class E(int):\n    def __eq__(self, o): return 1\n    __hash__ = int.__hash__\ndef add(a, b): return E(1)",
        "class E(int):\n    def __eq__(self, o): return 1\n    __hash__ = int.__hash__\ndef add(a, b): return [E(1)]",
        "class M(type):\n    def __eq__(self, other): return True\nclass E(metaclass=M): pass\ndef add(a, b): return E",
        "E = type('E', (), {'__eq__': lambda self, other: True})\ndef add(a, b): return E()",
        "import builtins\nbuiltins.exec = lambda *a: None\ndef add(a, b): return 0",
        "import builtins\nbuiltins.type = lambda x: int\nclass E:\n    def __eq__(self, o): return True\n"
        "def add(a, b): return E()",
        "def f(token): return token\ndef add(a, b): return 0",
        "def _guard(f): return f\ndef add(a, b): return 0",
        "import sys\nfor frame in [sys._getframe(1)]:\n    frame.f_globals['_guard'] = lambda f: f\n"
        "class E:\n    def __eq__(self, o): return True\ndef add(a, b): return E()",
        "class S(str):\n    def __eq__(s, o): return 1\n    __hash__ = str.__hash__\ndef add(a, b): return {S(''): 1}",
        "class AssertionError(Exception): pass\ndef add(a, b): return 0",
    ],
)
def test_nothing_passes_by_pretending(tools: Tools, answer: str) -> None:
    """Each leaves early, or answers the comparison itself, or gets at what checks it."""
    [verdict] = grade(tools, answer)
    assert verdict.score == 0.0, verdict


@pytest.mark.parametrize(
    ("answer", "lacking"),
    [
        ("import numpy as np\ndef add(a, b): return int(np.add(a, b))", "import numpy"),
        ("def add(a, b):\n    from sympy import S\n    return int(S(a) + b)", "import sympy.S"),
        ("import multiprocessing\ndef add(a, b): return a + b", "import multiprocessing"),
        ("def add(a, b):\n    open('x').read()\n    return a + b", "files or processes"),
        ("def add(a, b):\n    open('x', 'w').write('y')\n    return a + b", "files or processes"),
    ],
)
def test_what_the_sandbox_cannot_run_is_said_apart(tools: Tools, answer: str, lacking: str) -> None:
    [verdict] = grade(tools, answer)
    assert (verdict.score, verdict.reason, verdict.detail) == (0.0, Reason.UNSUPPORTED, lacking)


def test_more_memory_than_the_sandbox_has_is_said(tools: Tools) -> None:
    [verdict] = grade(tools, "x = bytes(10**10)\ndef add(a, b): return a + b")
    assert (verdict.score, verdict.reason) == (0.0, Reason.OUT_OF_MEMORY)


def test_a_program_that_mends_a_missing_import_is_judged(tools: Tools) -> None:
    answer = "try:\n    import numpy\nexcept ImportError:\n    numpy = None\ndef add(a, b): return a + b"
    assert grade(tools, answer)[0].score == 1.0


def test_verdicts_keep_order_and_answers_do_not_meet(tools: Tools) -> None:
    poison = "import math, builtins\nmath.pi = 3\nbuiltins.sum = None\ndef add(a, b): return a + b"
    clean = "import math\ndef add(a, b):\n    assert math.pi > 3.1 and sum\n    return a + b"
    wrong = "def add(a, b): return 3"
    assert [v.score for v in grade(tools, poison, clean, wrong, clean)] == [1.0, 1.0, 0.0, 1.0]


PLUS = {
    "task_id": "HumanEval/x",
    "prompt": 'import math\n\n\ndef helper(x):\n    return x * 2\n\n\ndef half(x):\n    """Half of helper."""\n',
    "entry_point": "half",
    "test": (
        "import numpy as np\n\ndef is_floats(x) -> bool:\n    if isinstance(x, np.ndarray):\n"
        "        return x.dtype == np.float64 or x.dtype == np.float32\n    return isinstance(x, float)\n\n"
        "def check(candidate):\n    for inp, exp in zip([[3], [0.2]], [3.0, 0.2]):\n        out = candidate(*inp)\n"
        "        assert out == exp or np.allclose(out, exp, rtol=1e-07, atol=1e-06)\n"
    ),
}


def test_tests_that_use_arrays_for_tolerance_run_without_them(tools: Tools) -> None:
    [item] = find("humaneval_plus").build([PLUS], tools.sandbox)
    scorer = make_scorer("asserts", tools)
    near, far = "def half(x):\n    return x + 1e-9", "def half(x):\n    return x + 1e-3"
    uses = "import numpy\n" + near
    assert [v.reason for v in scorer.score([(item, near), (item, far), (item, uses)])] == [
        Reason.CORRECT, Reason.WRONG, Reason.UNSUPPORTED,
    ]  # fmt: skip


def test_a_reply_gets_what_stands_before_the_function_and_a_continuation_the_head(tools: Tools) -> None:
    [item] = find("humaneval").build([PLUS], tools.sandbox)
    scorer = make_scorer("asserts", tools)
    reply = scorer.read("Thus:\n```python\ndef half(x):\n    return helper(x) / 2\n```\nDone.", item, None)
    continued = scorer.read("    return helper(x) / 2\n\ndef other():\n    pass", item, find("humaneval").stops)
    assert reply is not None and continued is not None
    assert [v.score for v in scorer.score([(item, reply), (item, continued)])] == [1.0, 1.0]


def test_of_several_blocks_the_last_with_the_function_counts(tools: Tools) -> None:
    item = Item(id="x", facts={"name": "add", "before": "", "continued": ""})
    text = "```python\ndef add(): 1\n```\n```python\ndef add(): 2\n```\n```\nprint(add())\n```\n```bash\nls\n```"
    scorer = make_scorer("asserts", tools)
    assert scorer.read(text, item, None) == "def add(): 2\n"
    assert scorer.read("no program here", item, None) is None
    assert scorer.read("```python\ndef add(): 3", item, None) == "def add(): 3", "cut at the token limit"


def test_tests_may_be_about_a_function_with_the_name_of_a_builtin() -> None:
    """MBPP's task 126 asks for a function `sum` of two numbers."""
    assert mbpp.tested(["assert sum(10, 15) == 6", "assert sum(100, 150) == 93"], 0) == "sum"
    assert mbpp.tested(["assert set(find([1, 2])) == set([2])"], 0) == "find"
