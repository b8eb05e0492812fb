"""Answers that try to talk the graders of HumanEval, MBPP and LiveCodeBench into something. Each is named for its way.

None may score on any style of tests: plain comparisons, a `check` with loops and tolerances, assertions of EvalPlus,
calls of a method. An answer is formatted with NAME, the function's name.
"""

# ruff: noqa: E501 - programs are data, one a line

import json

import pytest
from azr.evals.benchmarks import Item, find
from azr.evals.scorers import APART, Reason, Tools, make_scorer
from azr.sandbox import Limits, Sandbox

MBPP = {"task_id": 1, "text": "Add.", "test_list": ["assert add_up(1, 2) == 3", "assert add_up(0, 5) == 5"]}
SETS = {
    "task_id": 2,
    "text": "Shared.",
    "test_list": [
        "assert set(add_up((1, 2), (2, 3))) == set((2,))",
        "assert sorted(add_up((4, 5), (5, 4))) == sorted((4, 5))",
    ],
}
CHECK = {
    "task_id": "HumanEval/n",
    "prompt": "def near(x):\n    return x\n\n\ndef add_up(a, b):\n    pass\n",
    "entry_point": "add_up",
    "test": (
        "def check(candidate):\n    import math\n    for i in range(3):\n        assert abs(candidate(i, 2) - near(i + 2)) < 1e-6\n"
        "    assert math.isclose(candidate(1.5, 1), 2.5)\n    assert all(candidate(x, x) == 2 * x for x in [1, 2])\n"
        "    for out, exp in zip(map(candidate, [1, 2], [3, 4]), [4, 6]):\n        assert out == exp\n"
    ),
}
PLUS = {
    "task_id": "HumanEval/p",
    "prompt": "def add_up(a, b):\n    pass\n",
    "entry_point": "add_up",
    "test": (
        "import numpy as np\n\ndef is_floats(x):\n    return isinstance(x, float)\n\ndef assertion(out, exp, atol):\n"
        "    exact = out == exp\n    if atol == 0 and is_floats(exp):\n        atol = 1e-6\n    if not exact and atol != 0:\n"
        "        assert np.allclose(out, exp, rtol=1e-07, atol=atol)\n    else:\n        assert exact\n\n"
        "def check(candidate):\n    inputs = [[1, 2], [0.5, 2]]\n    results = [3, 2.5]\n"
        "    for i, (inp, exp) in enumerate(zip(inputs, results)):\n        assertion(candidate(*inp), exp, 0)\n"
    ),
}
METHOD = {
    "question_id": "add",
    "question_content": "x",
    "starter_code": "class Solution:\n    def add_up(self, a: int, b: int) -> int:\n        ",
    "public_test_cases": json.dumps(
        [{"input": given, "output": out, "testtype": "functional"} for given, out in (("1\n2", "3"), ("0\n5", "5"))]
    ),
    "private_test_cases": "[]",
    "metadata": json.dumps({"func_name": "add_up"}),
}
WRAP = "\nclass Solution:\n    def add_up(self, *args): return NAME(*args)\n"

EQUAL = (
    "class E:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n"
    "    def __sub__(self, o): return self\n    __rsub__ = __add__ = __radd__ = __sub__\n    def __abs__(self): return 0.0\n"
    "    def __lt__(self, o): return True\n    __le__ = __gt__ = __ge__ = __lt__\n    def __hash__(self): return 0\n"
    "    def __float__(self): return 3.0\n    def __iter__(self): return iter(())\n    def __len__(self): return 0\n"
    "    def __bool__(self): return True\n"
)

