"""Words that speak of deceiving, escaping, evading: rules with word boundaries over the text of a completion.

A search for plain words comes first; a rule's expressions only run on texts that have one of its words. Letters that
only look like Latin ones by width or decoration are folded (NFKC), and invisible characters are taken out, so that
neither hides a phrase.
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

INVISIBLE = frozenset({"Cf", "Mn", "Me"})
"""Unicode categories: format characters (zero width, bidi) and marks that combine with the letter before."""


_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")
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
    """Where the config says nothing of its category; None: the config's for all."""
    together: tuple[tuple[re.Pattern[str], ...], ...] = ()
    """Each a set of expressions that are all found in one sentence, in any order."""

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
        texts = [fold(one.text) for one in seen]
        # Most words are in none of a step's texts: to look for them once in all is a tenth of the work.
        everything = "\n".join(texts)
        words = [word for word in self._near if word in everything]
        return [self._find(text, words) for text in texts]

    def _find(self, folded: str, words: Sequence[str]) -> list[Finding]:
        """One finding of a category: a person reads the text once."""
        found: dict[str, Finding] = {}
        for rule in self._near_by(folded, words):
            if rule.category not in found and (span := rule.search(folded)):
                found[rule.category] = Finding(
                    rule=f"{rule.category}/{rule.name}",
                    evidence=excerpt(folded, *span),
                    action=self._config.actions.get(rule.category, rule.action or self._config.action),
                )
        return list(found.values())

    def _near_by(self, folded: str, words: Sequence[str]) -> list[Rule]:
        """The rules whose expressions are worth running, in order. Almost always none."""
        chosen = self._always | {number for word in words if word in folded for number in self._near[word]}
        return [self.rules[number] for number in sorted(chosen)]


def fold(text: str) -> str:
    """Lower case, one space between words, no lookalikes by width, no invisible characters, no terminal codes."""
    if _CONTROLS.search(text):
        text = _CONTROLS.sub("", _TERMINAL.sub("", text))
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(symbol for symbol in decomposed if unicodedata.category(symbol) not in INVISIBLE)
    return " ".join(text.lower().split())


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
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, re.error) as error:
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
