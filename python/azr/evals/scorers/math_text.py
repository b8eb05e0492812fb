r"""What is taken off answers to mathematics before they are compared: dollars, words, layout, units.

The library reads LaTeX; what people write is LaTeX with words around it. Each step here removes or rewrites something
that does not change what the answer says. Nothing is evaluated.
"""

import re
from collections.abc import Iterator
from typing import Final

UNITS: Final = (
    "degrees? celsius|degrees? fahrenheit|degrees?|radians?|rad|kilomet(?:er|re)s?|centimet(?:er|re)s?"
    "|millimet(?:er|re)s?|met(?:er|re)s?|inch(?:es)?|feet|foot|yards?|miles?|kilograms?|grams?|pounds?|ounces?|tons?"
    "|lit(?:er|re)s?|gallons?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|dollars?|cents?|euros?|percent"
    "|units?|square|cubic|per|mph|kmh|km/h|m/s|km|cm|mm|nm|kg|mg|lbs?|oz|ml|hz|khz|mhz|joules?|newtons?|watts?"
    "|volts?|amps?|ohms?|pascals?|kelvin|moles?|mol|people|students|ways|points|apples|coins|books|games|times|pieces"
    "|tickets|balls|cards|boys|girls|men|women|children|marbles|years old|kj|kpa|ev|kev|mev|ergs?|angstroms?"
    "|parsecs?|solar masses"
)
_UNIT_WORDS = re.compile(rf"(?<![\\A-Za-z{{])(?:{UNITS})(?![A-Za-z])(?:\s*\^\s*\{{?-?\d\}}?)?", re.IGNORECASE)
_WRAPPER = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|textnormal|operatorname|hbox)\s*\{([^{}]*)\}")
_SPACES = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|(?:q?quad|thinspace|displaystyle|left|right|limits|bigl?|bigr?|Bigl?|Bigr?)\b)"
)
_THOUSANDS = re.compile(r"(?<![\d.])(\d{1,3})((?:(?:,|\{,\}|\\,)\d{3})+)(?![\d,])")
_SHORT_FRACTION = re.compile(r"\\[dt]?frac\s*(\d|[a-z])\s*(\d|[a-z])(?![a-z\d])")
_SHORT_BINOMIAL = re.compile(r"\\[dt]?binom\s*(\d|[a-z])\s*(\d|[a-z])(?![a-z\d])")
_SCIENTIFIC = re.compile(r"(?<![A-Za-z\d.])(-?\d+(?:\.\d+)?)[eE]([+-]?\d+)(?![\d.])")
_MIXED = re.compile(r"(?<![\d/.])(-?\d+)\s+(\d+)\s*/\s*(\d+)(?![\d/])")
_POWER = re.compile(r"\*\*\s*(\(?-?\w+\)?)")
_SQRT = re.compile(r"(?<!\\)sqrt\s*\(([^()]*)\)|(?<!\\)\u221a\s*(\d+|\([^()]*\))")
_MEMBER = re.compile(r"^[A-Za-z](?:\([A-Za-z]\))?\s*\\in(?![a-z])\s*")
_TRIGONOMETRY = re.compile(r"(\\(?:sin|cos|tan|cot|sec|csc))\s*\(?\s*(\d+(?:\.\d+)?)\s*\^\s*\{?\s*\\circ\s*\}?\s*\)?")
_SUBSCRIPT = re.compile(r"_\{?(\d+)\}?$")
_LEAD = re.compile(r"^(?:the\s+)?(?:final\s+)?answer(?:\s+is)?\s*:?\s*", re.IGNORECASE)
_NAMES = {
    "\u221e": r"\infty", "\u03c0": r"\pi", "\u00b0": r"^\circ", "\u00d7": r"\times", "\u00b7": r"\cdot",
    "\u00f7": "/", "\u2212": "-", "\u2013": "-", "\u2264": r"\le", "\u2265": r"\ge", "\u222a": r"\cup",
    "\u2229": r"\cap", "\u00bd": r"\frac{1}{2}", "\u00bc": r"\frac{1}{4}", "\u00be": r"\frac{3}{4}", "\u00b2": "^2",
    "\u00b3": "^3", "\u00b1": r"\pm", "\u2260": r"\ne", "\u03b8": r"\theta",
}  # fmt: skip


def _measures() -> dict[str, str]:
    """Every name of a unit of measure, to the one that stands for it."""
    names = {
        "m": "meter meters metre metres", "cm": "centimeter centimeters centimetre centimetres",
        "mm": "millimeter millimeters millimetre millimetres", "km": "kilometer kilometers kilometre kilometres",
        "inch": "inches", "foot": "feet ft", "yard": "yards yd", "mile": "miles", "kg": "kilogram kilograms",
        "g": "gram grams", "mg": "milligram milligrams", "pound": "pounds lb lbs", "ounce": "ounces oz", "ton": "tons",
        "second": "seconds s sec", "minute": "minutes min", "hour": "hours h hr hrs", "day": "days", "week": "weeks",
        "month": "months", "year": "years", "liter": "liters litre litres l", "ml": "milliliter milliliters",
        "dollar": "dollars", "cent": "cents", "degree": "degrees", "radian": "radians rad",
    }  # fmt: skip
    return {word: name for name, others in names.items() for word in [name, *others.split()]}


