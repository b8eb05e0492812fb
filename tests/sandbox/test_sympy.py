"""The guest's whole-number functions under sympy's name answer as sympy does."""

import random
import warnings

import pytest
import sympy
import sympy.ntheory
from azr.sandbox import OutcomeKind, Request, Sandbox

pytestmark = pytest.mark.slow
RANDOM = random.Random(7)
NUMBERS = [*range(-30, 400), *(RANDOM.randrange(10**digits) for digits in range(3, 16) for _ in range(6))]
PAIRS = [(a, b) for a in range(-9, 28) for b in range(-9, 28)]
LARGE = [RANDOM.getrandbits(bits) | 1 for bits in range(70, 260, 4) for _ in range(8)]
PRIMES = [int(sympy.nextprime(RANDOM.getrandbits(bits))) for bits in range(62, 160, 14)]

FUNCTIONS = {
    "isprime": [(n,) for n in NUMBERS + LARGE + PRIMES],
    "nextprime": [(n,) for n in NUMBERS] + [(n, k) for n in (-5, 1, 2, 90) for k in (1, 2, 7)],
    "prevprime": [(n,) for n in NUMBERS],
    "prime": [(n,) for n in range(-1, 3000, 13)],
    "composite": [(n,) for n in range(-1, 200)],
    "primerange": [*PAIRS, (50,), (100, 200), (10**9, 10**9 + 200)],
    "primorial": [(n,) for n in range(-1, 40)] + [(n, False) for n in range(-1, 40)],
    "factorint": [(n,) for n in NUMBERS],
    "primefactors": [(n,) for n in NUMBERS],
    "divisors": [(n,) for n in NUMBERS] + [(n, False, True) for n in range(30)],
    "proper_divisors": [(n,) for n in NUMBERS],
    "multiplicity": PAIRS,
    "perfect_power": [(n,) for n in NUMBERS]
    + [(sign * base**power,) for sign in (1, -1) for base in (2, 6, 30) for power in range(2, 14)],
    "integer_nthroot": [*PAIRS, *((n, k) for n in LARGE for k in (2, 3, 5))],
    "igcd": PAIRS,
    "ilcm": PAIRS,
    "mod_inverse": [(a, b) for a, b in PAIRS if b],
}
OF_NTHEORY = {
    "digits": [(n,) for n in NUMBERS] + [(n, 2, 12) for n in range(3000, 5000, 100)],
    "is_palindromic": [(n,) for n in NUMBERS],
    "abundance": [(n,) for n in NUMBERS if n],
    "is_perfect": [(n,) for n in NUMBERS],
    "is_abundant": [(n,) for n in NUMBERS if n],
    "is_deficient": [(n,) for n in NUMBERS if n],
}

PROGRAM = """
from {module} import {name}

def f(cases):
    answers = []
    for case in cases:
        try:
            answer = {name}(*case)
            answers.append(sorted(answer) if hasattr(answer, '__next__') else answer)
        except Exception as error:
            answers.append(type(error).__name__)
    return answers
"""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(threads=2)


@pytest.mark.parametrize(
    ("module", "name", "cases"),
    [("sympy", *item) for item in FUNCTIONS.items()] + [("sympy.ntheory", *item) for item in OF_NTHEORY.items()],
)
def test_every_function_answers_and_fails_as_sympys(sandbox: Sandbox, module: str, name: str, cases: list) -> None:
    scope: dict = {}
    program = PROGRAM.format(module=module, name=name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(program, scope)
        wanted = [scope["f"]([case]) for case in cases]
    outcomes = sandbox.run_batch([Request(program=program, call=f"[{case!r}]") for case in cases])
    got = [outcome.value.to_python() if outcome.value else outcome for outcome in outcomes]
    differ = [(case, want, found) for case, want, found in zip(cases, wanted, got, strict=True) if want != found]
    assert not differ
    types = {(type(want[0]), type(found[0])) for want, found in zip(wanted, got, strict=True)}
    assert all(want is found for want, found in types)


def test_factors_of_a_negative_number_come_in_sympys_order(sandbox: Sandbox) -> None:
    program = "from sympy import factorint\ndef f(n):\n    return list(factorint(n)), factorint(n, multiple=True)"
    outcome = sandbox.run(program, call="-720720")
    assert outcome.value is not None
    assert outcome.value.to_python() == (list(sympy.factorint(-720720)), sympy.factorint(-720720, multiple=True))


@pytest.mark.parametrize(
    "program",
    [
        "from sympy import symbols",
        "import sympy\nsympy.symbols('x')",
        "from sympy.ntheory import totient",
        "import sympy.abc",
    ],
)
def test_what_is_not_there_is_a_missing_module(sandbox: Sandbox, program: str) -> None:
    outcome = sandbox.run(program, call=None)
    assert (outcome.kind, outcome.exception) == (OutcomeKind.RAISED, "ModuleNotFoundError")
    assert outcome.message is not None and "No module named 'sympy." in outcome.message


def test_whoever_asks_whether_something_is_there_is_answered(sandbox: Sandbox) -> None:
    outcome = sandbox.run("import sympy\ndef f():\n    return hasattr(sympy, '__wrapped__')", call="")
    assert outcome.value is not None and outcome.value.to_python() is False
