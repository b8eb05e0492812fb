"""One of several lettered options."""

import re
from collections.abc import Sequence

from azr.evals.benchmarks.base import Item
from azr.evals.scorers.base import CORRECT, Tools, Verdict, until, wrong
from azr.evals.scorers.math import boxed, has_box

LONGEST = 400
"""Characters of a box or a line that are looked at."""
_GAP = r"[\s*_]{0,20}"
_OPTION = r"(?:(?:option|choice|letter)\s{1,20})?"
_IS = r"(?:(?:is|was|be|as)(?![A-Za-z])|[:\uff1a=])"
_SAID = re.compile(
    rf"\b(?:answer|choice|option)\b{_GAP}(?:(?:choice|option|here|to the question|therefore|thus|then)\b{_GAP})?"
    rf"(?:(?:would|must|should|will|can only|has to|seems to|appears to)\s{{1,20}})?{_IS}{_GAP}"
    rf"(?:(?:therefore|thus|hence|then|clearly|option|choice|letter|indeed)\b{_GAP})?:?{_GAP}"
    r"(?=(?P<rest>.{0,40}))"
    # What is said without a verb: `Answer (C)`, `<answer>C</answer>`, `I choose C`.
    r"|\banswer\s{0,9}(?=(?P<beside>[(\[].{0,40}))"
    r"|<answer>\s{0,20}(?=(?P<tagged>[^<]{0,40}))"
    r"|(?<!not )(?<!n't )(?<!n\u2019t )\b(?:choose|pick|select|go with)\s{1,9}"
    r"(?:(?:option|choice|answer|letter)\s{1,9})?"
    r"(?=(?P<chosen>.{0,40}))",
    re.IGNORECASE | re.DOTALL,
)
_LABEL = re.compile(r"(?:(?:final\s)?answer|option|choice|letter)\b\s{0,9}:?\s{0,9}", re.IGNORECASE)
_ALONE = re.compile(r"[(\[]?\s?(?P<letter>[a-z])\s?[)\]]?\s?\.?")
"""A reply that is one small letter and nothing else."""
_COMMAND = re.compile(
    r"\\(?:text|mathrm|mathbf|textbf|mathbb|mathsf|textrm|mbox|bf|rm)\b\s{0,20}|[{}$*_~]|\\[,;:! ]|\\[()\[\]]"
)
_CHOICE = re.compile(
    r"\s{0,20}(?:[(\[]\s?(?P<closed>[A-Za-z])\s?[)\]]|(?P<bare>[A-Za-z])(?![A-Za-z0-9'\u2019]))(?P<after>.{0,20})",
    re.DOTALL,
)
_ALSO = re.compile(
    r"\s{0,9}(?:[,;/&|]\s{0,9}(?:and\s|or\s)?|(?:and|or)\s)?\s{0,9}"
    r"(?:[(\[]\s?(?P<closed>[A-Za-z])\s?[)\]]|(?P<bare>[A-Z])(?=\s{0,9}(?:[,;/&|.]|$)))"
)
"""A second letter beside the one that was chosen."""
_GROUNDS = re.compile(r"\s+(?:because|since|as|due|for|with|by|and not|is|which|given)\b", re.IGNORECASE)
_FORMULA = re.compile(r"\s*(?:[=+*/^_<>|&\\\u2264\u2265(\[-])")


class LetterScorer:
    """Compares letters."""

    def __init__(self, tools: Tools) -> None: ...

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        letters = str(item.facts["letters"])
        if stops is not None:
            return _letter(until(text, stops), letters, small=False)
        if has_box(text):
            box = boxed(text)
            if box is None:
                return None
            if found := _letter(_LABEL.sub("", _plain(box), count=1), letters, small=False):
                return found
            # A formula or a value in the box: the letter may be said elsewhere.
        said = [_said(found, letters) for found in _SAID.finditer(text)]
        chosen = [letter for letter in said if letter is not None]
        if chosen:
            return chosen[-1]
        if (alone := _ALONE.fullmatch(text.strip())) and alone["letter"].upper() in letters:
            return alone["letter"].upper()
        lines = text.strip().splitlines()
        ends = {_letter(_plain(line), letters, small=False) for line in [*lines[:1], *lines[-1:]]} - {None}
        return ends.pop() if len(ends) == 1 else None  # two letters are no choice

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        return [CORRECT if text == item.facts["gold"] else wrong() for item, text in answers]


def _said(found: re.Match[str], letters: str) -> str | None:
    """The letter that a phrase names; after a verb such as `choose`, small letters are words."""
    small = found["chosen"] is None
    text = next(part for part in (found["rest"], found["beside"], found["tagged"], found["chosen"]) if part is not None)
    return _letter(_plain(text), letters, small=small)


def _plain(text: str) -> str:
    """Without emphasis, dollars, braces and the commands around words."""
    return _COMMAND.sub("", text[:LONGEST]).strip()


def _letter(text: str, letters: str, *, small: bool) -> str | None:
    """The option that the text begins with. A pronoun, an article or the first letter of a formula is none.

    `small`: small letters name options too.
    """
    found = _CHOICE.match(text)
    if found is None:
        return None
    letter, after = found["closed"] or found["bare"], found["after"]
    if letter.upper() not in letters or not (small or letter.isupper()):
        return None
    others = letters.replace(letter.upper(), "")
    if (also := _ALSO.match(after)) and (also["closed"] or also["bare"]).upper() in others:
        return None  # one of several: no choice
    if found["bare"] and (_FORMULA.match(after) or _is_word(letter, after)):
        return None
    if after.lstrip().startswith("?"):
        return None  # asked, not said
    return letter.upper()


def _is_word(letter: str, after: str) -> bool:
    """Whether a letter that stands alone is the pronoun or the article: more words of a sentence follow it."""
    if letter not in "AaIi" or not re.match(r"\s+[A-Za-z]", after):
        return False
    return _GROUNDS.match(after) is None or letter == "a"
