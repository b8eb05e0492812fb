"""Whether two parsed answers are the same: numbers exactly, or as near as they are given; sets and relations too.

The library compares numbers to six places after the point, which makes all small numbers one. Numbers are compared here
instead, wherever they stand: alone, in tuples, sets, intervals, matrices, and on the right of equations.
"""

from collections.abc import Sequence
from typing import Any, Final

NEAR: Final = 2e-7
"""How far a decimal fraction may be, relatively, from what it is an approximation of."""
EXACT: Final = 1e-25
DIGITS: Final = 50


def same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Whether what the library read from the answers is the same."""
    from math_verify import verify

    gold, answer = left[0], right[0]
    if _is_number(gold) and _is_number(answer):
        return near(gold, answer)
    if (sets := _both_sets(gold, answer)) is not None:
        return bool(sets[0] == sets[1]) and not _differ(*sets)
    if _contradicts(gold, answer):
        return False
    agree = verify(list(left), list(right), allow_set_relation_comp=True, timeout_seconds=None)
    return bool(agree) and not _differ(gold, answer)


def near(left: Any, right: Any) -> bool:
    """Whether two numbers are the same; a decimal fraction may stand for a number that has none."""
    (a, given), (b, also_given) = _exact(left), _exact(right)
    if a.is_Rational and b.is_Rational and (given == also_given or (_is_decimal(a) and _is_decimal(b))):
        return bool(a == b)
    if not a.is_finite or not b.is_finite:
        return bool(a == b)
    size = max(abs(a.evalf(DIGITS)), abs(b.evalf(DIGITS)))
    bound = NEAR if given != also_given else EXACT
    return bool(abs((a - b).evalf(DIGITS)) <= bound * size)


def _exact(number: Any) -> tuple[Any, bool]:
    """A number with its decimals as fractions, and whether it had any."""
    from sympy import Float, Rational

    decimals = {part: Rational(str(part)) for part in number.atoms(Float)}
    return number.xreplace(decimals).doit(), bool(decimals)


def _is_decimal(number: Any) -> bool:
    """Whether a fraction has a finite decimal form."""
    rest = int(number.q)
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _is_number(value: Any) -> bool:
    from sympy import Expr

    return isinstance(value, Expr) and not value.free_symbols and bool(value.is_number)


def _both_sets(gold: Any, answer: Any) -> tuple[Any, Any] | None:
    """Both as sets of numbers, where one is a relation and the other a relation or an interval; else None."""
    from sympy import And, Interval, Or, Union
    from sympy.core.relational import Relational

    def is_relation(value: Any) -> bool:
        inequality = isinstance(value, Relational) and value.rel_op in ("<", "<=", ">", ">=")
        return inequality or (isinstance(value, And | Or) and all(is_relation(part) for part in value.args))

    sides = [_joined(gold), _joined(answer)]
    if not any(map(is_relation, sides)) or not all(is_relation(s) or isinstance(s, Interval | Union) for s in sides):
        return None
    names: set[Any] = set().union(*(side.free_symbols for side in sides))
    if any(len(side.free_symbols) > 1 for side in sides) or len(names) > 1:
        return None
    try:
        first, second = (side.as_set() if is_relation(side) else side for side in sides)
    except (NotImplementedError, ValueError, TypeError):
        return None
    return first, second


def _joined(value: Any) -> Any:
    """A list of relations as one that holds where one of them does."""
    from sympy import FiniteSet, Or
    from sympy.core.relational import Relational

    if isinstance(value, FiniteSet) and len(value) and all(isinstance(part, Relational) for part in value):
        return Or(*value)
    return value


def _contradicts(gold: Any, answer: Any) -> bool:
    """Whether equations on one side say something else than the number on the other, or something false beside it."""
    from sympy import And, Equality

    if isinstance(gold, Equality) and _is_number(answer):
        return _solves_to_others(gold, answer)
    if not _is_number(gold):
        return False
    equations = list(answer.args) if isinstance(answer, And) else [answer]
    if not all(isinstance(equation, Equality) for equation in equations):
        return False
    sides = [side for equation in equations for side in equation.args]
    if any(_is_number(side) and not near(gold, side) for side in sides):
        return True
    return any(_solves_to_others(equation, gold) for equation in equations)


def _solves_to_others(equation: Any, gold: Any) -> bool:
    """Whether an equation in one unknown has other solutions than the gold number."""
    from sympy import FiniteSet, S, Symbol, solveset
    from sympy.core.function import AppliedUndef

    unknowns = equation.free_symbols
    if len(unknowns) != 1 or isinstance(equation.lhs, Symbol) or isinstance(equation.rhs, Symbol):
        return False
    if equation.atoms(AppliedUndef) or str(equation.lhs.func) in ("sin", "cos", "tan", "log"):
        return False
    (unknown,) = unknowns
    real = Symbol("x", real=True)
    plain = equation.xreplace({unknown: real})
    found = solveset(plain.lhs - plain.rhs, real, S.Reals)
    return not (isinstance(found, FiniteSet) and len(found) == 1 and near(gold, next(iter(found))))


def _differ(gold: Any, answer: Any) -> bool:
    """Whether numbers that stand at the same place differ, in answers that the library calls the same."""
    from sympy import Equality, FiniteSet, Interval, MatrixBase, Tuple

    if isinstance(gold, Equality) and (not isinstance(answer, Equality) or gold.lhs == answer.lhs):
        gold = gold.rhs
        answer = answer.rhs if isinstance(answer, Equality) else answer
    elif isinstance(answer, Equality) and not isinstance(gold, Equality):
        answer = answer.rhs
    if isinstance(gold, Interval) and isinstance(answer, Interval):
        return _differ(gold.start, answer.start) or _differ(gold.end, answer.end)
    if (isinstance(gold, MatrixBase) and isinstance(answer, MatrixBase)) or (
        isinstance(gold, Tuple) and isinstance(answer, Tuple)
    ):
        return len(gold) == len(answer) and any(map(_differ, gold, answer))
    if isinstance(gold, FiniteSet) and isinstance(answer, FiniteSet):
        return any(all(_differ(part, other) for other in answer) for part in gold)
    return _is_number(gold) and _is_number(answer) and not near(gold, answer)
