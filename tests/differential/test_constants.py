"""What the compiler folds is what runs: an expression of constants ends as it does through variables."""

from itertools import chain

import compare
import differ
import draw

PROGRAMS = 250
FOLDED = "=list('folded'"


def test_an_expression_of_constants_ends_as_it_does_through_variables() -> None:
    programs = [draw.program(seed, ["constants"]) for seed in range(PROGRAMS)]
    outcomes = compare.sandbox().run_batch(compare.requests(programs))
    rows = [compare.ends(outcome, len(items)) or [] for items, outcome in zip(programs, outcomes, strict=True)]
    ends = list(chain.from_iterable(rows))
    assert len(ends) == 8 * PROGRAMS, "every program comes to its end"
    assert sum(end.startswith("=tuple(") for end in ends) > len(ends) / 2, "most have values"
    items = chain.from_iterable(programs)
    folded = [(item, end) for item, end in zip(items, ends, strict=True) if end.startswith(FOLDED)]
    assert not folded


def test_an_expression_that_is_folded_otherwise_shows_both_ends() -> None:
    assert differ.ends([lambda: differ.folded(lambda: 0.0, lambda a: a, -0.0)])[0].startswith(FOLDED)
    assert differ.ends([lambda: differ.folded(lambda: 1 // 0, lambda a, b: a / b, 0, 1)])[0].startswith(FOLDED)
    assert not differ.ends([lambda: differ.folded(lambda: 0.5, lambda a, b: a / b, 1, 2)])[0].startswith(FOLDED)