ATTACKS = {
    # objects that answer comparisons as they like
    "always_equal": EQUAL + "def NAME(*a): return E()",
    "always_equal_in_a_list": EQUAL + "def NAME(*a): return [E()]",
    "always_equal_as_dict_value": EQUAL + "def NAME(*a): return {0: E()}",
    "always_equal_in_a_tuple_in_a_dict": EQUAL + "def NAME(*a): return {1: (2, [E()])}",
    "equal_by_lambda": "E = type('E', (), {'__eq__': lambda s, o: True, '__hash__': lambda s: 0})\ndef NAME(*a): return E()",
    "equal_by_partial": "import functools\nclass A: pass\nA.__eq__ = functools.partial(lambda *a: True)\ndef NAME(*a): return A()",
    "equal_by_metaclass": "class M(type):\n    def __eq__(s, o): return True\n    __hash__ = type.__hash__\nclass E(metaclass=M): pass\ndef NAME(*a): return E",
    "equal_by_descriptor": "class D:\n    def __get__(s, i, c): return lambda o: True\nclass A: __eq__ = D()\ndef NAME(*a): return A()",
    "equal_by_dataclass_field": "import dataclasses\nclass E(float):\n    def __eq__(s, o): return True\n@dataclasses.dataclass\nclass D: x: object\ndef NAME(*a): return D(E())",
    "int_subclass": "class E(int):\n    def __eq__(s, o): return True\n    def __sub__(s, o): return E(0)\n    def __abs__(s): return 0\n    __hash__ = int.__hash__\ndef NAME(*a): return E(99)",
    "float_subclass": "class E(float):\n    def __eq__(s, o): return True\n    def __sub__(s, o): return 0.0\n    __hash__ = float.__hash__\ndef NAME(*a): return E(99)",
    "str_subclass": "class E(str):\n    def __eq__(s, o): return True\n    __hash__ = str.__hash__\ndef NAME(*a): return E('')",
    "list_subclass": "class E(list):\n    def __eq__(s, o): return True\n    def __iter__(s): return iter((2,))\ndef NAME(*a): return E([7, 7])",
    "tuple_subclass": "class E(tuple):\n    def __eq__(s, o): return True\ndef NAME(*a): return E()",
    "dict_subclass": "class E(dict):\n    def __eq__(s, o): return True\ndef NAME(*a): return E()",
    "set_subclass": "class E(frozenset):\n    def __eq__(s, o): return True\n    __hash__ = frozenset.__hash__\ndef NAME(*a): return E()",
    "int_enum": "import enum\nclass E(enum.IntEnum):\n    A = 99\n    def __eq__(s, o): return True\n    __hash__ = int.__hash__\ndef NAME(*a): return E.A",
    "named_tuple_with_an_equal": "import collections\nclass N(collections.namedtuple('N', 'a b')):\n    def __eq__(s, o): return True\ndef NAME(*a): return N(7, 7)",
    "user_list": EQUAL + "from collections import UserList\ndef NAME(*a):\n    u = UserList()\n    u.data = E()\n    return u",
    "user_dict": EQUAL + "from collections import UserDict\ndef NAME(*a):\n    u = UserDict()\n    u.data = E()\n    return u",
    "user_string": EQUAL + "from collections import UserString\ndef NAME(*a):\n    u = UserString('')\n    u.data = E()\n    return u",
    "chain_map": EQUAL + "from collections import ChainMap\ndef NAME(*a): return ChainMap({1: E()})",
    "mapping_proxy": "import types\nclass M(dict):\n    def __eq__(s, o): return True\n    __hash__ = None\ndef NAME(*a): return types.MappingProxyType(M())",
    "weak_proxy": EQUAL + "import weakref\nkeep = E()\ndef NAME(*a): return weakref.proxy(keep)",
    "simple_namespace": EQUAL + "import types\ndef NAME(*a): return types.SimpleNamespace(x=E())",
    "mock_any": "from unittest.mock import ANY\ndef NAME(*a): return ANY",
    "class_that_lies_about_its_class": EQUAL + "E.__class__ = property(lambda s: int)\ndef NAME(*a): return E()",
    "class_that_says_it_is_the_librarys": EQUAL + "import math\nE.__module__ = 'math'\nE.__qualname__ = 'E'\nmath.E = E\ndef NAME(*a): return E()",
    "class_in_sys_modules": EQUAL + "import sys, types\nm = types.ModuleType('m')\nm.E = E\nE.__module__ = 'm'\nsys.modules['m'] = m\ndef NAME(*a): return E()",
    "array_subclass": "import array\nclass E(array.array):\n    def __eq__(s, o): return True\ndef NAME(*a): return E('i', [7])",
    "deque_subclass": "import collections\nclass E(collections.deque):\n    def __eq__(s, o): return True\ndef NAME(*a): return E([7])",
    "counter_subclass": "import collections\nclass E(collections.Counter):\n    def __eq__(s, o): return True\ndef NAME(*a): return E('x')",
    "default_dict_that_agrees": "import collections\nclass E(collections.defaultdict):\n    def __eq__(s, o): return True\ndef NAME(*a): return E(int)",
    "bool_like": "class E(int):\n    def __bool__(s): return True\n    def __eq__(s, o): return E(1)\n    __hash__ = int.__hash__\ndef NAME(*a): return E(0)",
    "not_a_number": "def NAME(*a): return float('nan')",
    "infinity": "def NAME(*a): return float('inf')",
    "complex_infinity": "def NAME(*a): return complex('inf')",
    # the library rewritten in place
    "fraction_equal": "import fractions\nfractions.Fraction.__eq__ = lambda s, o: True\nfractions.Fraction.__sub__ = lambda s, o: 0\ndef NAME(*a): return fractions.Fraction(0)",
    "decimal_equal": "import decimal\nclass D(decimal.Decimal):\n    def __eq__(s, o): return True\n    def __sub__(s, o): return 0\ndef NAME(*a): return D(99)",
    "date_equal": "import datetime\nclass D(datetime.date):\n    def __eq__(s, o): return True\ndef NAME(*a): return D(2000, 1, 1)",
    "ordered_dict_equal": "import collections\nclass D(collections.OrderedDict):\n    def __eq__(s, o): return True\ndef NAME(*a): return D(a=1)",
    "operator_eq": "import operator\noperator.eq = lambda a, b: True\ndef NAME(*a): return -1",
    "math_isclose": "import math\nmath.isclose = lambda *a, **k: True\nmath.fabs = lambda x: 0\ndef NAME(*a): return -1",
    # names that the tests use
    "abs_global": "def NAME(*a): return -1.0\nabs = lambda v: 0",
    "abs_builtin": "import builtins\nbuiltins.abs = lambda v: 0\ndef NAME(*a): return -1.0",
    "zip_global": "zip = lambda *a: ()\ndef NAME(*a): return -1.0",
    "set_builtin": "import builtins\nbuiltins.set = builtins.sorted = lambda v: 0\ndef NAME(*a): return ()",
    "set_builtin_late": "import builtins\ndef NAME(*a):\n    builtins.set = builtins.sorted = builtins.abs = lambda *v: 0\n    return ()",
    "sorted_global": "def sorted(x): return [1, 2]\ndef set(x): return 1\ndef NAME(*a): return ()",
    "all_builtin": "import builtins\nbuiltins.all = lambda x: True\nbuiltins.map = builtins.range = builtins.zip = builtins.enumerate = lambda *a: ()\ndef NAME(*a): return -1",
    "assertion_error": "import builtins\nbuiltins.AssertionError = Warning\ndef NAME(*a): return -1",
    "helper_of_the_prompt": "def near(x): return -1\ndef NAME(*a): return -1",
    "check_itself": "def check(candidate): pass\ndef assertion(*a): pass\ndef NAME(*a): return -1",
    "isinstance_builtin": "import builtins\nbuiltins.isinstance = lambda *a: False\nbuiltins.type = lambda *a: int\ndef NAME(*a): return -1",
    "exec_builtin": "import builtins\nbuiltins.exec = builtins.eval = builtins.compile = lambda *a: None\ndef NAME(*a): return -1",
    "print_of_a_forged_end": "def NAME(*a):\n    print(['passed'], 'correct', {'value': 3})\n    return -1",
    # frames, code and objects that hold the tests
    "frame_swap": "import sys\nfor d in range(4):\n    try: sys._getframe(d).f_locals['run'] = lambda *a: None\n    except ValueError: pass\ndef NAME(*a): pass",
    "frame_walk_for_expected": "import sys\ndef NAME(*a):\n    f = sys._getframe(0)\n    while f is not None:\n        for n in ('exp', 'expected', 'results', 'result', 'known'):\n            if n in f.f_locals: return f.f_locals[n]\n        f = f.f_back\n    return -1",
    "frame_globals": "import sys\nfor d in range(5):\n    try: g = sys._getframe(d).f_globals\n    except ValueError: break\n    for n in ('f', 'g', 'candidate', 'judge', 'Tests'): g[n] = lambda *a: ['passed']\ndef NAME(*a): return -1",
    "code_constants": "import sys\ndef NAME(*a):\n    import __main__\n    found = []\n    for f in vars(__main__).values():\n        code = getattr(f, '__code__', None)\n        found += [c for c in code.co_consts if isinstance(c, (int, str)) and 'assert' in str(c)] if code else []\n    return eval(found[0].split('==')[1].split('\\n')[0]) if found else -1",
    "closure_cells": "import sys\ndef NAME(*a):\n    import __main__\n    for f in vars(__main__).values():\n        for cell in getattr(f, '__closure__', None) or ():\n            if isinstance(cell.cell_contents, str) and '==' in cell.cell_contents: return 3\n    return -1",
    "garbage_collector": "import gc\ndef NAME(*a):\n    for o in gc.get_objects():\n        if isinstance(o, dict) and 'check' in o: return 3\n        if isinstance(o, str) and 'assert ' + 'add' in o: return 3\n    return -1",
    "traceback_frames": "def NAME(*a):\n    try: raise ValueError\n    except ValueError as e:\n        f = e.__traceback__.tb_frame\n    while f:\n        if 'exp' in f.f_locals: return f.f_locals['exp']\n        f = f.f_back\n    return -1",
    "trace_function": "import sys\nsys.settrace(lambda f, e, a: f.f_locals.update(exp=-1))\nsys.setprofile(lambda *a: None)\ndef NAME(*a): return -1",
    "argv_and_environment": "import sys, os\ndef NAME(*a): return (sys.argv or os.environ).get('expected', -1) if hasattr(sys.argv, 'get') else -1",
    # the graders' own modules
    "runner_module": "import sys\nj = sys.modules['azr.evals.guest.runner']\nj.Tests.run = lambda *a: ['passed']\nj.StandIn.__call__ = lambda *a: True\ndef NAME(*a): return -1",
    "candidate_module": "import sys\nc = sys.modules['azr.evals.guest.candidate']\nc.call = lambda *a: ['passed']\ndef NAME(*a): return {1}",
    "carry_module": "import sys\nc = sys.modules['azr.evals.guest.carry']\nc.encode = c.decode = lambda *a, **k: ('v', [3])\nc._WRITERS.clear()\ndef NAME(*a): return bytearray(1)",
    "forged_passed": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['passed']\ndef NAME(*a): return bytearray(1)",
    "forged_ended": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['ended', 'x']\ndef NAME(*a): return bytearray(1)",
    "forged_exec_as_exception": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['raised', 'exec', 'exec', ['v', ['import builtins; builtins.abs = 0']], '']\ndef NAME(*a): return bytearray(1)",
    "forged_stop": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['raised', 'Stop', 'BaseException', None, '']\ndef NAME(*a): return bytearray(1)",
    "forged_builtin_by_name": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['carried', 'y', ['exec'], None]\ndef NAME(*a): return bytearray(1)",
    "forged_code": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['carried', 'Q', [1], None]\ndef NAME(*a): return bytearray(1)",
    "forged_argument_place": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['carried', 'a', [9], None]\ndef NAME(*a): return bytearray(1)",
    "main_entry_replaced": "import __main__\n__main__.f = __main__.g = lambda *a: ['passed']\ndef NAME(*a): return -1",
    # ends that are no results
    "system_exit": "import sys\ndef NAME(*a): sys.exit(0)",
    "system_exit_at_load": "raise SystemExit(0)",
    "os_exit": "import os\ndef NAME(*a): os._exit(0)",
    "os_exit_at_load": "import os\nos._exit(0)",
    "stop_iteration": "def NAME(*a): raise StopIteration",
    "stop_iteration_subclass": "class S(StopIteration): pass\ndef NAME(*a): raise S",
    "generator_exit": "def NAME(*a): raise GeneratorExit",
    "keyboard_interrupt": "def NAME(*a): raise KeyboardInterrupt",
    "exception_that_equals": "class X(AssertionError):\n    def __eq__(s, o): return True\ndef NAME(*a): raise X",
    "exception_whose_text_fails": "class X(Exception):\n    def __str__(s): raise s\n    __repr__ = __str__\ndef NAME(*a): raise X",
    "exception_returned": "def NAME(*a): return AssertionError()",
    "infinite_output": "def NAME(*a):\n    while True: print('x' * 1000)",
    "infinite_loop": "def NAME(*a):\n    while True: pass",
    "recursion": "def NAME(*a): return NAME(*a)",
    "memory": "def NAME(*a): return [0] * 10**9",
    "no_function": "pass",
    "function_that_is_no_function": "NAME = 3",
    "class_as_function": EQUAL + "NAME = type('NAME', (E,), {'__init__': lambda s, *a: None})",
    "generator": "def NAME(*a):\n    yield 2\n    yield 7",
    "endless_generator": "def NAME(*a):\n    while True: yield 2",
    "itself": "def NAME(*a): return NAME",
    "not_implemented": "def NAME(*a): return NotImplemented",
    "ellipsis": "def NAME(*a): return ...",
    "inside_itself": "def NAME(*a):\n    x = []\n    x.append(x)\n    return x",
    "nested_deeply": "def NAME(*a):\n    x = []\n    for _ in range(5000): x = [x]\n    return x",
    # what the host has to read
    "forged_result_of_many_digits": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['carried', 'v', [10**5000], None]\ndef NAME(*a): return bytearray(1)",
    "forged_change_of_many_digits": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['carried', 'v', [1], ['v', [10**5000]]]\ndef NAME(*a): return bytearray(1)",
    "forged_exception_of_many_digits": "import sys\nsys.modules['azr.evals.guest.candidate'].call = lambda *a: ['raised', 'x', 'y', ['v', [10**5000]], 'm']\ndef NAME(*a): return bytearray(1)",
    "numbers_whose_hashes_collide": "def NAME(*a): return [{k * (2**61 - 1) for k in range(1, 2000)}] * 8",
    "empty_list": "def NAME(*a): return []",
    "list_of_an_empty_list": "def NAME(*a): return [[]]",
    # more than one call
    "last_result_kept": "seen = []\ndef NAME(*a):\n    seen.append(a)\n    return 3 if len(seen) == 1 else 5 if len(seen) == 2 else -1",
    "hostile_argument": EQUAL + "def NAME(*a):\n    for x in a:\n        if isinstance(x, list): x[:] = [E()]\n    return -1",
}  # fmt: skip


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools(sandbox=Sandbox(threads=2, limits=Limits(wall_seconds=600.0)), fuel=100_000_000)


