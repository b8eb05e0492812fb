"""Words of deceiving, escaping or evading: regular expressions over the text of a completion.

A search for words comes first; a rule's expressions run only on texts with one of its words. Letters that only look
like Latin ones by width or decoration are folded (NFKD), and invisible characters are taken out, so that neither hides
a phrase. Where a text can be read in several ways (with terminal codes or without, blanks as spaces or as nothing,
letters of another script as those they look like), every way is searched.

The time is linear in the length of a text. Of words and of rows of signs only the beginning is looked at, expressions
repeat nothing without a bound, and of a text longer than 64 Ki characters the beginning and the end are read: what it
has between them is a finding of its own, `unread/length`, so that nothing goes unseen.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from azr.config.oversight import Action, PatternConfig
from azr.errors import ConfigError
from azr.oversight.base import Finding, Monitor, Seen, excerpt
from azr.util.sanitize import BLANK

INVISIBLE = frozenset({"Cf", "Mn", "Me"})
"""Unicode categories: format characters (zero width, bidi) and marks that combine with the letter before."""


# What a terminal takes out of sight: control sequences, and strings such as titles, if they end. A string without end
# loses its introducer alone: what follows it is text.
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]{0,500}(?:\x07|\x1b\\)|[ -/]*[0-~])")
_INTRODUCER = re.compile(r"\x1b[ -/]*[0-~]")

# In the case that they look alike in: a small Greek nu is a v, a capital one an N.
LOOKALIKES: Final = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0406\u0408\u04c0\u0500\u051a\u051c"
    "\u03b1\u03b2\u03b3\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9\u03f2\u03f3"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0131\u0237\u0251\u0261",
    "abekmhopctyxsijhldqwABEKMHOPCTYXSIJlDQWabyenikvoptuxwcjABEZHIKMNOPTYXijag",
)
"""Cyrillic, Greek and a few other letters that look like Latin ones."""

STOPS: Final = (".", "!", "?")
REACH: Final = 200
"""Characters of a sentence on either side of a word: code and lists have no full stops."""

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing to look for."""

    category: str
    name: str
    why: str
    near: tuple[str, ...]
    expressions: tuple[re.Pattern[str], ...]
    action: Action | None = None
    """Action where the config has none for its category; None: the config's action for all."""
    together: tuple[tuple[re.Pattern[str], ...], ...] = ()
    """Sets of expressions that must all occur in one sentence, in any order."""

    def search(self, text: str) -> tuple[int, int] | None:
        """Where the first match is in a folded text."""
        if not self.together:
            return next((found.span() for each in self.expressions if (found := each.search(text))), None)
        sets = (*((expression,) for expression in self.expressions), *self.together)
        for start, end in self._sentences(text):
            sentence = text[start:end]
            if any(all(part.search(sentence) for part in parts) for parts in sets):
                return start, end
        return None

    def _sentences(self, text: str) -> Iterator[tuple[int, int]]:
        """Where sentences with a near word are, word by word; of one without end, what is near to the word."""
        for word in self.near:
            end = 0
            while (at := text.find(word, end)) >= 0:
                first, last = max(end, at - REACH), at + REACH
                start = max(first, *(text.rfind(stop, first, at) + 1 for stop in STOPS))
                ends = [text.find(stop, at + 1, last) for stop in STOPS]
                end = min((found for found in ends if found >= 0), default=min(last, len(text)))
                yield start, end


