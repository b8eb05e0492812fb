"""MBPP: write a short function from one sentence and three assertions; and MBPP+, with many more tests.

Sources: google-research-datasets/mbpp, config full, split test, 500 rows (CC-BY-4.0; Austin et al., arXiv 2108.07732),
and evalplus/mbppplus, split test, 378 rows (Apache-2.0; Liu et al., arXiv 2305.01210). Prompt: the sentence and its
assertions, with the request for the function; plain: both as a docstring in front of a program to be continued.
"""

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Benchmark, Item, Row, Source, column
from azr.types import Kind

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

QUESTION = (
    "{text}\n\nYour function has to pass these tests, and more that you do not see:\n\n```\n{tests}\n```\n\n"
    "Work it out step by step, then give the function in one block tagged python."
)

STOPS = ('\n"""', "\nassert", "\n```", "\nprint", "\nif __name__", "\n# Test")


def _build(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
    items = []
    for number, row in enumerate(rows):
        shown = list(column(row, number, "test_list"))
        text = str(column(row, number, "text", "prompt")).strip()
        setup = "\n".join(row.get("test_imports") or []) + "\n" + (row.get("test_setup_code") or "")
        tests = row.get("test") or "\n".join([*shown, *(row.get("challenge_test_list") or [])])
        listed = "\n".join(shown)
        facts = {"name": tested(shown, number), "before": "", "continued": "", "tests": f"{setup}\n{tests}"}
        items.append(
            Item(
                id=f"Mbpp/{column(row, number, 'task_id')}",
                question=QUESTION.format(text=text, tests=listed),
                stem=f'"""\n{text}\n{listed}\n"""\n',
                facts=facts,
            )
        )
    return items


def tested(tests: Sequence[str], number: int) -> str:
    """The function that assertions are about: the name called outermost that is no builtin, if there is one.

    MBPP's own task 126 has its answer called `sum`, and nothing else.

    Raises:
        BenchmarkError: they call none, or do not parse.
    """
    try:
        calls = [node for test in tests for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Call)]
    except SyntaxError as error:
        raise BenchmarkError(f"row {number}: its tests do not parse: {error}") from error
    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
    if not names:
        raise BenchmarkError(f"row {number}: its tests call no function")
    return next((name for name in names if name not in _OTHERS), names[0])


_OTHERS: frozenset[Any] = frozenset(
    {
        "set", "sorted", "list", "tuple", "dict", "len", "abs", "round", "sum", "min", "max", "str", "int", "float",
        "bool", "isinstance", "all", "any", "map", "zip", "range",
    }
)  # fmt: skip


MBPP = Benchmark(
    name="mbpp",
    title="MBPP",
    source=Source(
        hub="google-research-datasets/mbpp",
        local="mbpp",
        licence="CC-BY-4.0",
        config="full",
        revision="4bb6404fdc6cacfda99d4ac4205087b89d32030c",
    ),
    scorer="asserts",
    kind=Kind.INDUCTION,
    build=_build,
    max_tokens=4096,
    stops=STOPS,
)
MBPP_PLUS = Benchmark(
    name="mbpp_plus",
    title="MBPP+",
    source=Source(
        hub="evalplus/mbppplus",
        local="mbpp_plus",
        licence="Apache-2.0",
        revision="b2d74c91837c3f2a20c1299ae98133cbe7cfa077",
    ),
    scorer="asserts",
    kind=Kind.INDUCTION,
    build=_build,
    max_tokens=4096,
    stops=STOPS,
)
