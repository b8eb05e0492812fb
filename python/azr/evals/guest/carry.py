"""Python values as plain data and back: how arguments and results travel between interpreters.

A value becomes two flat lists, so that no nesting of its own counts: `codes`, one letter for each part, and `items`,
what the part holds. A subclass travels as the data that it is; a value that holds anything else, an object of a class
of the program's own for one, raises `Foreign`. Equal texts of both lists mean the same value.
"""

import builtins
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

MAX_DEPTH = 400
"""Values nested deeper, or inside themselves, do not travel."""
MAX_DRAWN = 100_000
"""Elements that are drawn from an iterator."""
SMALL = 1 << 64
"""Larger integers travel as hexadecimal text: decimal digits are slow to make and to read."""


class Foreign(Exception):
    """A value that plain data cannot express: its class's name."""


def encode(*values: object, own: tuple[object, ...] = ()) -> tuple[str, list]:
    """The two lists of some values, one after the other. What *is* one of `own` travels as its place there."""
    codes, items = [], []
    # By identity: an equal list is another list. `own` keeps its values alive.
    places = {id(value): place for place, value in enumerate(own) if type(value) in _MUTABLE}
    for value in values:
        _write(value, codes, items, places, 0)
    return "".join(codes), items


def decode(codes: str, items: list, own: tuple[object, ...] = ()) -> list:
    """The values of two lists: exact classes of Python's own."""
    reader = _Reader(codes, items, own)
    values = []
    while reader.at < len(codes):
        values.append(reader.value())
    return values


def key(codes, items):
    """One text for each value."""
    return f"{codes} {items!r}"


def _write(value, codes, items, places, depth):
    if depth > MAX_DEPTH:
        raise Foreign("nested too deeply")
    if places and id(value) in places:
        codes.append("a")
        items.append(places[id(value)])
        return
    cls = type(value)
    write = _WRITERS.get(cls)
    if write is None:
        # By the real bases: what a class says of itself (`__class__`, `__instancecheck__`) counts for nothing.
        write = next((_WRITERS[base] for base in type.__dict__["__mro__"].__get__(cls) if base in _WRITERS), None)
    if write is None:
        write = _drawn if _is_iterator(cls) else _named
    write(value, codes, items, places, depth + 1)


def _plain(value, codes, items, places, depth):
    codes.append("v")
    items.append(value)


def _int(value, codes, items, places, depth):
    value = int.__add__(value, 0)
    small = -SMALL < value < SMALL
    codes.append("v" if small else "i")
    items.append(value if small else hex(value))


def _float(value, codes, items, places, depth):
    value = float.__add__(value, -0.0)
    # Neither NaN nor infinity is a literal.
    finite = value - value == 0.0
    codes.append("v" if finite else "f")
    items.append(value if finite else float.__repr__(value))


def _complex(value, codes, items, places, depth):
    codes.append("c")
    items.append([float.__repr__(complex.real.__get__(value)), float.__repr__(complex.imag.__get__(value))])


def _str(value, codes, items, places, depth):
    data = str.encode(value, "utf-8", "surrogatepass")
    try:
        codes.append("v")
        items.append(data.decode("utf-8"))
    except UnicodeDecodeError:
        codes[-1] = "s"
        items.append(data)


def _bytes(value, codes, items, places, depth):
    codes.append("v")
    items.append(bytes.__getitem__(value, slice(None)) if type(value) is bytes else b"".join([value]))


def _bytearray(value, codes, items, places, depth):
    codes.append("b")
    items.append(bytes(bytearray.__getitem__(value, slice(None))))


def _row(code, cls):
    def write(value, codes, items, places, depth):
        # The rows of sets in one order: equal sets have equal texts.
        parts = list(cls.__iter__(value))
        codes.append(code)
        items.append(len(parts))
        if code in "ez":
            parts = [encode(part) for part in parts]
            parts.sort(key=lambda part: key(*part))
            for of_part, in_part in parts:
                codes.append(of_part)
                items.extend(in_part)
            return
        for part in parts:
            _write(part, codes, items, places, depth)

    return write


def _table(code, cls):
    def write(value, codes, items, places, depth):
        pairs = list(cls.items(value))
        codes.append(code)
        items.append(len(pairs))
        for name, part in pairs:
            _write(name, codes, items, places, depth)
            _write(part, codes, items, places, depth)

    return write


def _deque(value, codes, items, places, depth):
    parts = list(deque.__iter__(value))
    codes.append("q")
    items.append([len(parts), deque.maxlen.__get__(value)])
    for part in parts:
        _write(part, codes, items, places, depth)


def _made(code, parts_of):
    """Values that are made from a few plain ones."""

    def write(value, codes, items, places, depth):
        codes.append(code)
        items.append(0)
        _write(parts_of(value), codes, items, places, depth)

    return write


def _moment(value):
    if type(value) not in _MOMENTS or getattr(value, "tzinfo", None) is not None:
        raise Foreign(_name(type(value)))
    return (_MOMENTS[type(value)], [getattr(value, name) for name in _FIELDS[type(value)]])


