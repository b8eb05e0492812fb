"""What honest answers return: each kind of result reaches the tests as the data that it is."""

# ruff: noqa: E501 - programs are data

import pytest
from azr.evals.benchmarks import find
from azr.evals.guest import carry
from azr.evals.scorers import Reason, Tools, Verdict, make_scorer


def grade(tools: Tools, tests: list[str], *answers: str) -> list[Verdict]:
    [item] = find("mbpp").build([{"task_id": 1, "text": "x", "test_list": tests}], tools.sandbox)
    return make_scorer("asserts", tools).score([(item, answer) for answer in answers])


HONEST = {
    "named_tuple": (
        "assert ends([3, 1]) == (1, 3)",
        "from collections import namedtuple\nE = namedtuple('E', 'lo hi')\ndef ends(x): return E(min(x), max(x))",
    ),
    "typed_named_tuple": (
        "assert ends([3, 1]) == (1, 3)",
        "from typing import NamedTuple\nclass E(NamedTuple):\n    lo: int\n    hi: int\ndef ends(x): return E(min(x), max(x))",
    ),
    "counter": ("assert f('aab') == {'a': 2, 'b': 1}", "from collections import Counter\ndef f(s): return Counter(s)"),
    "ordered_dict": (
        "assert f('ab') == {'b': 1, 'a': 0}",
        "from collections import OrderedDict\ndef f(s): return OrderedDict((c, i) for i, c in enumerate(s))",
    ),
    "order_of_an_ordered_dict": (
        "from collections import OrderedDict\nassert f(1) == OrderedDict([('a', 1), ('b', 2)])\n"
        "assert f(1) != OrderedDict([('b', 2), ('a', 1)])",
        "from collections import OrderedDict\ndef f(s): return OrderedDict([('a', 1), ('b', 2)])",
    ),
    "default_dict": (
        "assert f('ab') == {'a': [0], 'b': [1]}",
        "from collections import defaultdict\ndef f(s):\n    d = defaultdict(list)\n"
        "    for i, c in enumerate(s): d[c].append(i)\n    return d",
    ),
    "deque": ("assert list(f([1, 2])) == [2, 1]", "from collections import deque\ndef f(x): return deque(x[::-1], 5)"),
    "int_enum": ("assert f(1) == 2", "import enum\nclass E(enum.IntEnum): A = 2\ndef f(x): return E.A"),
    "str_enum": ("assert f(1) == 'a'", "import enum\nclass E(str, enum.Enum): A = 'a'\ndef f(x): return E.A"),
    "fraction": ("assert f(1) == 0.5", "from fractions import Fraction\ndef f(x): return Fraction(x, 2)"),
    "decimal": ("assert f(1) == 1", "from decimal import Decimal\ndef f(x): return Decimal('1.00')"),
    "date": (
        "import datetime\nassert f(1) == datetime.date(2024, 2, 29)",
        "import datetime\ndef f(x): return datetime.date(2024, 2, 28) + datetime.timedelta(days=x)",
    ),
    "not_a_number": ("import math\nassert math.isnan(f(1))", "def f(x): return float('nan')"),
    "infinity": ("assert f(1) == [float('inf'), -1]", "def f(x): return [float('inf'), -1]"),
    "complex": ("assert f(1) == 1j", "def f(x): return complex(0, x)"),
    "large_integer": ("assert f(5000) == 10 ** 5000", "def f(n): return 10 ** n"),
    "range": ("assert list(f(3)) == [0, 1, 2]", "def f(n): return range(n)"),
    "generator": ("assert list(f(3)) == [0, 1, 2]", "def f(n):\n    for i in range(n): yield i"),
    "map": ("assert tuple(f([1, 2])) == (2, 3)", "def f(x): return map(lambda v: v + 1, x)"),
    "dict_keys": ("assert sorted(f({2: 1, 1: 2})) == [1, 2]", "def f(d): return d.keys()"),
    "bytearray": ("assert f(1) == b'ab'", "def f(x): return bytearray(b'ab')"),
    "surrogate": ("assert f(1) == chr(0xD800)", "def f(x): return chr(0xD800)"),
    "sets_in_sets": ("assert f(1) == {frozenset({1}), frozenset({2})}", "def f(x): return {frozenset({2}), frozenset({1})}"),
    "nested": ("x = f(90)\nfor _ in range(90): [x] = x\nassert x == 1", "def f(n):\n    x = 1\n    for _ in range(n): x = [x]\n    return x"),
    "deeply_nested": ("x = f(300)\nfor _ in range(300): [x] = x\nassert x == 1", "def f(n):\n    x = 1\n    for _ in range(n): x = [x]\n    return x"),
    "a_class_of_pythons_own": ("assert f(1) is int", "def f(x): return type(x)"),
    "none": ("assert f(1) is None", "def f(x): return None"),
    "in_place": ("x = [3, 1]\nf(x)\nassert x == [1, 3]", "def f(x): x.sort()"),
    "in_place_dict": ("d = {1: [1], 2: 2}\nf(d)\nassert d == {1: [1, 5], 3: 3}", "def f(d):\n    d[1].append(5)\n    del d[2]\n    d[3] = 3"),
    "in_place_inner_list": ("a = [1]\nx = [a]\nf(x)\nassert a == [1, 2]", "def f(x): x[0].append(2)"),
    "in_place_set": ("s = {1}\nf(s)\nassert s == {1, 2}", "def f(s): s.add(2)"),
    "the_argument_itself": ("x = [2, 1]\nassert f(x) is x and x == [1, 2]", "def f(x):\n    x.sort()\n    return x"),
    "another_list": ("x = [2, 1]\ny = f(x)\nassert y is not x and y == [1, 2] and x == [2, 1]", "def f(x): return sorted(x)"),
    "argument_kept": ("x = [2, 1]\nassert f(x) == [1, 2]\nassert x == [2, 1]", "def f(x): return sorted(x)"),
    "keywords": ("assert f(1, b=2) == 3 and f(b=1, a=1) == 2", "def f(a, b): return a + b"),
    "exception": (
        "try:\n    f(0)\n    assert False\nexcept ZeroDivisionError as error:\n    assert 'zero' in str(error)",
        "def f(x): return 1 / x",
    ),
    "exception_with_arguments": (
        "try:\n    f(0)\nexcept ValueError as error:\n    assert error.args == (1, [2])\nelse:\n    assert False",
        "class Own(ValueError): pass\ndef f(x): raise Own(1, [2])",
    ),
    "calls_that_follow_from_results": ("x = 1\nfor _ in range(5): x = f(x)\nassert x == 32", "def f(x): return 2 * x"),
    "calls_in_a_loop": ("import random\nfor i in range(40):\n    n = random.randint(0, 9)\n    assert f(n) == n + 1", "def f(n): return n + 1"),
    "result_of_a_result": ("assert f(f([1])) == [1, 1, 1, 1]", "def f(x): return x + x"),
    "same_call_twice": ("a = f([1])\na.append(9)\nassert f([1]) == [1, 1]", "def f(x): return x + x"),
    "output": ("assert f(1) == 1", "def f(x):\n    print('noise')\n    return x"),
    "state_is_fresh": ("assert f(1) == [1]\nassert f(2) == [2]", "def f(x, seen=[]):\n    seen.append(x)\n    return seen"),
    "helpers_and_constants": ("assert f(2) == 12", "K = 3\ndef g(x): return x * K\ndef f(x): return g(x) * 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_result_passes(tools: Tools, name: str) -> None:
    tests, answer = HONEST[name]
    [right, wrong] = grade(
        tools, [tests.replace("ends", "f")], answer.replace("ends", "f"), "def f(*a, **k): return object"
    )
    assert right.score == 1.0, right
    assert wrong.score == 0.0


def test_an_exception_that_no_test_expects_is_told_by_its_name(tools: Tools) -> None:
    [verdict] = grade(tools, ["assert f(1) == 1"], "class Own(Exception): pass\ndef f(x): raise Own('why')")
    assert (verdict.reason, verdict.detail) == (Reason.RAISED, "Own: why")


def test_equal_answers_are_judged_once_and_all_get_the_verdict(tools: Tools) -> None:
    good, bad = "def f(x): return x", "def f(x): return -x"
    verdicts = grade(tools, ["assert f(1) == 1", "assert f(2) == 2"], good, bad, good, bad)
    assert [verdict.score for verdict in verdicts] == [1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1, 2**70, -(2**70), 0.1, -0.0, float("inf"), 1j, "a\x00\u20ac", "\ud800", b"\xff", [1, [2]], (), {1, 2},
        {"a": {(1, 2): [None]}}, frozenset({3}), range(3), ...,
    ],
)  # fmt: skip
def test_what_is_carried_comes_back_as_it_was(value: object) -> None:
    codes, items = carry.encode(value)
    [again] = carry.decode(codes, items)
    assert type(again) is type(value) and repr(again) == repr(value)


def test_an_object_of_an_own_class_is_not_carried() -> None:
    class Own:
        __class__ = int  # type: ignore[assignment]

    with pytest.raises(carry.Foreign, match="Own"):
        carry.encode([Own()])
