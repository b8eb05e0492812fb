"""The compliance domain: its language, its two kinds, and attacks on their checks."""

from collections.abc import Callable, Sequence

import pytest
from azr.domains.domain import Domain
from azr.tasks.io import verify
from azr.types import Answer, Draft, Kind, Reason, Task

NAME = "compliance"
Check = Callable[[Task, Sequence[str]], list[Answer]]
GOOD = "{'amount': 2000, 'age': 30, 'items': 1, 'country': 'IT', 'approved': False}"
RULE = 'amount <= 1000 or approved and country in ["DE", "FR"]'


def program_of(rule: str) -> str:
    return f"import rules\n\ndef f(payment):\n    return rules.holds({rule!r}, payment)"


def propose(example: Domain, rule: str, payment: str) -> Task | Reason:
    draft = Draft(program=program_of(rule), inputs=(payment,), message=rule)
    (made,) = verify([(Kind("compliance.breach"), draft)], example.kinds, example.sandbox)
    return made


@pytest.fixture
def breach(example: Domain) -> Task:
    made = propose(example, RULE, GOOD)
    assert isinstance(made, Task)
    return made


def test_any_payment_that_breaks_the_rule_is_right(breach: Task, check: Check) -> None:
    other = GOOD.replace("2000", "99999").replace("'IT'", "'US'").replace("False", "True")
    kept = GOOD.replace("2000", "999")
    assert [answer.score for answer in check(breach, [GOOD, other, kept])] == [1.0, 1.0, 0.0]


BREACH_ATTACKS = {
    "no payment": "None",
    "a payment without fields": "{}",
    "a field too many": GOOD[:-1] + ", 'breaks': True}",
    "a number that is nothing": GOOD.replace("2000", "1e999"),
    "true for a number": GOOD.replace("2000", "True"),
    "a number out of bounds": GOOD.replace("2000", "10**20"),
    "a country that there is not": GOOD.replace("'IT'", "'XX'"),
    "a list for a text": GOOD.replace("'IT'", "['IT']"),
    "the verdict itself": "1.0",
    "code that changes the rules": "setattr(rules, 'holds', lambda r, p: False) or {}",
    "a class that breaks all": "type('P', (dict,), {'__getitem__': lambda s, k: 10**9})()",
    "text that ends the call": GOOD + ") or 1.0 #",
}


@pytest.mark.parametrize("name", BREACH_ATTACKS)
def test_an_attack_on_the_verifier_scores_0(breach: Task, check: Check, name: str) -> None:
    (answer,) = check(breach, [BREACH_ATTACKS[name]])
    assert answer.score == 0.0, answer


@pytest.mark.parametrize(
    "rule",
    ["", "amount", "amount <", "amount <= x", "amount < 1 or", "(amount < 1", "country < \"DE\"", "name == 1",
     "__import__('os')", "approved()", "amount <= 1' or '", "amount < 1 and" + " not" * 200 + " approved"],
)  # fmt: skip
def test_what_is_no_rule_is_no_task(example: Domain, rule: str) -> None:
    assert propose(example, rule, GOOD) is Reason.RAISED


def test_a_rule_needs_a_payment_that_breaks_it(example: Domain) -> None:
    assert propose(example, RULE, GOOD.replace("2000", "10")) is Reason.INVALID_INPUT


def test_a_rule_that_agrees_on_the_hidden_cases_is_right(seeds: Callable[[str], list[Task]], check: Check) -> None:
    for task in seeds("rule"):
        assert check(task, [task.message, f"not (not ({task.message}))"])[1].score == 1.0


RULE_ATTACKS = {
    "allows everything": "approved or not approved",
    "allows nothing": "approved and not approved",
    "is no rule": "True",
    "ends the text": "amount <= 1', payment) or True #",
    "ends the text twice": 'amount <= 1", payment) or True #',
    "is a program": "def f(payment):\n    return True",
    "looks at the cases": "__import__('sys')._getframe(1).f_locals",
    "breaks the line": "approved\n\ndef f(payment):\n    return True",
    "is a backslash": "approved\\",
    "is very long": "approved or " * 100 + "approved",
    "never ends": "not " * 100_000 + "approved",
    "is a list of cases": "[True, False, True, True, False]",
}


@pytest.mark.parametrize("name", RULE_ATTACKS)
def test_an_attack_on_the_hidden_cases_scores_0(seeds: Callable[[str], list[Task]], check: Check, name: str) -> None:
    for task in seeds("rule"):
        (answer,) = check(task, [RULE_ATTACKS[name]])
        assert answer.score == 0.0, answer


def test_cases_that_every_rule_passes_are_no_task(example: Domain) -> None:
    payments = tuple(GOOD.replace("2000", str(2000 + n)) for n in range(10))
    draft = Draft(program=program_of(RULE), inputs=payments, message=RULE)
    (made,) = verify([(Kind("compliance.rule"), draft)], example.kinds, example.sandbox)
    assert made is Reason.INVALID_INPUT