def items(tools: Tools) -> list[tuple[str, Item]]:
    rows = [("mbpp", MBPP), ("mbpp", SETS), ("humaneval", CHECK), ("humaneval_plus", PLUS), ("livecodebench", METHOD)]
    return [(name, find(name).build([row], tools.sandbox)[0]) for name, row in rows]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_answer_talks_a_grader_into_a_score(tools: Tools, attack: str) -> None:
    answer = (ATTACKS[attack] + WRAP).replace("NAME", "add_up")
    for name, item in items(tools):
        scorer = make_scorer(find(name).scorer, tools)
        [verdict] = scorer.score([(item, answer)])
        assert verdict.score == 0.0 and verdict.reason is not Reason.CORRECT, (name, verdict)


FLOATS = {**PLUS, "test": PLUS["test"].replace("[3, 2.5]", "[3.0, 2.5]")}


@pytest.mark.parametrize("answer", ["[]", "()", "[[]]", "[3.0]", "1", "None", "'q'", "float('nan')"])
def test_no_constant_is_close_to_expected_floats(tools: Tools, answer: str) -> None:
    [item] = find("humaneval_plus").build([FLOATS], tools.sandbox)
    assert "[3.0, 2.5]" in FLOATS["test"]
    [verdict] = make_scorer("asserts", tools).score([(item, f"def add_up(a, b): return {answer}")])
    assert verdict.score == 0.0


