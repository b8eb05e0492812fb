"""Literals of the types that expressions are made of: mostly plain values, with those at an edge among them."""

from collections.abc import Callable
from random import Random

_EDGES = (
    0, 1, -1, 2, -2, 3, 5, 7, 10, -10, 16, 100, 255, 256, -128, 997, 1000, 65535, 65536, 2**31 - 1, 2**31, -(2**31),
    -(2**31) - 1, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**61 - 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**15,
    10**18 + 9, 10**25, -(10**30) + 7, 3**70, 2**127 - 1, 12345678901234567890,
)  # fmt: skip
_FLOATS = (
    "0.0", "-0.0", "1.0", "-1.0", "0.5", "2.5", "-2.5", "0.1", "0.2", "0.3", "1.1", "3.14159", "2.675", "1e16", "1e15",
    "123456789.125", "1e22", "1e23", "1e100", "-1e-5", "1e-7", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308",
    "9007199254740993.0", "0.30000000000000004", "1e308", "4.35", "1.005", "float('inf')", "float('-inf')", "float('nan')",
)  # fmt: skip
_WORDS = (
    "", "a", "b", "abc", "Abc", "hello", "Hello World", "x y  z", " pad ", "a,b,,c", "aaa", "abcabc", "banana", "12", "-7",
    "3.5", "1_000", "0x1f", "+5", "1e3", "key=value", "a\\tb\\nc", "line1\\nline2\\r\\nline3", "snake_case_name", "CamelCase",
    "\\u00e9t\\u00e9", "stra\\u00dfe", "\\u03a3\\u03af\\u03c3\\u03c5\\u03c6\\u03bf\\u03a3", "\\u0130x", "\\u01c6", "e\\u0301",
    "\\u4f60\\u597d", "\\U0001f600ok", "\\u0661\\u0662", "\\u00b2\\u00bd", "\\u2028x", "\\x1cy\\x85", "\\x00", "tab\\t", "it's",
    'say \\"hi\\"', "back\\\\slash", "{0} and {}", "%s is %d", "$name", "ABC", "zzz", "a-b-c", "A1b2C3", "\\ufb01ne", "\\xa0nb",
)  # fmt: skip
_BYTES = (
    "",
    "a",
    "abc",
    "hello",
    "A,B",
    "\\x00\\xff",
    "\\x80abc",
    "12",
    "  x ",
    "aXbXc",
    "line\\nnext",
    "\\xc3\\xa9",
    "\\xf0\\x9f",
    "deadbeef",
)
_SPECS = (
    "", "d", "5d", "05d", "<8", ">8", "^9", "*^10", "+d", " d", ",", "_", "x", "#x", "#010b", "o", "c", "b", "e", ".3e", "f",
    ".2f", "10.3f", "g", ".5g", "#g", "n", "%", ".1%", "s", ".2s", "8.3s", "+.2f", "-10.1f", "=+8", "0=8", "08.3f", "z.1f",
    ",.2f", "_x", "<5d", "10,d", "é>6", "E", "G", ".0f", "#.0f", "020,.3f", "!r", "5.2d", ".10f", ".25g", "X", "#o", "<<6",
)  # fmt: skip
_PERCENTS = ("%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%x", "%#x", "%#o", "%e", "%.3e", "%f", "%.2f", "%10.3f", "%g", "%s", "%r",
             "%a", "%5s", "%-5s|", "%.2s", "%c", "%%", "%i", "%u", "%X", "%G", "%.0f", "%#.3g", "%s-%s", "%(a)s", "%*d", "%.*f")  # fmt: skip
