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
        ("def f(x):\n    x = sorted(x)[1:]\n    x = x * 2\n    return sum(x)", "[3, 1]", ["[3]", "[3, 3]", "6"]),
        ("def f(x):\n    x = [v + 1 for v in x]\n    return x", "[1, 2]", ["[2, 3]"]),
        ("def f(x):\n    if len(x) > 5:\n        x = 'a'\n    else:\n        x *= 2\n    return x", "'b'", ["'bb'"]),
        ("def f(x):\n    for i in (1, 2):\n        x += i * x\n    return x", "1", ["2", "6"]),
        ("def f(x):\n    return 0", "1", ["0"]),
        ("def f(x):\n    y: int = x - 1\n    return x * f(y) if y else 1", "3", ["2", "1", "0", "6"]),
        ("def g(x):\n    y = x + 1\n    return y\ndef f(x):\n    x = g(x)\n    return f'{x + 1}'", "1", ["2", "'3'"]),
    ],
    ids=["nested", "comprehension", "condition", "loop", "constant", "recursion", "helper"],
)  # fmt: skip
def test_the_values_of_the_lines_come_in_the_order_of_evaluation(
    sandbox: Sandbox, program: str, call: str, values: list[str]
) -> None:
    assert traced(sandbox, program, call) == values


def test_only_what_a_line_gives_a_name_is_recorded(sandbox: Sandbox) -> None:
    program = "def f(x):\n    d = {}\n    d[x], *r = [x + 1, 2]\n    h = len\n    del d[x]\n    x: int\n    return h(r)"
    assert traced(sandbox, program, "3") == ["{}", "<built-in function len>", "1"]


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
        lines = chain.source.count(" = ")
        assert len(between) <= lines
