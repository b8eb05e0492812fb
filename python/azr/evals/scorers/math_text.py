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
_RAISED_WORDS = re.compile(_WRAPPER.pattern + r"\s?\^\s?\{?\s?-?\d\s?\}?")
_SPACES = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|(?:q?quad|thinspace|displaystyle|left|right|limits|bigl?|bigr?|Bigl?|Bigr?)\b)"
)
_THOUSANDS = re.compile(r"(?<![\d.])(\d{1,3})((?:(?:,|\{,\}|\\,)\d{3})+)(?![\d,])")
_GROUPED = re.compile(r"-?\d{1,3}(?: \d{3})+")
_PERCENT = re.compile(r"\s?\\(?:text|mathrm)\s?\{ ?per ?cent ?\}|\s?\bper ?cent\b", re.IGNORECASE)
_NEGATIVE_POWER = re.compile(r"\^ ?-(\d+|[a-z])")
_FUNCTION = re.compile(
    r"(\\(?:log(?:_\w|_\{\w+\})?|ln|sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan)) ?\{([^{}]*)\}(?= ?/)"
)
_TAKEN_BACK = re.compile(
    r"\b(?:not|never|no longer|if|unless|except|otherwise|instead|wrong|incorrect)\b", re.IGNORECASE
)
_RAISED = re.compile(r"\s?\^\s?\{?\s?(\d)\s?\}?")
_NAMED = re.compile(
    r"(?:(?P<by>square|sq|cubic|cu)\.?\s)?(?<![\\a-z])(?P<name>[a-z]+)(?:\s?\^\s?\{?\s?(?P<power>\d)\s?\}?)?"
)
"""A word, and the power that makes another unit of it."""
_DOTS = re.compile(r"\\(?:[lc]?dots|dotsc)\b|\.\.\.")
_TWO_MEASURES = re.compile(r"\d\s?\\(?:text|mathrm)\s?\{(?!\s{0,9}(?:and|or)\b)[^{}\d]{1,40}\}\s?\d")
"""`5 \\text{ hours } 30`: no number alone."""
_MULTIPLE = re.compile(r"\b(?:dozen|hundred|thousand|million|billion|trillion)(?=s?\b)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))? *(?:([ap])\.? ?m\.?)?", re.IGNORECASE)
_BASED = re.compile(r"(\d[0-9A-F]*|[A-F]+\d[0-9A-F]*)_\{?(\d{1,2})\}?")
_SHORT_FRACTION = re.compile(r"\\[dt]?frac\s*(\d|[a-z])\s*(\d|[a-z])(?![a-z\d])")
_SHORT_BINOMIAL = re.compile(r"\\[dt]?binom\s*(\d|[a-z])\s*(\d|[a-z])(?![a-z\d])")
_SCIENTIFIC = re.compile(r"(?<![A-Za-z\d.])(-?\d+(?:\.\d+)?)[eE]([+-]?\d+)(?![\d.])")
_MIXED = re.compile(r"(?<![\d/.])(-?\d+)\s+(\d+)\s*/\s*(\d+)(?![\d/])")
_POWER = re.compile(r"\*\*\s*(\(?-?\w+\)?)")
_SQRT = re.compile(r"(?<!\\)sqrt\s*\(([^()]*)\)|(?<!\\)\u221a\s*(\d+|\([^()]*\))")
_MEMBER = re.compile(r"^[A-Za-z](?:\([A-Za-z]\))?\s*\\in(?![a-z])\s*")
_TRIGONOMETRY = re.compile(r"(\\(?:sin|cos|tan|cot|sec|csc))\s*\(?\s*(\d+(?:\.\d+)?)\s*\^\s*\{?\s*\\circ\s*\}?\s*\)?")
_SUBSCRIPT = re.compile(r"_\{?(\d+)\}?$")
_MODULUS = re.compile(r"\s?(?:\\pmod\s?|\(\s?\\?mod\s?|\\bmod\s?|\\mod\s?)\{?\s?(\d+)\s?\}?\s?\)?$")
_LONE_UNIT = re.compile(r"(?<=\d)\s?([mgsl])((?:\s?\^\s?\{?\d\}?)?)$")
"""One letter after a number, as in `3 m`: a unit where the other answer has one."""
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
    left, right = _both_units(*_same_modulus(tidy(gold), tidy(answer)))
    if not left or not right or _conflict(units(left), units(right)):
        return
    if (_says_more(right) and not _says_more(left)) or multiple(left) != multiple(right):
        return
    if (clock := _clock(left)) is not None and ":" in right:
        # A time of day; as ratios, 1:15 and 2:30 would be the same.
        if (other := _clock(right)) is not None and _same_time(clock, other):
            yield left, left
        return
    if (value := _in_base(right)) is not None:
        own = _in_base(left)
        yield str(own) if own is not None else left, str(value)
        return
    yield left, right
    if _is_words(left):
        yield words(left), words(right)
        return
    bare = without_units(left), without_units(right)
    if all(bare) and bare != (left, right):
        yield bare
    if "%" in left and "%" not in right:
        # "What percent?": the number alone is an answer. Five per cent is none where the answer is five.
        plain = tuple(re.sub(r"\s*\\?%", "", side) for side in bare)
        if all(plain) and plain != bare:
            yield plain[0], plain[1]


