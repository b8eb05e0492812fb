"""Blocks are found by tag and never guessed."""

import pytest
from azr.tasks.parsing import Block, Fenced, Sections, last, only
from azr.types import Flaw, Unparsed
from hypothesis import given
from hypothesis import strategies as st

NESTED = """def f(x):
    class Box:
        def get(self):
            return x

    def inner(y):
        return Box().get() + y

    return inner(1)"""


def blocks(text: str) -> list[Block]:
    found = Fenced().split(text)
    assert isinstance(found, list)
    return found


def test_order_of_blocks_does_not_matter() -> None:
    found = blocks("```input\n1\n```\ntext\n```python\ndef f(a):\n    return a\n```")
    assert only(found, "program") == "def f(a):\n    return a"
    assert only(found, "input") == "1"


def test_untagged_and_unknown_blocks_are_ignored() -> None:
    found = blocks("```\ndef f(): pass\n```\n```java\nx\n```\n```output\n3\n```")
    assert found == [Block("output", "3")]
    assert only(found, "program") == Unparsed(flaw=Flaw.MISSING_BLOCK, detail="program")


def test_several_blocks_where_one_is_asked_for_are_a_flaw() -> None:
    flaw = only(blocks("```output\n1\n```\n```output\n2\n```"), "output")
    assert isinstance(flaw, Unparsed) and flaw.flaw is Flaw.SEVERAL_BLOCKS


def test_multi_line_answer_is_kept_whole() -> None:
    assert only(blocks("```input\n[1,\n 2],\n{'a': 3}\n```"), "input") == "[1,\n 2],\n{'a': 3}"


def test_nested_functions_and_classes_are_kept_whole() -> None:
    assert only(blocks(f"```python\n{NESTED}\n```"), "program") == NESTED


def test_unclosed_block_is_a_flaw_even_if_others_are_fine() -> None:
    found = Fenced().split("```input\n1\n```\n```python\ndef f(a): ...")
    assert found == Unparsed(flaw=Flaw.UNCLOSED_BLOCK, detail="python")


def test_empty_block_is_a_flaw() -> None:
    flaw = only(blocks("```output\n \n```"), "output")
    assert isinstance(flaw, Unparsed) and flaw.flaw is Flaw.EMPTY_BLOCK


def test_backticks_inside_a_line_and_longer_fences_do_not_close() -> None:
    assert only(blocks("````output\n'```'\n```\n````"), "output") == "'```'\n```"
    assert only(blocks("```output\n'a ``` b'\n```"), "output") == "'a ``` b'"


def test_fences_in_the_middle_of_a_line_open_nothing() -> None:
    assert blocks("use ```python\nx") == []


@pytest.mark.parametrize(("count", "expected"), [(2, ("b", "c")), (3, ("a", "b", "c"))])
def test_last_takes_the_last_ones_in_order(count: int, expected: tuple[str, ...]) -> None:
    assert last(blocks("\n".join(f"```input\n{x}\n```" for x in "abc")), "input", count) == expected


def test_too_few_blocks_are_a_flaw() -> None:
    flaw = last(blocks("```input\n1\n```"), "input", 2)
    assert flaw == Unparsed(flaw=Flaw.TOO_FEW_BLOCKS, detail="1 of 2 input blocks")


def test_sections_end_at_the_next_marker() -> None:
    found = Sections().split("<program>\ndef f(a):\n    return '<input>'\n<input>'x', 1")
    assert found == [Block("program", "def f(a):\n    return '<input>'"), Block("input", "'x', 1")]


@pytest.mark.parametrize("text", ["", "hello", "hello\n<output>1"])
def test_sections_before_the_first_marker_are_a_flaw(text: str) -> None:
    assert Sections().split(text) == Unparsed(flaw=Flaw.NO_ANSWER)


@given(st.text(), st.sampled_from([Fenced(), Sections()]))
def test_any_text_is_blocks_or_a_flaw(text: str, syntax: Fenced | Sections) -> None:
    assert isinstance(syntax.split(text), list | Unparsed)


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85", "\f", "\v", "\x1c", "\r"])
def test_only_a_newline_ends_a_line(inside: str) -> None:
    """What else some take for one may stand in a string, and the answer is the one that was written."""
    answer = f"'a{inside}b'"
    assert only(blocks(f"```output\n{answer}\n```"), "output") == answer
    assert blocks(f"x{inside}```output") == []


def test_carriage_returns_before_newlines_belong_to_them() -> None:
    assert only(blocks("```python\r\ndef f(a):\r\n    return a\r\n```\r\n"), "program") == "def f(a):\n    return a"


body = st.text(st.characters(exclude_characters="`<\r", exclude_categories=["Cs"])).map(lambda s: s.strip("\n"))


@given(st.lists(st.tuples(st.sampled_from(["program", "input", "output", "message"]), body), min_size=1))
@pytest.mark.parametrize("syntax", [Fenced(), Sections()], ids=lambda s: s.name)
def test_what_is_rendered_is_read_back(syntax: Fenced | Sections, parts: list[tuple[str, str]]) -> None:
    text = "\n".join(syntax.render(tag, content) for tag, content in parts)
    assert syntax.split(text) == [Block(tag, content) for tag, content in parts]


def test_a_fence_with_a_million_blanks_is_read_once() -> None:
    """From each blank anew it would take hours: no text of a model may hold up the trainer."""
    assert Fenced().split("```" + " " * 1_000_000 + "x y") == []
    assert Fenced().split("`" * 1_000_000 + " x y") == []
