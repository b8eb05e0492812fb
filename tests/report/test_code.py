"""Programs, read and never run."""

from pathlib import Path

import pytest
from azr.report.code import comments, measures, patterns, phrase, unlikeness

BRANCHES = "def f(x):\n    if x > 1:\n        return x\n    for i in range(x):\n        x += i\n    return x\n"


def test_measures_are_those_of_the_definitions() -> None:
    found = measures(BRANCHES)
    assert found is not None
    assert (found.cyclomatic, found.lines) == (3.0, 7)
    # Operators > and +=; operands x, 1, x, i: N = 6 in length, n = 5 in vocabulary.
    assert found.volume == pytest.approx(6 * 2.321928, rel=1e-6)
    assert found.nodes == 22


def test_names_and_constants_do_not_make_another_shape() -> None:
    one, other = measures("def f(x):\n    return x + 1"), measures("def f(apple):\n    return apple + 99")
    third = measures("def f(x):\n    return [y for y in x if y]")
    assert one and other and third
    assert one.whole == other.whole and one.shape == other.shape
    assert unlikeness([one.shape, other.shape]) == 0.0
    assert unlikeness([one.shape, third.shape]) > 0.5 and unlikeness([one.shape]) is None


@pytest.mark.parametrize(
    "program",
    ["def f(:", "(" * 5000, "x = " + "-" * 60_000 + "1", "\x00", "a" * 70_000, "\ud800", f"{'[' * 90}{']' * 90}", ""],
    ids=["syntax", "parentheses", "minus", "nul", "long", "surrogate", "brackets", "empty"],
)
def test_no_program_makes_the_reader_fail(program: str) -> None:
    found = measures(program)
    assert found is None or found.nodes >= 1
    assert isinstance(comments(program), list)


def test_reading_a_program_does_not_run_it(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program = f"# a comment\nopen({str(mark)!r}, 'w')\ndef f(x=open({str(mark)!r}, 'w')):\n    return x\n"
    assert measures(program) is not None and comments(program) == ["a comment"]
    assert not mark.exists()


def test_comments_are_found_outside_of_strings_only() -> None:
    program = 'x = \'# no\'\ny = """\n# no\n"""  # yes\n## Step 2: also\nz = \'it\\\'s # no\' # and this\n#\n'
    assert comments(program) == ["yes", "Step 2: also", "and this"]
    assert comments("def f(:  # of what does not parse") == ["of what does not parse"]


@pytest.mark.parametrize(
    ("comment", "name"),
    [
        ("Step 3: sort", "numbered steps"),
        ("2) then merge", "numbered steps"),
        ("First, count", "sequence words"),
        ("We need to find the root", "plans"),
        ("Observation: it shrinks", "observations"),
        ("Wait, that is wrong", "doubts"),
        ("Check the ends", "checks"),
    ],
)
def test_step_by_step_patterns_are_seen(comment: str, name: str) -> None:
    assert name in patterns([comment])


@pytest.mark.parametrize("comment", ["the waiter", "stepwise", "a list of numbers", "firstly-named", "planet"])
def test_words_that_only_contain_a_pattern_are_none(comment: str) -> None:
    assert patterns([comment]) == frozenset()


def test_comments_that_differ_in_numbers_are_one_phrase() -> None:
    assert phrase("Step 1: add 'a'") == phrase("step 22: add 'b'.") == "step 0: add '...'"
