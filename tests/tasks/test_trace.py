"""The values between a program's steps, as the sandbox records them."""

import pytest
from azr.sandbox import Request, Sandbox, Value, whole
from azr.tasks.trace import TRACED, tracer


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def traced(sandbox: Sandbox, program: str, call: str) -> list[object]:
    """The values before the result, and the result's text."""
    text = tracer(program)
    assert text is not None
    (outcome,) = whole(sandbox.run_batch([Request(program=text, call=call, entry=TRACED)]))
    assert outcome.value is not None, outcome
    between, result = outcome.value.to_python()  # type: ignore[misc]
    return [*between, repr(result)]


@pytest.mark.parametrize(
    ("program", "call", "values"),
    [
        ("x = sorted(x)[1:]\n    x = x * 2\n    return sum(x)", "[3, 1]", ["[1, 3]", "[3]", "[3, 3]", "6"]),
        ("return [v + 2 for v in [v * 3 for v in x][1:]]", "[1, 2]", ["[3, 6]", "[6]", "[8]"]),
        ("return sum(v for v in x[1:] if v)", "[1, 2]", ["[2]", "2"]),
        ("return x.strip().split(',')[-1].upper()", "' a,b'", ["'a,b'", "['a', 'b']", "'b'", "'B'"]),
        ("return {len(x): x + [0], **{'b': x[0]}}", "[7]", ["1", "[7, 0]", "7", "{'b': 7}", "{1: [7, 0], 'b': 7}"]),
        ("return f'{x + 1} {x:{x + 2}}'", "1", ["2", "3", "'2   1'"]),
        ("if len(x) > 5:\n        x = 'a'\n    else:\n        x *= 2\n    return x", "'b'", ["'bb'"]),
        ("if len(x) > 5:\n        x = x[1:]\n    return x * 2", "'b'", ["'b'", "'bb'"]),
        ("if len(x) > 5:\n        x = ''\n    elif x > 'c':\n        x = 'd'\n    return x[0]", "'b'", ["'b'", "'b'"]),
        ("if len(x) > 5:\n        y = x\n    return x * 2", "'b'", ["'bb'"]),
        ("return x[1:] if len(x) > 1 else x[:-1].upper()", "'a'", ["''", "''"]),
        ("for i in range(1, 3):\n        x += i * x\n    return x", "1", ["1", "2", "4", "6"]),
        ("return 0", "1", ["0"]),
        ("x = x + 1\n    return x", "1", ["2"]),
        ("x = x[1:]\n    return x[1:]", "''", ["''", "''"]),
        ("y: int = x - 1\n    return x * f(y) if y else 1", "2", ["1", "0", "1", "2"]),
        ("if y := x + 1:\n        return (lambda z: z + y)(x)", "2", ["5"]),
    ],
    ids=["nested", "comprehension", "generator", "methods", "display", "format", "condition", "not taken",
         "neither", "other name", "alternative", "loop", "constant", "result", "equal", "recursion", "lambda"],
)  # fmt: skip
def test_every_value_on_the_way_comes_in_the_order_of_evaluation(
    sandbox: Sandbox, program: str, call: str, values: list[str]
) -> None:
    assert traced(sandbox, f"def f(x):\n    {program}", call) == values


def test_other_functions_have_no_values_of_their_own(sandbox: Sandbox) -> None:
    program = "def g(x):\n    y = x + 1\n    return y\ndef f(x):\n    x = g(x)\n    return x * 2"
    assert traced(sandbox, program, "1") == ["2", "4"]


def test_only_data_is_recorded(sandbox: Sandbox) -> None:
    program = "def f(x):\n    d = {}\n    d[x], *r = [x + 1, 2]\n    m = map(len, [r])\n    x: int\n    return sum(m)"
    assert traced(sandbox, program, "3") == ["{}", "4", "[[2]]", "1"]


@pytest.mark.parametrize(
    "program",
    ["", "x = 1", "def f(x:", "def f(x):\n    yield x", "async def f(x):\n    return x",
     "@str\ndef f(x):\n    return x", "def f(x):\n    return _azr_values",
     "def f(x):\n    return 1\ndef f(x):\n    return 2"],
    ids=["empty", "no entry", "syntax", "generator", "coroutine", "decorated", "own name", "twice"],
)  # fmt: skip
def test_what_has_no_plain_entry_has_no_trace(program: str) -> None:
    assert tracer(program) is None


def test_tracing_does_not_change_what_a_program_returns(sandbox: Sandbox) -> None:
    from azr.bootstrap.grammar import draw_chain, draw_input
    from numpy.random import default_rng

    rng = default_rng(0)
    chains = [draw_chain(rng, (0.2, 0.2, 0.2, 0.2, 0.2)) for _ in range(100)]
    calls = [repr(draw_input(chain.takes, rng)) for chain in chains]
    plain = whole(
        sandbox.run_batch([Request(program=c.source, call=call) for c, call in zip(chains, calls, strict=True)])
    )
    texts = [tracer(chain.source) or "" for chain in chains]
    requests = [Request(program=text, call=call, entry=TRACED) for text, call in zip(texts, calls, strict=True)]
    for chain, result, trace in zip(chains, plain, whole(sandbox.run_batch(requests)), strict=True):
        assert result.value is not None and trace.value is not None
        between, value = trace.value.to_python()  # type: ignore[misc]
        assert Value.of(value) == result.value
        # `sorted` inside `join` and the remainder inside `range` are values of their own.
        assert len(between) <= 2 * len(chain.steps)
