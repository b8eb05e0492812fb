"""Untrusted text, made safe to display on a terminal, in a page or in a file.

Model output is untrusted. Characters that move the cursor, change colours, change the writing direction, are invisible
or break an encoding become visible. Long text is truncated with a note. Nothing is interpreted.
"""

import re
import unicodedata
from typing import Final

LIMIT: Final = 20_000
"""Maximum displayed characters of one text."""

MAX_MARKS: Final = 4
"""Maximum consecutive combining marks: more would overlap the lines above."""

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidi and zero width among them), surrogate, private, unassigned, line and paragraph separators."""
_COMBINING: Final = frozenset({"Mn", "Me"})
BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters without a visible glyph, despite their category: grapheme joiner, Hangul and Khmer fillers, the blank
Braille cell, variation selectors, Mongolian and others."""

_STRANGE: Final = re.compile(r"[^\x20-\x7e\n\t]+")


def visible(text: str, limit: int = LIMIT) -> str:
    """The text with everything hidden made visible, at most `limit` characters of it.

    Control characters become their pictures (U+2400 and up), other hidden characters their numbers in angle brackets,
    like `<U+202E>`. Tabs and line feeds stay; carriage returns before line feeds are dropped.
    """
    shown = _STRANGE.sub(_shown, text[:limit].replace("\r\n", "\n"))
    left = len(text) - limit
    return f"{shown}\n[{left:,} more characters are not shown]" if left > 0 else shown


def one_line(text: str, limit: int = 200) -> str:
    """As `visible`, on one line: line feeds and tabs become their pictures, too."""
    shown = visible(text[:limit]).replace("\n", "\u240a").replace("\t", "\u2409")
    return f"{shown}..." if len(text) > limit else shown


def _shown(match: re.Match[str]) -> str:
    found = []
    marks = 0
    for symbol in match[0]:
        category = unicodedata.category(symbol)
        if category in _HIDDEN or BLANK.match(symbol):
            found.append(_name(symbol))
            continue
        marks = marks + 1 if category in _COMBINING else 0
        if marks <= MAX_MARKS:
            found.append(symbol)
        elif marks == MAX_MARKS + 1:
            found.append("<marks>")
    return "".join(found)


def _name(symbol: str) -> str:
    code = ord(symbol)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"
