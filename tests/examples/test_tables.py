"""The table domain: its library, values of its type, and attacks on its checks."""

from collections.abc import Callable, Sequence

import pytest
from azr.domains.domain import Domain
from azr.tasks.io import verify
from azr.types import Answer, Draft, Kind, Task

NAME = "tables"
Check = Callable[[Task, Sequence[str]], list[Answer]]
HEAD = "from tables import Table, mean\n\ndef f(rows):\n    t = Table(['item', 'count'], rows)\n    return "
ROWS = "[['tea', 3], ['rice', 5], ['tea', 4]]"
PLAIN = "('Table', {'columns': ['item', 'count'], 'rows': [['tea', 7], ['rice', 5]]})"


def make(example: Domain, expression: str, kind: str = "deduction", inputs: tuple[str, ...] = (ROWS,)) -> Task:
    draft = Draft(program=HEAD + expression, inputs=inputs, message="m")
    (made,) = verify([(Kind(f"tables.{kind}"), draft)], example.kinds, example.sandbox)
    assert isinstance(made, Task), made
    return made


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("t.column('item')", ["tea", "rice", "tea"]),
        ("t.where('item', 'tea').column('count')", [3, 4]),
        ("t.where('count', lambda n: n > 3).rows", [["rice", 5], ["tea", 4]]),
        ("t.sort('count', reverse=True).column('count')", [5, 4, 3]),
        ("t.group('item', 'count', mean).rows", [["tea", 3.5], ["rice", 5.0]]),
        ("t.select('count').columns", ["count"]),
        ("t.join(Table(['item', 'price'], [['tea', 2]]), 'item').rows", [["tea", 3, 2], ["tea", 4, 2]]),
        ("len(t)", 3),
        ("mean([])", 0),
    ],
)
def test_queries_give_what_they_say(example: Domain, expression: str, value: object) -> None:
    assert make(example, expression).outputs[0].to_python() == value


def test_a_table_is_a_value_of_the_domain(example: Domain, check: Check) -> None:
    task = make(example, "t.group('item', 'count', sum)")
    assert task.outputs[0].repr == PLAIN
    assert [answer.score for answer in check(task, [PLAIN, PLAIN.replace("7", "8")])] == [1.0, 0.0]


DEDUCTION_ATTACKS = {
    "the table itself": "Table(['item', 'count'], [['tea', 7], ['rice', 5]])",
    "the query": "t.group('item', 'count', sum)",
    "the type's name alone": "'Table'",
    "an encoding of another type": PLAIN.replace("'Table'", "'Tables'"),
    "a list for the pair": PLAIN.replace("(", "[").replace(")", "]"),
    "whole numbers as fractions": PLAIN.replace("7", "7.0"),
    "true for one": PLAIN.replace("5]", "True]"),
    "rows in another order": "('Table', {'columns': ['item', 'count'], 'rows': [['rice', 5], ['tea', 7]]})",
    "a thing equal to all": "type('E', (), {'__eq__': lambda s, o: True})()",
    "code": "__import__('tables').__dict__.clear()",
    "both answers": PLAIN + " or " + PLAIN,
}


@pytest.mark.parametrize("name", DEDUCTION_ATTACKS)
def test_an_attack_on_the_comparison_scores_0(example: Domain, check: Check, name: str) -> None:
    (answer,) = check(make(example, "t.group('item', 'count', sum)"), [DEDUCTION_ATTACKS[name]])
    assert answer.score == 0.0, answer


ABDUCTION_ATTACKS = {
    "changes the class": "setattr(Table, 'column', lambda s, n: [1, 2, 3]) or []",
    "changes the program": "f.__globals__.update(Table=None) or []",
    "changes the encoder": "__import__('_azr_types').__dict__.update(plain=lambda v: [1, 2, 3]) or []",
    "is a list that lies": "type('L', (list,), {'__iter__': lambda s: iter([['a', 1]])})()",
    "assigns": "(Table := None)",
    "is two calls": "[]), f([]",
    "raises": "1 / 0",
    "is the output": "[1, 2, 3]",
    "is a comprehension": "[[n, n] for n in [1, 2, 3]]",
    "is nothing": "",
}


@pytest.mark.parametrize("name", ABDUCTION_ATTACKS)
def test_an_attack_by_arguments_scores_0(example: Domain, check: Check, name: str) -> None:
    task = make(example, "t.column('count')", "abduction", ("[['a', 1], ['b', 2], ['c', 3]]",))
    right, attack = check(task, ["[['x', 1], ['y', 2], ['z', 3]]", ABDUCTION_ATTACKS[name]])
    assert right.score == 1.0 and attack.score == 0.0, attack


PAIRS = tuple(f"[['tea', {n}], ['rice', {n * n}]]" for n in range(10))
INDUCTION_ATTACKS = {
    "repeats what was shown": "def f(rows):\n    return {0: 0, 1: 2, 2: 6, 3: 12, 4: 20}.get(rows[0][1])",
    "returns a thing equal to all": (
        "class E:\n    def __eq__(self, other):\n        return True\n\ndef f(rows):\n    return E()"
    ),
    "changes the library": (
        "import tables\ntables.to_plain = lambda t: 0\n\ndef f(rows):\n    return tables.Table(['a'], [])"
    ),
    "looks for the pairs": "import sys\n\ndef f(rows):\n    return sys._getframe(1).f_locals",
    "ends the program": "import sys\n\ndef f(rows):\n    sys.exit(0)",
    "defines nothing": "x = 1",
    "is no program": "def f(rows",
    "undoes the encoder": "import _azr_types\n_azr_types.wrap = lambda f: (lambda *a: 0)\n\ndef f(rows):\n    return 0",
    "never returns": "def f(rows):\n    return f(rows)",
    "returns nothing": "def f(rows):\n    return None",
}


@pytest.mark.parametrize("name", INDUCTION_ATTACKS)
def test_an_attack_by_a_program_scores_0(example: Domain, check: Check, name: str) -> None:
    task = make(example, "sum(t.column('count'))", "induction", PAIRS)
    right, attack = check(task, [task.program, INDUCTION_ATTACKS[name]])
    assert right.score == 1.0 and attack.score == 0.0, attack
