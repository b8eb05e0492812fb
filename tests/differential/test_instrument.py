"""The instrument that draws, compares and shrinks: its own promises."""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

import compare
import draw
import kinds
import peer
import pytest
import shrink
from kinds import Kind

LOOP = """def g(out):
    v1 = 1
    for v2 in [1, 2]:
        if v1:
            v3 = bad(v2)
        v4 = 2
    return out, v1"""


def test_a_seed_always_draws_the_same_program() -> None:
    assert [draw.program(seed) for seed in range(50)] == [draw.program(seed) for seed in range(50)]
    assert len({draw.source(draw.program(seed)) for seed in range(200)}) == 200


def test_only_the_wanted_kinds_are_drawn() -> None:
    for seed in range(50):
        assert all(item.startswith("def g(out):") for item in draw.program(seed, ["statements"]))
        assert not any("\n" in item for item in draw.program(seed, ["numbers"]))


def test_every_template_names_types_that_there_are() -> None:
    types = set(draw.LITERALS)
    for templates in draw.TEMPLATES.values():
        for template in templates:
            for part in template:
                assert isinstance(part, str) or (part[0] in types and part[2] in {"", *types}), template


def test_programs_are_python() -> None:
    # Text between the braces of formatted strings may need a newer Python than the one that runs this test.
    for seed in range(300):
        for item in draw.program(seed):
            if 'f"' not in item:
                ast.parse(draw.source([item]))


@pytest.mark.parametrize(
    ("there", "here", "kind"),
    [
        ("=1", "=1", None),
        ("=1", "=2", Kind.VALUE),
        ("=1.0000000000000002", "=1.0", Kind.BITS),
        ("=[1.5, 2]", "=[1.5, 3]", Kind.VALUE),
        ("=1.5", "=1.6", Kind.VALUE),
        ("=list(1, 2)", "=list(2, 1)", Kind.ORDER),
        ("!ValueError", "!TypeError", Kind.EXCEPTION),
        ("!ValueError list(1)", "!ValueError list(2)", Kind.VALUE),
        ("=1", "!TypeError", Kind.RAISES),
        ("!TypeError", "=1", Kind.ACCEPTS),
        ("!MemoryError", "=1", Kind.RESOURCE),
        ("=1", "!MemoryError fuel", Kind.RESOURCE),
        ("=1", "!<crashed >", Kind.CRASHED),
        ("=1", "!<syntax_error SyntaxError>", Kind.SYNTAX),
    ],
)
def test_kinds_of_differences_are_told_apart(there: str, here: str, kind: Kind | None) -> None:
    assert compare.kind_of(there, here) == kind


def test_a_known_difference_is_known_by_its_item_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "known.txt"
    path.write_text("# a comment\nolder answer: ^other value; f\\( .*=> =1 => =2\n")
    rules = kinds.known(path)
    assert kinds.name_of(rules, Kind.VALUE, "f( 3)", "=1", "=2") == "older answer"
    assert kinds.name_of(rules, Kind.VALUE, "f( 3)", "=1", "=3") is None
    assert kinds.name_of(rules, Kind.BITS, "f( 3)", "=1", "=2") is None


def test_what_is_smaller_is_an_item_and_smaller() -> None:
    for item in ("max([1, 2, {'a': (3).real}], key=len)", LOOP.replace("bad", "len")):
        for part in range(4):
            for text in shrink.smaller(item, part)[0]:
                ast.parse(text)
                assert shrink.size(text) < shrink.size(item)
                assert text.startswith("def g(out):") == item.startswith("def g(out):")


class _Pretended:
    """Two sides that differ where an item holds `bad`."""

    def __init__(self) -> None:
        self.peer = self

    def ends(self, items: Sequence[str], quick: bool = False) -> list[tuple[str, str] | None]:
        return [("=1", "=2" if "bad" in item else "=1") for item in items]

    def smaller(self, items: Sequence[tuple[str, int]]) -> list[tuple[list[str], bool]]:
        return [shrink.smaller(item, part) for item, part in items]

    def shapes(self, items: Sequence[str]) -> list[str]:
        return [shrink.shape(item) for item in items]


@pytest.mark.parametrize(
    ("item", "smallest"),
    [
        ("max([12345, bad(1, 2.5, 'text'), {3: 4}], key=lambda v: v + 1)", "bad"),
        (LOOP, "def g(out):\n    bad"),
    ],
)
def test_a_difference_is_shrunk_to_what_makes_it(item: str, smallest: str) -> None:
    one = compare.Difference(0, Kind.VALUE, item, "=1", "=2", original=item)
    compare.shrink(_Pretended(), [one])  # type: ignore[arg-type]
    assert one.item == smallest
    assert one.original == item


def test_shapes_forget_constants_and_names_of_variables() -> None:
    assert shrink.shape("f(1, v7) + v7") == shrink.shape("f(22, v3) + v3") != shrink.shape("f('a', v3) + v3")


def test_a_difference_is_presumed_one_that_was_shrunk_only_with_its_names_and_exceptions() -> None:
    small = compare.Difference(0, Kind.RAISES, "math.exp(1)", "=1", "!ValueError", shape="math.exp(INT)")
    like = compare.Difference(1, Kind.RAISES, "[math.exp(5), 2]", "=[1]", "!ValueError")
    other = compare.Difference(2, Kind.RAISES, "math.exp(5)", "=1", "!TypeError")
    unlike = compare.Difference(3, Kind.RAISES, "math.log(5)", "=1", "!ValueError")
    assert compare.presumed(like, [small]) is small
    assert compare.presumed(other, [small]) is None
    assert compare.presumed(unlike, [small]) is None


def test_a_line_says_that_no_cpython_is_at_hand() -> None:
    with pytest.raises(peer.NoReference, match=r"no CPython 3\.13 or newer as no-such-python"):
        peer.find("no-such-python")


def test_a_program_that_ends_the_reference_costs_its_own_answer_only() -> None:
    ends_it, too_long, too_large = "__import__('os')._exit(3)", "max(range(10**14))", "[0] * 10**10"
    programs = [["1 + 1"], [ends_it], ["3", "4 // 0"], [too_long], [too_large], ["5"]]
    with peer.Peer(sys.executable) as reference:
        rows = reference.run(programs)
    assert [row.get("ends", row.get("none")) for row in rows] == [
        ["=2"],
        "died",
        ["=3", "!ZeroDivisionError"],
        "died",
        ["!MemoryError"],
        ["=5"],
    ]


def test_a_batch_that_ends_the_reference_again_and_again_is_given_up() -> None:
    with peer.Peer(sys.executable) as reference:
        rows = reference.run([["__import__('os')._exit(3)"]] * (peer.MOST_DEATHS + 3))
        assert [row["none"] for row in rows] == ["died"] * peer.MOST_DEATHS + ["not tried"] * 3
        assert reference.run([["1"]]) == [{"ends": ["=1"], "items": None}]


def test_what_templates_name_is_there() -> None:
    # A program that names what `differ` has not ends alike on both sides, and would say nothing.
    with peer.Peer(sys.executable) as reference:
        reference.ask_drawn(0, 300, draw.KINDS)
        ends = [end for row in reference.drawn(0, 300, draw.KINDS) for end in row.get("ends", ())]
    assert len(ends) > 1_000
    assert sum(end.startswith("!NameError") for end in ends) < 0.01 * len(ends)
