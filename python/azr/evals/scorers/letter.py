"""One of several lettered options."""

import re
from collections.abc import Sequence

from azr.evals.benchmarks.base import Item
from azr.evals.scorers.base import CORRECT, Tools, Verdict, until, wrong
from azr.evals.scorers.math import boxed

_SAID = re.compile(r"answer\s*(?:is|:)?\s*:?\s*\**\s*(?:option\s*)?[(\[]?([A-Za-z])\b[)\]]?", re.IGNORECASE)
_ALONE = re.compile(r"^\s*\**[(\[]?([A-Z])[)\].:]?(?:\**\s*$|[\s)\].:])")
_WRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{(.*)\}")


class LetterScorer:
    """Compares letters."""

    def __init__(self, tools: Tools) -> None: ...

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        letters = str(item.facts["letters"])
        if stops is not None:
            return _letter(until(text, stops), letters)
        box = boxed(text)
        if box is not None:
            return _letter(_WRAPPED.sub(r"\1", box).strip("$ "), letters)
        said = [found[1].upper() for found in _SAID.finditer(text)]
        return next((letter for letter in reversed(said) if letter in letters), None) or _letter(text.strip(), letters)

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        return [CORRECT if text == item.facts["gold"] else wrong() for item, text in answers]


def _letter(text: str, letters: str) -> str | None:
    """The option that the text begins with."""
    found = _ALONE.match(text)
    return found[1] if found and found[1] in letters else None
