"""Text that a stranger wrote, made harmless to look at: on a terminal, in a page, in a file.

What would move a cursor, turn the direction of writing, hide itself or break an encoding becomes visible; what is too
long is cut, and says so. Nothing is interpreted.
"""

import re
from typing import Final

LIMIT: Final = 20_000
"""Characters of one text that a page shows."""

MAX_MARKS: Final = 4
"""Combining marks in a row that are left alone: more pile up over the lines above."""

# Left as they are: tab and line feed. C1 controls; soft hyphen; Arabic letter mark; Hangul and Khmer fillers; Mongolian
# separators; zero-width and directional marks; line and paragraph separators; embeddings and isolates; invisible
# operators; byte order mark; interlinear marks; lone surrogates; language tags; variation selectors.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_PILED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e31-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    f"\ufe20-\ufe2f]{{{MAX_MARKS}}})[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e31-\u0e4e\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def visible(text: str, limit: int = LIMIT) -> str:
    """The text with everything hidden made visible, at most `limit` characters of it.

    Control characters become their pictures (U+2400 and up), other hidden characters their names in angle brackets,
    like `<U+202E>`. Carriage returns before line feeds are dropped.
    """
    shown = text[:limit]
    shown = _HIDDEN.sub(_name, shown.replace("\r\n", "\n"))
    shown = _PILED.sub(lambda match: f"{match[1]}<marks>", shown)
    left = len(text) - limit
    return f"{shown}\n[{left:,} more characters are not shown]" if left > 0 else shown


def one_line(text: str, limit: int = 200) -> str:
    """As `visible`, on one line: line feeds and tabs become their pictures, too."""
    shown = visible(text[:limit]).replace("\n", "\u240a").replace("\t", "\u2409")
    return f"{shown}..." if len(text) > limit else shown


def _name(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"