_MEASURES: Final = _measures()


def candidates(gold: str, answer: str) -> Iterator[tuple[str, str]]:
    """Pairs of readings of which one has to agree: as they stand without decoration, and without words and units."""
    left, right = tidy(gold), tidy(answer)
    if not left or not right or _conflict(units(left), units(right)):
        return
    yield left, right
    if _is_words(left):
        yield words(left), words(right)
        return
    bare = without_units(left), without_units(right)
    if all(bare) and bare != (left, right):
        yield bare
    if ("%" in left) != ("%" in right):
        # "What percent?": the number alone is an answer.
        plain = tuple(re.sub(r"\s*\\?%", "", side) for side in bare)
        if all(plain) and plain != bare:
            yield plain[0], plain[1]


def tidy(text: str) -> str:
    r"""Without dollars, boxes of words, spacing commands and a final full stop; common short forms written out."""
    text = _THOUSANDS.sub(lambda m: m[1] + re.sub(r"\D", "", m[2]), _LEAD.sub("", text.strip()).strip())
    for name, latex in _NAMES.items():
        text = text.replace(name, latex)
    if text.startswith(r"\(") or text.startswith(r"\["):
        text = text[2:].removesuffix(r"\)").removesuffix(r"\]")
    text = text.replace(r"\$", "").replace("$", "").replace("**Answer**", "")
    text = _SPACES.sub(" ", text.replace("\\!", "")).strip()
    text = re.sub(r"(?<!\\)(?:\.|,|;)+$", "", text).strip()
    text = text.removeprefix("**").removesuffix("**").strip() if text.startswith("**") else text
    text = re.sub(r"\\(?:text|mathrm)\s*\{\s*-\s*\}", "-", text)
    # The imaginary unit as a letter that stands alone: the library takes `3i` and `i3` for other kinds of number.
    text = re.sub(r"\\(?:text|mathrm)\s*\{\s*i\s*\}", "i", text)
    text = re.sub(r"(?<=\d)\s*i(?![A-Za-z])", r" \\cdot i", text)
    text = re.sub(r"\\log_\{?e\}?(?![a-z])", r"\\ln", text)
    text = _TRIGONOMETRY.sub(r"\1{(\2 \\cdot \\frac{\\pi}{180})}", text)
    text = re.sub(r"(?<=\d)\s*in\.?$", " inches", text)
    text = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    text = _SHORT_BINOMIAL.sub(r"\\binom{\1}{\2}", text)
    text = text.replace(r"\dfrac", r"\frac").replace(r"\tfrac", r"\frac").replace(r"\dbinom", r"\binom")
    text = _SQRT.sub(lambda m: rf"\sqrt{{{m[1] or m[2]}}}", text)
    text = _POWER.sub(lambda m: f"^{{{m[1].strip('()')}}}", text)
    text = _SCIENTIFIC.sub(r"\1 \\cdot 10^{\2}", text)
    text = _MIXED.sub(r"\1\\frac{\2}{\3}", text)
    text = _MEMBER.sub("", text)
    return re.sub(r"\s+", " ", text).strip()


def without_units(text: str) -> str:
    """Without words in text commands, names of units, degree signs and the base that a number is written in."""
    text = _WRAPPER.sub(" ", text)
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?\s*[CF]?", "", text)
    text = _UNIT_WORDS.sub(" ", text)
    if re.fullmatch(r"[0-9A-F]+_\{?\d+\}?", text.strip()):
        text = _SUBSCRIPT.sub("", text.strip())
    return re.sub(r"\s+", " ", text).strip()


def units(text: str) -> frozenset[str]:
    """The units of measure that a text names, each by one name; single letters only inside a text command."""
    wrapped = " ".join(match[1] for match in _WRAPPER.finditer(text)).replace("~", " ")
    found = {_MEASURES.get(word) for word in re.findall(r"[A-Za-z]+", wrapped.lower())}
    found |= {_MEASURES.get(word) for word in re.findall(r"(?<![\\A-Za-z])[A-Za-z]{2,}", text.lower())}
    return frozenset(name for name in found if name)


def _conflict(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether both name units, and other ones."""
    return bool(left and right and left != right)


def words(text: str) -> str:
    """Words alone, for answers that are a word, a name or a letter."""
    text = _WRAPPER.sub(r"\1", text)
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def _is_words(text: str) -> bool:
    """Whether an answer is text, not a formula: words of two letters and more, or one in a text command."""
    inner = _WRAPPER.fullmatch(text)
    if inner:
        return bool(re.search(r"[A-Za-z]", inner[1])) and not units(text)
    return re.fullmatch(r"[A-Za-z]{2,}(?:[ -][A-Za-z]{2,})*", text) is not None and text.lower() not in ("pi",)
