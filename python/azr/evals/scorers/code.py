"""Where the program is in what a model wrote."""

import re
from collections.abc import Sequence

from azr.evals.scorers.base import until

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*$", re.MULTILINE)
PYTHON = frozenset({"", "python", "py", "python3"})


def blocks(text: str) -> list[tuple[str, str]]:
    """(tag, body) of each fenced block; one that is never closed goes to the end of the text."""
    found, opened = [], None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1][0] == opened[1][0] and len(fence[1]) >= len(opened[1]) and not fence[2]:
            found.append((opened[2].lower(), text[opened.end() + 1 : fence.start()]))
            opened = None
    if opened is not None:
        found.append((opened[2].lower(), text[opened.end() + 1 :]))
    return found


def read_program(text: str, wanted: str, stops: Sequence[str] | None) -> str | None:
    """The program in a reply, or what continues the head that the prompt ended with.

    Of several blocks the last that contains `wanted` counts, or else the last one.
    """
    if stops is not None:
        return until(text, stops)
    found = [body for tag, body in blocks(text) if tag in PYTHON and body.strip()]
    fitting = [body for body in found if wanted in body]
    chosen = fitting or found
    return chosen[-1] if chosen else None
