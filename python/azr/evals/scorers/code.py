"""Extraction of the program from a completion."""

import re
from collections.abc import Sequence

from azr.evals.scorers.base import until

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([\w+-]*)([^\n]*)$", re.MULTILINE)
MOST = 20_000
"""Maximum number of fences."""
PYTHON = frozenset({"", "python", "py", "python3"})


def blocks(text: str) -> list[tuple[str, str]]:
    """(tag, body) of each fenced block; one that is never closed goes to the end of the text.

    None of a text with more fences than any reply has. A fence that stands further in than the one that opened the
    block does not close it: it is part of a docstring.
    """
    if text.count("```") + text.count("~~~") > MOST:
        return []
    found, opened = [], None
    for fence in _FENCE.finditer(text):
        if fence[2][0] == "`" and "`" in fence[4]:
            continue  # code within a line
        if opened is None:
            opened = fence
        elif _closes(fence, opened):
            found.append((opened[3].lower(), _body(text, opened, fence.start())))
            opened = None
    if opened is not None:
        found.append((opened[3].lower(), _body(text, opened, len(text))))
    return found


def _closes(fence: re.Match[str], opened: re.Match[str]) -> bool:
    same = fence[2][0] == opened[2][0] and len(fence[2]) >= len(opened[2])
    return same and not (fence[3] or fence[4].strip()) and len(fence[1]) <= len(opened[1])


def _body(text: str, opened: re.Match[str], end: int) -> str:
    """The text of a block, dedented by the indentation of its opening fence."""
    body = text[opened.end() + 1 : end]
    return re.sub(rf"^[ \t]{{1,{len(opened[1])}}}", "", body, flags=re.MULTILINE) if opened[1] else body


def read_program(text: str, wanted: str, stops: Sequence[str] | None) -> str | None:
    """The program in a reply, or what continues the head that the prompt ended with.

    Of several blocks those that define `wanted` come first, those tagged python before those without a tag, and the
    last of the best counts. Without `wanted` the program is a whole one.
    """
    if stops is not None:
        return until(text, stops)
    found = [(_rank(tag, body, wanted), at, body) for at, (tag, body) in enumerate(blocks(text)) if tag in PYTHON]
    filled = [block for block in found if block[2].strip()]
    return max(filled)[2] if filled else None


def _rank(tag: str, body: str, wanted: str) -> tuple[int, bool]:
    """Priority of a block as the program."""
    return _defines(body, wanted) if wanted else 0, bool(tag)


def _defines(body: str, name: str) -> int:
    """2: at the top; 1: further in; 0: nowhere."""
    name = re.escape(name)
    made = rf"^(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b|^{name}[ \t]*(?::[^=\n]*)?=(?!=)"
    if re.search(made, body, re.MULTILINE):
        return 2
    return int(re.search(rf"^[ \t]+(?:(?:async[ \t]+)?def|class)[ \t]+{name}\b", body, re.MULTILINE) is not None)
