"""Classes of one's own over built-in types: every item can be read, and ends with a value mostly."""

import ast
from itertools import chain

import compare
import draw
import overrides
import pytest

PROGRAMS = 60


def test_every_item_is_a_function_that_can_be_read_and_a_seed_repeats_it() -> None:
    items = list(chain.from_iterable(draw.program(seed, ["overrides"]) for seed in range(PROGRAMS)))
    assert items == list(chain.from_iterable(draw.program(seed, ["overrides"]) for seed in range(PROGRAMS)))
    for item in items:
        [function] = ast.parse(item).body
        assert isinstance(function, ast.FunctionDef)
        assert [node.name for node in function.body if isinstance(node, ast.ClassDef)] == ["A", "B"]


@pytest.mark.parametrize("name", overrides.BASES)
def test_every_base_makes_an_object_of_a_class_of_its_own(name: str) -> None:
    made = [
        f"def g(out):\n    class A({name}): pass\n    A({given})\n    return True" for given in overrides.BASES[name]
    ]
    [outcome] = compare.sandbox().run_batch(compare.requests([made]))
    assert compare.ends(outcome, len(made)) == ["=True"] * len(made)


def test_most_items_end_with_a_value() -> None:
    programs = [draw.program(seed, ["overrides"]) for seed in range(PROGRAMS)]
    outcomes = compare.sandbox().run_batch(compare.requests(programs))
    rows = [compare.ends(outcome, len(items)) or [] for items, outcome in zip(programs, outcomes, strict=True)]
    ends = list(chain.from_iterable(rows))
    assert len(ends) > 7 * PROGRAMS and sum(end[0] == "=" for end in ends) > 0.8 * len(ends)