def _same_modulus(left: str, right: str) -> tuple[str, str]:
    """Both without the modulus that they are given to, unless both name one and they differ."""
    of_left, of_right = _MODULUS.search(left), _MODULUS.search(right)
    if of_left and of_right and of_left[1] != of_right[1]:
        return left, right
    return _MODULUS.sub("", left), _MODULUS.sub("", right)


def _both_units(left: str, right: str) -> tuple[str, str]:
    """Both with a last letter as a unit, where the other has units."""

    def named(text: str) -> str:
        return _LONE_UNIT.sub(r" \\text{\1}\2", text)

    return (named(left) if units(right) else left), (named(right) if units(left) else right)


def _says_more(text: str) -> bool:
    """Whether an answer takes back what it says, holds only in a case, or goes on for ever."""
    said = " ".join(match[1] for match in _WRAPPER.finditer(text))
    return bool(_TAKEN_BACK.search(said) or _DOTS.search(text) or _TWO_MEASURES.search(text))


def multiple(text: str) -> frozenset[str]:
    """Words that multiply the number before them."""
    return frozenset(_MULTIPLE.findall(text.lower()))


def _clock(text: str) -> tuple[tuple[int, ...], str] | None:
    """Hours, minutes and seconds, and the half of the day if it is said; None for what is no time of day."""
    found = _CLOCK.fullmatch(_WRAPPER.sub(r"\1", text).strip())
    if found is None or int(found[1]) > 24 or int(found[2]) > 59:
        return None
    return tuple(int(part) for part in (found[1], found[2], found[3] or "0")), (found[4] or "").lower()


def _same_time(left: tuple[tuple[int, ...], str], right: tuple[tuple[int, ...], str]) -> bool:
    return left[0] == right[0] and (not left[1] or not right[1] or left[1] == right[1])


def _in_base(text: str) -> int | None:
    """The value of a number that is written with its base, as in `52_8`."""
    found = _BASED.fullmatch(text)
    try:
        return int(found[1], int(found[2])) if found is not None else None
    except ValueError:
        return None  # no digits of that base: a letter with an index, for one


def tidy(text: str) -> str:
    r"""Without dollars, boxes of words, spacing commands and a final full stop; common short forms written out."""
    text = re.sub(r",\s{0,9}\\!\s{0,9}", ",", text)
    text = re.sub(r"\s+", " ", re.sub(r"\\(?:!|hspace\s?\{[^{}]*\})|~", " ", text)).strip()
    text = _THOUSANDS.sub(lambda m: m[1] + re.sub(r"\D", "", m[2]), _LEAD.sub("", text).strip())
    if _GROUPED.fullmatch(text):
        text = text.replace(" ", "")
    for name, latex in _NAMES.items():
        text = text.replace(name, latex)
    if text.startswith(r"\(") or text.startswith(r"\["):
        text = text[2:].removesuffix(r"\)").removesuffix(r"\]")
    text = text.replace(r"\$", "").replace("$", "").replace("**Answer**", "")
    text = _SPACES.sub(" ", text).strip()
    text = _PERCENT.sub(r"\%", text)
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
    text = _NEGATIVE_POWER.sub(r"^{-\1}", text)
    text = _FUNCTION.sub(r"\1\\left(\2\\right)", text)
    text = _POWER.sub(lambda m: f"^{{{m[1].strip('()')}}}", text)
    text = _SCIENTIFIC.sub(r"\1 \\cdot 10^{\2}", text)
    text = _MIXED.sub(r"\1\\frac{\2}{\3}", text)
    text = _MEMBER.sub("", text)
    return re.sub(r"\s+", " ", text).strip()


def without_units(text: str) -> str:
    """Without words in text commands, names of units, degree signs and the base that a number is written in."""
    # The power of a unit goes with it: left behind, it would be that of the number.
    text = _RAISED_WORDS.sub(lambda m: " " if _UNIT_WORDS.search(m[1]) or units(m[0]) else m[0], text)
    text = _WRAPPER.sub(" ", text)
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?\s*[CF]?", "", text)
    text = _UNIT_WORDS.sub(" ", text)
    if _BASED.fullmatch(text.strip()):
        text = _SUBSCRIPT.sub("", text.strip())
    return re.sub(r"\s+", " ", text).strip()


def units(text: str) -> frozenset[str]:
    """The units of measure that a text names, each by one name and power; single letters only in a text command."""
    low = text.lower()
    wrapped = " ".join(f"{match[1]}{_power(low, match.end())}" for match in _WRAPPER.finditer(low)).replace("~", " ")
    found = {_unit(match) for match in _NAMED.finditer(wrapped)}
    found |= {_unit(match) for match in _NAMED.finditer(_WRAPPER.sub(" ", low)) if len(match["name"]) > 1}
    if re.search(r"\^ ?\{? ?\\circ(?! ?\}? ?\\?[a-z]{0,4}\{? ?[CFK])", text):
        found.add("degree")
    return frozenset(name for name in found if name)


def _power(text: str, at: int) -> str:
    """The power that stands at `at`, as `^2`; nothing where none does."""
    found = _RAISED.match(text, at)
    return f"^{found[1]}" if found else ""


def _unit(found: re.Match[str]) -> str | None:
    """The one name of a unit with its power, as `cm2`; None for a word that is no unit."""
    name = _MEASURES.get(found["name"])
    power = {"square": "2", "sq": "2", "cubic": "3", "cu": "3"}.get(found["by"] or "", found["power"] or "1")
    return name and (name if power == "1" else name + power)


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