_PATTERNS = (
    "a", "b+", "[a-c]", "\\\\d+", "\\\\w+", "\\\\s", "(a)(b)?", "(?P<n>\\\\w)", "a|b", "^a", "c$", "a*", "a*?", "(?i)ABC", "x*", ".",
    "(?:ab)+", "[^a]", "\\\\b", "(?=b)", "(?<=a)b", "(?!a).", "(.)\\\\1", "a{2}", "a{1,2}?", "", "\\\\W", "(?m)^", "(?s).+", "(?x) a b",
    "[\\\\w-]+", "l+", "o", "(", "[", "*", "(?P<n>a", "\\\\", "(a|b)*c", "(?>a+)b", "a++", "\\\\Z", "(?<!a)b", "(?a:\\\\w)", "[\\\\d,]+",
)  # fmt: skip
_ENCODINGS = ("utf-8", "ascii", "latin-1", "utf-16", "utf-16-le", "utf-32-be", "cp1252", "cp437", "idna", "punycode", "utf-7",
              "unicode_escape", "raw_unicode_escape", "utf-8-sig", "iso8859-15", "koi8-r", "cp1251", "shift_jis", "gbk", "big5")  # fmt: skip
_ERRORS = (
    "strict",
    "ignore",
    "replace",
    "backslashreplace",
    "surrogateescape",
    "xmlcharrefreplace",
    "namereplace",
    "surrogatepass",
)
_CODES = (
    "B",
    "b",
    "h",
    "H",
    "i",
    "I",
    "<q",
    ">Q",
    "<f",
    "d",
    "e",
    "?",
    "c",
    "4s",
    "<hhl",
    ">bH",
    "!I",
    "2x",
    "=iq",
    "<3B",
    "p",
    "10p",
)
_DATE_FORMS = ("%Y-%m-%d", "%d/%m/%y", "%H:%M:%S", "%j", "%a", "%A", "%b %d", "%B", "%p %I", "%U", "%W", "%w", "%u", "%V", "%G", "%f",
               "%%", "%z", "%y", "%Y%m%dT%H%M%S", "%c", "%x", "%X", "%Z")  # fmt: skip
_OPERATORS = (
    "add",
    "sub",
    "mul",
    "eq",
    "lt",
    "le",
    "ne",
    "or_",
    "and_",
    "xor",
    "concat",
    "contains",
    "truediv",
    "floordiv",
    "mod",
)
_FUNCTIONS = (
    "str", "repr", "len", "int", "float", "bool", "abs", "type", "list", "tuple", "sum", "ord", "chr", "sorted", "max", "min", "hash",
    "str.upper", "str.lower", "lambda v: v", "lambda v: -v", "lambda v: (v, v)", "lambda v: v * 2", "lambda v: str(v)[::-1]", "bin",
    "lambda v: v + 1", "lambda v: v % 3", "lambda v: v[0]", "lambda v: not v", "round", "math.floor", "set", "ascii", "Fraction",
    "operator.neg", "lambda *v: v", "divmod", "complex", "bytes", "iter", "reversed", "isinstance", "None", "Decimal",
)  # fmt: skip


def _int(rng: Random) -> str:
    roll = rng.random()
    if roll < 0.55:
        return str(int(rng.random() * 40) - 12)
    if roll < 0.85:
        return str(_EDGES[int(rng.random() * len(_EDGES))])
    return str(rng.randrange(-(10**9), 10**9))


def _float(rng: Random) -> str:
    roll = rng.random()
    if roll < 0.6:
        return _FLOATS[int(rng.random() * len(_FLOATS))]
    if roll < 0.8:
        return repr(int(rng.random() * 400) / 8 - 20)
    return repr(rng.uniform(-10, 10) * 10 ** int(rng.random() * 6))


def _small(rng: Random) -> str:
    return str(int(rng.random() * 9) - 2)


def _choice(texts: tuple[str, ...], form: str = "{}") -> Callable[[Random], str]:
    whole = tuple(form.format(text) for text in texts)
    return lambda rng: whole[int(rng.random() * len(whole))]


def _listed(element: Callable[[Random], str], form: str) -> Callable[[Random], str]:
    def draw(rng: Random) -> str:
        return form.format(", ".join([element(rng) for _ in range(int(rng.random() * 5))]))

    return draw


def _scalar(rng: Random) -> str:
    return _SCALARS[int(rng.random() * len(_SCALARS))](rng)


def _tuple(rng: Random) -> str:
    return "(" + "".join([_scalar(rng) + ", " for _ in range(int(rng.random() * 4))]).rstrip(" ") + ")"


def _dict(rng: Random) -> str:
    return "{" + ", ".join([f"{_scalar(rng)}: {_scalar(rng)}" for _ in range(int(rng.random() * 4))]) + "}"