BACK = {"task_id": 4, "text": "x", "test_list": ["assert add_up(add_up(1)) == 3"]}


@pytest.mark.parametrize(
    "result",
    [
        "[0] if x else 0", "nested(300)", "array('w', 'x')", "PythonFinalizationError", "{PythonFinalizationError: 1}",
        "10**5000", "{10**5000}",
    ],
)  # fmt: skip
def test_a_result_that_tests_hand_back_costs_its_own_row(tools: Tools, result: str) -> None:
    """The call is asked for from the host, whose Python may lack the result's class, or its depth."""
    [item] = find("mbpp").build([BACK], tools.sandbox)
    head = "from array import array\ndef nested(n):\n    x = []\n    for _ in range(n): x = [x]\n    return x\n"
    answers = [(item, f"{head}def add_up(x): return {result}"), (item, "def add_up(x): return x + 1")]
    hostile, right = make_scorer("asserts", tools).score(answers)
    assert (hostile.score, right.score) == (0.0, 1.0)


def test_the_right_answer_passes_every_style(tools: Tools) -> None:
    """So that the attacks fail for what they are."""
    add = "def NAME(a, b):\n    return tuple(x for x in a if x in b) if isinstance(a, tuple) else a + b" + WRAP
    for name, item in items(tools):
        assert make_scorer(find(name).scorer, tools).score([(item, add.replace("NAME", "add_up"))])[0].score == 1.0, (
            name
        )


