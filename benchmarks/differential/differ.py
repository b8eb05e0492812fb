"""What every drawn program imports, here and there: the library, helpers that templates name, and how an item ends."""

# ruff: noqa: E401, F401, I001
import array, ast, base64, binascii, bisect, calendar, cmath, collections, colorsys, configparser, copy, csv
import contextlib, dataclasses, decimal, difflib, enum, fractions, functools, graphlib, hashlib, heapq, hmac
import html, inspect, io, ipaddress, itertools, json, math, operator, pickle, posixpath, pprint, quopri
import random, re, reprlib, shlex, statistics, string, struct, sys, textwrap, tokenize, tomllib, types, typing
import unicodedata, urllib.parse, uuid, warnings, zlib
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

warnings.simplefilter("ignore")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LONG = 1500


def changed(obj, method, *args, **options):
    """What a method gives and what it leaves."""
    given = getattr(obj, method)(*args, **options)
    return (given if given is not obj else "itself", obj)


def unpacked(obj):
    a, *b, c = obj
    return a, b, c


def heaped(items):
    items = list(items)
    heapq.heapify(items)
    heapq.heappush(items, 3)
    return [heapq.heappop(items) for _ in range(len(items))]


def bisected(items, key):
    items = sorted(items)
    bisect.insort(items, key)
    return [bisect.bisect_left(items, key), bisect.bisect(items, key), *items]


def shuffled(seed, items):
    items = list(items)
    random.Random(seed).shuffle(items)
    return items


def grouped(items, key):
    found = collections.defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)


def collected(items):
    def walk(items):
        for item in items:
            if isinstance(item, list | tuple):
                yield from walk(item)
            else:
                got = yield item
                if got:
                    yield got

    return walk(items)


def groups(match):
    return match and (match.span(), match.group(), *match.groups(), match.lastindex)


def groupdict(match):
    return match and match.groupdict()


def csv_row(row):
    out = io.StringIO()
    csv.writer(out).writerow(row)
    return out.getvalue()


def configured(text):
    parser = configparser.ConfigParser()
    parser.read_string("[s]\n" + text)
    return {name: dict(parser[name]) for name in parser.sections()}


def enum_member(name, value):
    kind = enum.Enum("Kind", {"A": 1, name: value})
    return kind(value), list(kind), kind.A.name


def flags(value):
    class Flags(enum.IntFlag):
        R = 4
        W = 2
        X = 1

    return Flags(value), ~Flags.R, Flags.R | Flags.X


def point(x, y):
    @dataclasses.dataclass(order=True)
    class Point:
        x: object
        y: object = 0

    return Point(x, y), Point(x) < Point(x, y), dataclasses.astuple(Point(y, x))


def exec_value(text):
    space = {"__builtins__": {}}
    exec(text, space)
    return sorted(space)


def show(value, depth=0):
    """Text of a value, in which nothing depends on an address or on the order of a set of text."""
    kind = type(value)
    if depth > 20:
        return "..."
    if kind in (list, tuple) or kind in (set, frozenset) or kind is collections.deque:
        parts = [show(item, depth + 1) for item in value]
        if kind in (set, frozenset):
            parts.sort()
        return f"{kind.__name__}({', '.join(parts)})"
    if kind in (dict, collections.OrderedDict, collections.Counter):
        parts = [f"{show(key, depth + 1)}: {show(item, depth + 1)}" for key, item in value.items()]
        return f"{kind.__name__}({', '.join(parts)})"
    text = repr(value)
    if kind in (int, str, float, bool, bytes):
        return text
    if " at 0x" in text:
        text = _ADDRESS.sub("", text)
    return f"{kind.__name__} {text}"


def folded(constant, through, *values):
    """How an expression of constants ends, and how it ends through variables, if that is another end."""
    one, other = _lone_end(constant), _lone_end(lambda: through(*values))
    return one if one == other else ["folded", one, other]


def _lone_end(expression):
    try:
        return type(value := expression()).__name__, show(value)
    except Exception as error:
        return type(error).__name__


def _end(item):
    noted = []
    try:
        value = item(noted) if item.__name__ != "<lambda>" else item()
        if type(value) in (types.GeneratorType, map, filter, zip, enumerate, reversed):
            value = list(itertools.islice(value, 50))
        text = "=" + show(value)
    except Exception as error:
        text = "!" + type(error).__name__
        if noted:
            text += " " + show(noted)
    if len(text) > _LONG:
        text = f"{text[:_LONG]} {len(text)} {zlib.crc32(text.encode('utf-8', 'surrogatepass'))}"
    return text.encode("utf-8", "backslashreplace").decode()


def ends(items):
    """How each item ends: `=` and a value's text, or `!` and the name of an exception's class and what was noted."""
    return [_end(item) for item in items]