def _words(rng: Random) -> str:
    return "{" + ", ".join([f"{_str(rng)}: {_scalar(rng)}" for _ in range(int(rng.random() * 4))]) + "}"


def _complex(rng: Random) -> str:
    return f"complex({_float(rng)}, {_float(rng)})" if rng.random() < 0.6 else f"{int(rng.random() * 9)}j"


def _range(rng: Random) -> str:
    return f"range({int(rng.random() * 9) - 3}, {int(rng.random() * 14) - 2}, {rng.choice((1, 1, 1, 2, 3, -1, -2))})"


def _fraction(rng: Random) -> str:
    return f"Fraction({int(rng.random() * 60) - 20}, {int(rng.random() * 12) + 1})"


def _decimal(rng: Random) -> str:
    return f"Decimal('{rng.choice(_DECIMALS)}')"


def _date(rng: Random) -> str:
    year, month, day = 1 + int(rng.random() ** 0.2 * 2400), 1 + int(rng.random() * 12), 1 + int(rng.random() * 28)
    return f"date({year}, {month}, {day})"


def _datetime(rng: Random) -> str:
    rest = f"{int(rng.random() * 24)}, {int(rng.random() * 60)}, {int(rng.random() * 60)}"
    tail = rng.choice(
        ("", "", ", 123456", ", 7000", ", tzinfo=timezone.utc", ", tzinfo=timezone(timedelta(hours=-3, minutes=30))")
    )
    return f"datetime{_date(rng)[4:-1]}, {rest}{tail})"


def _delta(rng: Random) -> str:
    return f"timedelta(days={int(rng.random() * 800) - 300}, seconds={int(rng.random() * 90000)}, microseconds={rng.choice((0, 1, 500000))})"


_DECIMALS = ("0", "-0", "1", "-1.5", "0.1", "3.14159", "1E+3", "1e-10", "2.50", "100", "-7", "1.23E+5", "0.00", "NaN", "Infinity", "-Inf",
             "9.99", "123456789.987654321", "1e30", "0.5", "2", "10", "sNaN")  # fmt: skip
_str = _choice(_WORDS, '"{}"')
_bytes = _choice(_BYTES, 'b"{}"')
_bool = _choice(("True", "False"))
_SCALARS = (_int, _int, _float, _str, _str, _bytes, _bool, _choice(("None",)), _small)

LITERALS: dict[str, Callable[[Random], str]] = {
    "int": _int,
    "small": _small,
    "float": _float,
    "num": lambda rng: (_int, _float, _int, _float, _bool)[int(rng.random() * 5)](rng),
    "complex": _complex,
    "bool": _bool,
    "str": _str,
    "bytes": _bytes,
    "array": lambda rng: f"bytearray({_bytes(rng)})",
    "ints": _listed(_int, "[{}]"),
    "floats": _listed(_float, "[{}]"),
    "strs": _listed(_str, "[{}]"),
    "list": _listed(_scalar, "[{}]"),
    "tuple": _tuple,
    "dict": _dict,
    "words": _words,
    "set": _listed(_int, "set([{}])"),
    "frozen": _listed(_int, "frozenset([{}])"),
    "range": _range,
    "any": _scalar,
    "frac": _fraction,
    "dec": _decimal,
    "date": _date,
    "stamp": _datetime,
    "delta": _delta,
    "spec": _choice(_SPECS, '"{}"'),
    "rawspec": _choice(tuple(spec for spec in _SPECS if "!" not in spec)),
    "percent": _choice(_PERCENTS, '"{}"'),
    "pattern": _choice(_PATTERNS, '"{}"'),
    "codec": _choice(_ENCODINGS, '"{}"'),
    "errors": _choice(_ERRORS, '"{}"'),
    "code": _choice(_CODES, '"{}"'),
    "form": _choice(_DATE_FORMS, '"{}"'),
    "op": _choice(_OPERATORS, "operator.{}"),
    "func": _choice(tuple(f"({text})" if text.startswith("lambda") else text for text in _FUNCTIONS)),
}
"""How a value of each type is written when nothing larger is drawn for it."""
