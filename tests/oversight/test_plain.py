"""Nothing that a model writes does anything to a terminal."""

import unicodedata

from azr.oversight.plain import LIMIT, plain, plain_line
from hypothesis import given
from hypothesis import strategies as st

DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters(), max_size=300))
def test_nothing_invisible_comes_out(text: str) -> None:
    shown = plain(text)
    assert not [symbol for symbol in shown if unicodedata.category(symbol) in DANGEROUS and symbol != "\n"]
    assert "\n" not in plain_line(text)


def test_escape_codes_bidi_and_zero_width_are_written_out() -> None:
    assert plain("\x1b[2J\x1b]0;title\x07") == "\\x1b[2J\\x1b]0;title\\x07"
    assert plain("a\u202eb\u200bc\u2066\x9b31m") == "a\\u202eb\\u200bc\\u2066\\x9b31m"
    assert plain("\ud800\r\x00\x7f") == "\\ud800\\r\\x00\\x7f"


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("def f(x):\n    return x", "größe = 3  # ñ é 漢字 🙂", ""):
        assert plain(text) == text
    assert plain("e\u0301 o\u0308") == "e\u0301 o\u0308" and plain("\tx") == "    x"


def test_a_tower_of_marks_is_cut_down() -> None:
    assert plain("a" + "\u0301" * 50).count("\\u0301") == 48


def test_a_line_of_ten_megabytes_is_a_short_line() -> None:
    huge = "x" * 10_000_000
    assert len(plain(huge)) < LIMIT + 50 and plain(huge).endswith(f"[{10_000_000 - LIMIT} more characters]")
    assert len(plain_line("\u202e" * 10_000_000)) < 2000


def test_one_line_is_one_line() -> None:
    assert plain_line("a\nb\r\nc\u2028d\x0be") == "a b c d e"