def _view(value):
    return ({type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}[type(value)], list(value))


def _drawn(value, codes, items, places, depth):
    """An iterator: its elements, and whether it ended by an exception."""
    parts = []
    for part in value:
        if len(parts) == MAX_DRAWN:
            raise Foreign(f"{_name(type(value))} without end")
        parts.append(part)
    codes.append("g")
    items.append(len(parts))
    for part in parts:
        _write(part, codes, items, places, depth)


def _named(value, codes, items, places, depth):
    """Classes and constants of Python's own, by their name."""
    for name, known in _NAMED.items():
        if known is value:
            codes.append("y")
            items.append(name)
            return
    raise Foreign(_name(type(value)))


def _is_iterator(cls):
    return "__next__" in dir(cls) and "__iter__" in dir(cls) and cls.__module__ in ("builtins", "itertools")


def _name(cls):
    return str(type.__dict__["__name__"].__get__(cls))[:100]


class _Reader:
    """Reads values off two lists."""

    def __init__(self, codes, items, own):
        self.codes = codes
        self.items = items
        self.own = own
        self.at = 0

    def value(self):
        code, item = self.codes[self.at], self.items[self.at]
        self.at += 1
        return item if code == "v" else _READERS[code](self, item)

    def values(self, count):
        return [self.value() for _ in range(count)]

    def pairs(self, count):
        return [(self.value(), self.value()) for _ in range(count)]


def _read_queue(reader, item):
    count, bound = item
    return deque(reader.values(count), bound)


def _read_view(reader, item):
    kind, parts = reader.value()
    table = dict(parts) if kind == "items" else dict.fromkeys(parts) if kind == "keys" else dict(enumerate(parts))
    return {"keys": table.keys, "values": table.values, "items": table.items}[kind]()


def _read_moment(reader, item):
    kind, parts = reader.value()
    return {"date": date, "datetime": datetime, "time": time, "timedelta": timedelta}[kind](*parts)


def _read_array(reader, item):
    kind, parts = reader.value()
    return array(kind, parts)


_READERS = {
    "i": lambda reader, item: int(item, 16),
    "f": lambda reader, item: float(item),
    "c": lambda reader, item: complex(float(item[0]), float(item[1])),
    "s": lambda reader, item: item.decode("utf-8", "surrogatepass"),
    "b": lambda reader, item: bytearray(item),
    "l": lambda reader, item: reader.values(item),
    "t": lambda reader, item: tuple(reader.values(item)),
    "e": lambda reader, item: set(reader.values(item)),
    "z": lambda reader, item: frozenset(reader.values(item)),
    "d": lambda reader, item: dict(reader.pairs(item)),
    "o": lambda reader, item: OrderedDict(reader.pairs(item)),
    "k": lambda reader, item: Counter(dict(reader.pairs(item))),
    "q": _read_queue,
    "r": lambda reader, item: range(*reader.value()),
    "F": lambda reader, item: Fraction(*reader.value()),
    "D": lambda reader, item: Decimal(reader.value()),
    "T": _read_moment,
    "A": _read_array,
    "W": _read_view,
    "g": lambda reader, item: iter(reader.values(item)),
    "y": lambda reader, item: _NAMED[item],
    "a": lambda reader, item: reader.own[item],
}

_MUTABLE = {list, dict, set, bytearray, deque, OrderedDict, Counter, defaultdict}
_MOMENTS = {date: "date", datetime: "datetime", time: "time", timedelta: "timedelta"}
_FIELDS = {
    date: ("year", "month", "day"),
    datetime: ("year", "month", "day", "hour", "minute", "second", "microsecond"),
    time: ("hour", "minute", "second", "microsecond"),
    timedelta: ("days", "seconds", "microseconds"),
}
_NAMED = {
    name: value
    for name, value in vars(builtins).items()
    if value is Ellipsis or value is NotImplemented or (isinstance(value, type) and not name.startswith("_"))
}

_WRITERS = {
    type(None): _plain,
    bool: _plain,
    int: _int,
    float: _float,
    complex: _complex,
    str: _str,
    bytes: _bytes,
    bytearray: _bytearray,
    list: _row("l", list),
    tuple: _row("t", tuple),
    set: _row("e", set),
    frozenset: _row("z", frozenset),
    OrderedDict: _table("o", OrderedDict),
    Counter: _table("k", dict),
    dict: _table("d", dict),
    deque: _deque,
    range: _made("r", lambda value: (value.start, value.stop, value.step)),
    Fraction: _made("F", lambda value: (int(value.numerator), int(value.denominator))),
    Decimal: _made("D", Decimal.__str__),
    date: _made("T", _moment),
    datetime: _made("T", _moment),
    time: _made("T", _moment),
    timedelta: _made("T", _moment),
    array: _made("A", lambda value: (value.typecode, list(array.__iter__(value)))),
    type({}.keys()): _made("W", _view),
    type({}.values()): _made("W", _view),
    type({}.items()): _made("W", _view),
}
