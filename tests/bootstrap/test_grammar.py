"""The grammar's programs."""

import ast

import numpy as np
import pytest
from azr.bootstrap.grammar import OPERATIONS, Chain, Step, draw_chain, draw_input
from azr.sandbox import Request, Sandbox, Value


def chains(count: int, seed: int = 0) -> list[Chain]:
    rng = np.random.default_rng(seed)
    return [draw_chain(rng) for _ in range(count)]


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def test_same_seed_same_programs() -> None:
    assert chains(50) == chains(50) and chains(50) != chains(50, seed=1)


def test_the_trace_ends_where_the_program_ends(sandbox: Sandbox) -> None:
    """Steps written inside one another do what they do one after the other."""
    rng = np.random.default_rng(2)
    drawn = chains(300)
    values = [draw_input(chain.takes, rng) for chain in drawn]
    traced = sandbox.run_batch(
        [Request(program=c.tracer(), call=repr([v])) for c, v in zip(drawn, values, strict=True)]
    )
    plain = sandbox.run_batch([Request(program=c.source, call=repr(v)) for c, v in zip(drawn, values, strict=True)])
    for chain, value, rows, result in zip(drawn, values, traced, plain, strict=True):
        assert rows.value is not None and result.value is not None, chain.source
        (row,) = rows.value.to_python()  # type: ignore[misc]
        assert row[0] == value and len(row) == len(chain.steps) + 1
        assert Value.of(row[-1]) == result.value, chain.source


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.takes}-{o.word}-{o.gives}")
def test_every_operation_is_total_on_its_type_and_keeps_its_word(operation: object, sandbox: Sandbox) -> None:
    assert isinstance(operation, type(OPERATIONS[0]))
    rng = np.random.default_rng(3)
    text = operation.template.replace("{c}", "1" if "'{c}'" not in operation.template else "a").replace("{d}", "b")
    chain = Chain(operation.takes, (Step(operation.word, text, operation.closed),), "")
    edges = {"list": [[], [0], [9, 9, 9]], "int": [0, -7, 999], "text": ["", "a", "BB"]}[operation.takes]
    given = edges + [draw_input(operation.takes, rng) for _ in range(20)]
    outcome = sandbox.run(chain.tracer(), call=repr(given))
    assert outcome.value is not None, outcome
    gives = {"list": list, "int": int, "text": str}[operation.gives]
    assert all(type(row[-1]) is gives for row in outcome.value.to_python())  # type: ignore[attr-defined]


def test_programs_are_plain_functions_of_one_argument() -> None:
    for chain in chains(300):
        (function,) = ast.parse(chain.source).body
        assert isinstance(function, ast.FunctionDef) and function.name == "f" and len(function.args.args) == 1


def test_most_programs_are_distinct() -> None:
    assert len({chain.source for chain in chains(2000)}) > 1000
