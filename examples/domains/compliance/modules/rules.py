"""A small language of rules over payments, and its interpreter.

    amount <= 1000 or approved and country in ["DE", "FR"]

A rule compares fields with values and joins comparisons by `and`, `or`, `not` and parentheses. A payment is a dict
with exactly the fields of FIELDS. It is well formed or it is no payment: then `holds` raises.
"""

import re

FIELDS = {"amount": int, "age": int, "items": int, "country": str, "approved": bool}
COUNTRIES = ("DE", "FR", "IT", "PL", "US")
TOKEN = re.compile(r'\s*(<=|>=|==|!=|<|>|\(|\)|\[|\]|,|-?\d{1,9}|"[A-Za-z]*"|[a-z]+)')
COMPARE = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def well_formed(payment):
    """Whether a value is a payment: exactly the fields, of exactly their types, within bounds."""
    if type(payment) is not dict or set(payment) != set(FIELDS):
        return False
    if not all(type(payment[name]) is kind for name, kind in FIELDS.items()):
        return False
    bounded = 0 <= payment["amount"] <= 100_000 and 18 <= payment["age"] <= 120 and 1 <= payment["items"] <= 100
    return bounded and payment["country"] in COUNTRIES


def holds(rule, payment):
    """Whether a payment keeps a rule. Raises ValueError for what is no rule or no payment."""
    if not well_formed(payment):
        raise ValueError("not a payment")
    return check(rule)(payment)


def check(rule):
    """The rule as a function of a payment. Raises ValueError for what is no rule."""
    tokens = _tokens(rule)
    test, at = _either(tokens, 0)
    if at != len(tokens):
        raise ValueError(f"unexpected {tokens[at]}")
    return test


def _tokens(rule):
    if type(rule) is not str or len(rule) > 500:
        raise ValueError("a rule is a text of at most 500 characters")
    found, at = [], 0
    rule = rule.strip()
    while at < len(rule):
        match = TOKEN.match(rule, at)
        if not match:
            raise ValueError(f"cannot read {rule[at : at + 10]!r}")
        found.append(match.group(1))
        at = match.end()
    return found


def _either(tokens, at):
    tests = []
    test, at = _both(tokens, at)
    tests.append(test)
    while _peek(tokens, at) == "or":
        test, at = _both(tokens, at + 1)
        tests.append(test)
    return (lambda payment: any(test(payment) for test in tests)), at


def _both(tokens, at):
    tests = []
    test, at = _one(tokens, at)
    tests.append(test)
    while _peek(tokens, at) == "and":
        test, at = _one(tokens, at + 1)
        tests.append(test)
    return (lambda payment: all(test(payment) for test in tests)), at


def _one(tokens, at):
    token = _peek(tokens, at)
    if token == "not":
        test, at = _one(tokens, at + 1)
        return (lambda payment: not test(payment)), at
    if token == "(":
        test, at = _either(tokens, at + 1)
        if _peek(tokens, at) != ")":
            raise ValueError("a parenthesis is not closed")
        return test, at + 1
    if token not in FIELDS:
        raise ValueError(f"{token!r} is no field")
    if FIELDS[token] is bool:
        return (lambda payment: payment[token]), at + 1
    return _comparison(tokens, at + 1, token)


def _comparison(tokens, at, field):
    sign = _peek(tokens, at)
    if sign == "in":
        values, at = _list(tokens, at + 1, field)
        return (lambda payment: payment[field] in values), at
    if sign not in COMPARE or (FIELDS[field] is str and sign not in ("==", "!=")):
        raise ValueError(f"{field} cannot be compared by {sign!r}")
    value, at = _value(tokens, at + 1, field)
    return (lambda payment: COMPARE[sign](payment[field], value)), at


def _list(tokens, at, field):
    if _peek(tokens, at) != "[":
        raise ValueError("`in` needs a list")
    values = []
    while True:
        value, at = _value(tokens, at + 1, field)
        values.append(value)
        if _peek(tokens, at) == "]":
            return values, at + 1
        if _peek(tokens, at) != ",":
            raise ValueError("a list is not closed")


def _value(tokens, at, field):
    token = _peek(tokens, at)
    if FIELDS[field] is str and token.startswith('"'):
        return token[1:-1], at + 1
    if FIELDS[field] is int and token.lstrip("-").isdigit():
        return int(token), at + 1
    raise ValueError(f"{token!r} is no value of {field}")


def _peek(tokens, at):
    return tokens[at] if at < len(tokens) else ""
