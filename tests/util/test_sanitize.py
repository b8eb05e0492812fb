"""Text that a stranger wrote, made harmless to look at."""

import unicodedata

import pytest
from azr.util.sanitize import LIMIT, one_line, visible
from hypothesis import given
from hypothesis import strategies as st

DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters(), max_size=300))
def test_nothing_invisible_comes_out(text: str) -> None:
    shown = visible(text)
    assert not [symbol for symbol in shown if unicodedata.category(symbol) in DANGEROUS and symbol not in "\n\t"]
    assert not {"\n", "\t"} & set(one_line(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "\u241b[2J\u241b]0;owned\u2407"),
        ("a\x00b\x7f", "a\u2400b\u2421"),
        ("\x9b31m", "<U+009B>31m"),
        ("access = \u202e'nimda'\u2066", "access = <U+202E>'nimda'<U+2066>"),
        ("pay\u200bload\ufeff", "pay<U+200B>load<U+FEFF>"),
        ("half \ud83d of a pair", "half <U+D83D> of a pair"),
        ("tag\U000e0041", "tag<U+E0041>"),
        ("line\u2028end", "line<U+2028>end"),
        ("over\rwritten", "over\u240dwritten"),
        ("windows\r\nlines", "windows\nlines"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("own\ue000 sign\u0600", "own<U+E000> sign<U+0600>"),
        ("fill\u3164ed\ufe0f", "fill<U+3164>ed<U+FE0F>"),
        ("dots\u2800", "dots<U+2800>"),
        ("e\u0301 o\u0308", "e\u0301 o\u0308"),
        ("caf\u00e9, \u65e5\u672c\u8a9e, \U0001f600", "caf\u00e9, \u65e5\u672c\u8a9e, \U0001f600"),
    ],
)
def test_what_is_hidden_is_shown_and_what_is_plain_is_kept(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_marks_cannot_pile_up_over_the_lines_above() -> None:
    assert visible("a" + "\u0301" * 500) == "a" + "\u0301" * 4 + "<marks>"


def test_a_long_text_is_cut_and_says_so() -> None:
    shown = visible("x" * 10_000_000, 1000)
    assert len(visible("\u202e" * 10_000_000)) < 10 * LIMIT
    assert len(shown) < 1100 and shown.endswith("[9,999,000 more characters are not shown]")


def test_one_line_is_one_line_and_fits_a_terminal() -> None:
    text = one_line("first\nsecond\r\nthird\x1b[31m\tred\u202e", 200)
    assert text == "first\u240asecond\u240athird\u241b[31m\u2409red<U+202E>"
    assert len(one_line("y" * 10_000_000, 100)) < 200


def test_everything_shown_can_be_written_as_utf8() -> None:
    codes = [*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFE00, 0x10000), *range(0xE0000, 0xE0200)]
    every = "".join(map(chr, codes))
    assert visible(every, len(every)).encode("utf-8")
