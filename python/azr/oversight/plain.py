"""Text of a model on a terminal: nothing in it can move the cursor, change colours, reorder a line or fill the screen.

Model output is a stranger's text. It may hold escape sequences, bidirectional controls, or one line of ten megabytes.
"""

import unicodedata
from typing import Final

LIMIT: Final = 2000
"""Characters that are shown of one text."""
MARKS: Final = 2
"""Combining marks in a row that are text and not a stunt."""

_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidi and zero width among them), surrogate, private, unassigned, line and paragraph separators."""
_COMBINING: Final = frozenset({"Mn", "Me"})


def plain(text: str, limit: int = LIMIT) -> str:
    """The text with everything that is no visible character written as an escape; lines stay lines, and are cut."""
    cut = text[:limit]
    rest = len(text) - len(cut)
    shown = cut if cut.isascii() and cut.isprintable() else _escape(cut)
    return f"{shown} [{rest} more characters]" if rest else shown


def plain_line(text: str, limit: int = 200) -> str:
    """As `plain`, on one line."""
    return plain(" ".join(text[:limit].splitlines())) + ("..." if len(text) > limit else "")


def _escape(text: str) -> str:
    found = []
    marks = 0
    for symbol in text:
        category = unicodedata.category(symbol)
        marks = marks + 1 if category in _COMBINING else 0
        if symbol == "\n":
            found.append(symbol)
        elif symbol == "\t":
            found.append("    ")
        elif category in _CONTROL or marks > MARKS:
            found.append(symbol.encode("unicode_escape").decode("ascii"))
        else:
            found.append(symbol)
    return "".join(found)