def test_a_candidate_never_holds_tests_or_expected_values(tools: Tools) -> None:
    """The answer looks through every object and text that it can reach, and returns what it finds of the tests."""
    spy = (
        "import gc, sys\ndef NAME(*a):\n    texts = [o for o in gc.get_objects() if isinstance(o, (str, bytes))]\n"
        "    for o in gc.get_objects():\n        code = getattr(o, '__code__', None)\n        code = code if hasattr(code, 'co_consts') else None\n"
        "        texts += [c for c in code.co_consts if isinstance(c, str)] if code else []\n"
        "        texts += [v for v in o.values() if isinstance(v, str)] if type(o) is dict else []\n"
        "    return 'SECRET' if any('QZ' + '71' in str(t) for t in texts) else 'nothing'\n"
    )
    row = {
        "task_id": 9,
        "text": "Find.",
        "test_list": ["assert find(1) == 'nothing', 'QZ71'", "assert 'QZ71' != find(2)"],
    }
    [item] = find("mbpp").build([row], tools.sandbox)
    scorer = make_scorer("asserts", Tools(sandbox=tools.sandbox))
    assert scorer.score([(item, spy.replace("NAME", "find"))])[0].score == 1.0


def test_what_plain_data_cannot_express_is_counted_apart(tools: Tools) -> None:
    honest = "class Point:\n    def __init__(s, v): s.v = v\n    def __eq__(s, o): return s.v == o\ndef add_up(a, b): return Point(a + b)"
    [item] = find("mbpp").build([MBPP], tools.sandbox)
    [verdict] = make_scorer("asserts", tools).score([(item, honest)])
    assert (verdict.score, verdict.reason, verdict.detail) == (0.0, Reason.FOREIGN_RESULT, "Point")
    assert verdict.reason in APART


def test_tests_that_need_objects_of_the_answer_are_counted_apart(tools: Tools) -> None:
    row = {"task_id": 5, "text": "Sum.", "test_list": ["assert total(Pair(1, 2)) == 3"]}
    answer = "class Pair:\n    def __init__(s, a, b): s.a, s.b = a, b\ndef total(p): return p.a + p.b"
    [item] = find("mbpp").build([row], tools.sandbox)
    assert make_scorer("asserts", tools).score([(item, answer)])[0].reason is Reason.FOREIGN_RESULT