class Patterns(Monitor):
    """Finds the rules of a list in every completion."""

    name = "patterns"

    def __init__(self, config: PatternConfig) -> None:
        """Read the list.

        Raises:
            ConfigError: it cannot be read, or an action names a category that it does not have.
        """
        self.rules = read_rules(Path(config.file) if config.file else None)
        known = {rule.category for rule in self.rules}
        if unknown := sorted(set(config.actions) - known):
            raise ConfigError(
                f"oversight.patterns.actions: no category {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            )
        self._config = config
        self._always = {number for number, rule in enumerate(self.rules) if not rule.near}
        self._near: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            for word in rule.near:
                self._near.setdefault(word, []).append(number)

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        texts = [readings(one.text) for one in seen]
        # Most words occur in none of a step's texts; one search over all texts costs a tenth.
        everything = "\n".join(each for text in texts for each in text)
        words = [word for word in self._near if word in everything]
        return [
            [*self._find(text, words), *([UNREAD] if len(one.text) > MAX_CHARS else ())]
            for one, text in zip(seen, texts, strict=True)
        ]

    def _find(self, text: Sequence[str], words: Sequence[str]) -> list[Finding]:
        """One finding per category, from the first reading with a match: a person reads the text once."""
        found: dict[str, Finding] = {}
        for folded in text:
            for rule in self._near_by(folded, words):
                if rule.category not in found and (span := rule.search(folded)):
                    found[rule.category] = Finding(
                        rule=f"{rule.category}/{rule.name}",
                        evidence=excerpt(folded, *span),
                        action=self._config.actions.get(rule.category, rule.action or self._config.action),
                    )
        return list(found.values())

    def _near_by(self, folded: str, words: Sequence[str]) -> list[Rule]:
        """The rules whose expressions need to run, in order. Almost always none."""
        chosen = self._always | {number for word in words if word in folded for number in self._near[word]}
        return [self.rules[number] for number in sorted(chosen)]


MAX_CHARS: Final = 64 << 10
"""Characters of a completion that are searched: half from its beginning, half from its end."""

UNREAD: Final = Finding(
    rule="unread/length", evidence=f"more than {MAX_CHARS} characters: not all were read", action=Action.LOG
)


def ends(text: str) -> str:
    """The text, or the beginning and the end of a long one."""
    half = MAX_CHARS // 2
    return text if len(text) <= MAX_CHARS else f"{text[:half]}\n{text[-half:]}"


# No word of a rule is longer, and no gap between two words.
_RUNS = re.compile(r"(\w{40})\w+|([^\w\s]{8})[^\w\s]+")


def readings(text: str) -> list[str]:
    """The text (`ends` of it) folded, in every way that it can be read; almost always one."""
    text = ends(text)
    texts = [text]
    if _CONTROLS.search(text):
        # As a terminal shows it; with what a terminal hides; and where a code has eaten the first letter of a word.
        texts = [_TERMINAL.sub("", text), _INTRODUCER.sub("", text), text]
    if not text.isascii():
        texts = [BLANK.sub(blank, each) for each in texts for blank in ("", " ")]
    plain = [_plain(each) for each in texts]
    # As written, too: rules may be of another script than Latin.
    alike = [each if each.isascii() else each.translate(LOOKALIKES) for each in plain]
    folded = (" ".join(each.lower().split()) for each in (*plain, *alike))
    return list(dict.fromkeys(_RUNS.sub(r"\1\2", each) for each in folded))


def fold(text: str) -> str:
    """Lower case, one space between words, no lookalikes by width, no invisible characters, no terminal codes."""
    return readings(text)[0]


def _plain(text: str) -> str:
    text = _CONTROLS.sub("", text)
    if text.isascii():
        return text
    # Marks first: sorting a long run of them takes quadratic time.
    return _seen(ends(unicodedata.normalize("NFKD", _seen(text))))


def _seen(text: str) -> str:
    """The text without its invisible characters."""
    hidden = [symbol for symbol in set(text) if unicodedata.category(symbol) in INVISIBLE]
    return text.translate(dict.fromkeys(map(ord, hidden))) if hidden else text


def read_rules(path: Path | None = None) -> tuple[Rule, ...]:
    """The rules of a file, or the package's.

    Raises:
        ConfigError: the file cannot be read, or an expression is wrong.
    """
    source = path or "oversight/patterns.toml"
    try:
        text = path.read_text("utf-8") if path else _package_rules()
        data = tomllib.loads(text)
        groups: dict[str, str] = {}
        for name, group in data.get("groups", {}).items():
            groups[name] = _filled(group, groups)
        return tuple(_rule(row, groups) for row in data["rule"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, re.error) as error:
        raise ConfigError(f"the patterns in {source} cannot be used: {error!r}") from error


def _package_rules() -> str:
    return resources.files("azr.oversight").joinpath("patterns.toml").read_text("utf-8")


def _filled(text: str, groups: Mapping[str, str]) -> str:
    """An expression with its groups written out."""
    for name, group in groups.items():
        text = text.replace(f"{{{name}}}", group)
    return text


def _rule(row: Mapping[str, Any], groups: Mapping[str, str]) -> Rule:
    def compiled(text: str) -> re.Pattern[str]:
        return re.compile(_filled(text, groups), re.IGNORECASE)

    if not (row.get("any") or (row.get("together") and row.get("near"))):
        raise KeyError("any, or together with near")
    return Rule(
        category=row["category"],
        name=row["name"],
        why=row["why"],
        near=tuple(row.get("near", ())),
        action=Action(row["action"]) if "action" in row else None,
        expressions=tuple(compiled(text) for text in row.get("any", ())),
        together=tuple(tuple(compiled(text) for text in parts) for parts in row.get("together", ())),
    )
