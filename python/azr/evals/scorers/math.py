"""Mathematics, compared by the math-verify library.

The library parses LaTeX with a grammar and compares with sympy; nothing of an answer is evaluated as Python. Either can
take unbounded time or memory on a hostile or merely large answer, so both run in a separate process that can be killed.
An answer that does not finish is `timeout`, counted apart from wrong answers.
"""

import re
from collections.abc import Sequence

from azr.evals.benchmarks.base import Item
from azr.evals.scorers.base import CORRECT, Reason, Tools, Verdict, until, wrong
from azr.evals.scorers.math_process import MathProcess, Pair

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_MARK = re.compile(r"\\.|[{}]", re.DOTALL)
"""A brace, or a character that is escaped."""
_SAID = re.compile(r"answer\s{0,20}(?:is\b|:|=)\s{0,20}:?\s{0,20}(.+)", re.IGNORECASE)


class MathScorer:
    """Compares an answer with the gold answer."""

    def __init__(self, tools: Tools) -> None:
        self._process = MathProcess()

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        """What is in the last box; or else what follows the last "answer is", to the end of its line."""
        if stops is not None:
            text = until(text, stops)
        if has_box(text):
            return boxed(text) or None
        said = _SAID.findall(text)
        return said[-1].strip().rstrip(".*").strip() or None if said else None

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        pairs = [Pair(str(item.facts["gold"]), text) for item, text in answers]
        return [_verdict(found) for found in self._process.compare(pairs)]


def _verdict(found: bool | str) -> Verdict:
    if isinstance(found, str):
        return wrong(Reason.TIMEOUT, found)
    return CORRECT if found else wrong()


def boxed(text: str) -> str | None:
    r"""What is inside the last `\boxed{}` of the text; None if there is none, or if it is never closed.

    A reply that was cut inside of its last box has no answer.
    """
    start = -1
    for found in _BOX.finditer(text):
        start = found.end()
    if start < 0:
        return None
    depth = 1
    for mark in _MARK.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if not depth:
            return text[start : mark.start()].strip()
    return None


def has_box(text: str) -> bool:
    """Whether the text has a box at all, closed or not."""
    return _BOX.search(text) is not None
