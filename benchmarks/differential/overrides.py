"""Classes of one's own over built-in types, with some methods of their own, and what is asked of their objects.

What a built-in function reads of an object, its class's method or the data below it, is seen nowhere else: a copy, a
text, a comparison or an in-place change may each read another. Half of the classes are a subclass of the one that has
the methods, which inherits what the interpreter wires to them.
"""

from collections.abc import Sequence
from random import Random

_SIZED = ("'ab'", "'aab'", "''")
BASES: dict[str, Sequence[str]] = {
    "list": _SIZED, "tuple": _SIZED, "set": _SIZED, "frozenset": _SIZED, "collections.deque": _SIZED, "str": _SIZED,
    "collections.Counter": _SIZED, "collections.UserList": _SIZED, "collections.UserString": _SIZED,
    "bytes": ("b'ab'", "b''"), "bytearray": ("b'ab'", "b''"), "dict": ("a=1", "{1: 2, 'a': 3}", ""),
    "collections.OrderedDict": ("a=1", "{1: 2, 'a': 3}"), "collections.defaultdict": ("int, a=1", "list", "None, {0: 1}"),
    "collections.UserDict": ("a=1", "{0: 1}"), "collections.ChainMap": ("{'a': 1}", "{0: 1}, {'a': 2}"),
    "int": ("6", "-2", "0"), "float": ("6.5", "-0.0", "2.0"), "complex": ("1+2j", "2"), "Fraction": ("1, 2", "4"),
    "Decimal": ("'1.5'", "2"), "object": ("",), "Exception": ("'a', 2", ""), "KeyError": ("'k'",), "property": ("len",),
    "array.array": ("'b', [1, 2]",), "type": ("'T', (), {}",), "random.Random": ("3",),
}  # fmt: skip
"""Each with the arguments of some objects."""
METHODS = {
    "__iter__": "iter('q')", "__len__": "3", "__getitem__": "('got', a)", "__contains__": "a == ('q',)", "__eq__": "True",
    "__hash__": "7", "__str__": "'text'", "__repr__": "'shown'", "__format__": "'formatted'", "__bool__": "False",
    "keys": "['q']", "items": "[('q', 1)]", "values": "['v']", "get": "'got'", "__missing__": "'missing'",
    "__setitem__": "out.append(('set', a))", "__delitem__": "out.append(('deleted', a))", "append": "out.append(a)",
    "add": "out.append(('added', a))", "extend": "out.append('extended')", "update": "out.append('updated')",
    "__reversed__": "iter('rev')", "__add__": "'sum'", "__radd__": "'right sum'", "__iadd__": "'in place'", "__mul__": "'product'",
    "__rmul__": "'right product'", "__imul__": "'product in place'", "__sub__": "'difference'", "__rsub__": "'right difference'",
    "__or__": "'or'", "__ror__": "'right or'", "__and__": "'and'", "__mod__": "'mod'", "__pow__": "'power'", "__rpow__": "'right power'",
    "__truediv__": "'quotient'", "__floordiv__": "'floor'", "__divmod__": "'divmod'", "__lt__": "True", "__gt__": "True",
    "__le__": "False", "__ge__": "True", "__ne__": "False", "__index__": "1", "__int__": "5", "__float__": "2.5",
    "__complex__": "1j", "__abs__": "'abs'", "__neg__": "'negative'", "__invert__": "'inverse'", "__round__": "'rounded'",
    "__floor__": "'floor'", "__bytes__": "b'bytes'", "__copy__": "'copied'", "__reduce__": "(str, ('reduced',))",
    "__getstate__": "{'state': 1}", "__getattr__": "'attribute'", "copy": "'copied'", "upper": "'up'", "join": "'joined'",
    "index": "42", "count": "43", "pop": "44", "popleft": "45", "setdefault": "'default'", "sort": "out.append('sorted')",
    "union": "'union'", "discard": "out.append('discarded')", "encode": "b'encoded'", "split": "['split']", "__call__": "a",
    "__dir__": "['z', 'a']", "__enter__": "'entered'", "__length_hint__": "9", "__new__": "'made'", "__init__": "None",
    "__setattr__": "out.append(('attribute', a))", "__delattr__": "out.append(('no attribute', a))", "__sizeof__": "1",
    "as_integer_ratio": "(1, 3)", "is_integer": "'whole'", "__getnewargs__": "('new',)", "__deepcopy__": "'deep'",
    "__set__": "out.append('set')", "__get__": "'described'", "random": "0.25", "getrandbits": "1",
}  # fmt: skip
"""Each with what it gives; `a` is its other arguments."""
QUESTIONS = """
str(o) | repr(o) | f'{o}' | f'{o!r:>8}' | '%s' % (o,) | '{}'.format(o) | bool(o) | len(o) | list(o) | tuple(o) | sorted(set(o), key=repr)
dict(o) | sorted(o) | list(reversed(o)) | [*o] | {**o} | max(o) | min(o) | sum(o) | any(o) | all(o) | list(enumerate(o))
list(zip(o, o)) | list(filter(None, o)) | 'q' in o | 'a' in o | 1 in o | o == base | base == o | o != base | o < base
base < o | o >= base | hash(o) == hash(base) | o[0] | o['a'] | o[0:1] | o[-1] | o + o | o + base | base + o | o * 2 | 2 * o
o \\x7c base | base \\x7c o | o & o | o - base | base - o | o ^ base | o % 2 | o // 2 | o / 2 | 2 / o | o ** 2 | 2 ** o | -o
+o | ~o | abs(o) | round(o) | round(o, 1) | int(o) | float(o) | complex(o) | divmod(o, 2) | divmod(7, o) | bytes(o) | bytearray(o)
o.copy() | copy.copy(o) | copy.deepcopy(o) | o.index('a') | o.count('a') | o.get('a') | list(o.keys()) | list(o.items())
list(o.values()) | o.pop() | o.union('q') | o.issubset('ab') | o.update('b') | o.upper() | o.join('xy') | ','.join(o)
''.join([o]) | b','.join([o]) | o.split() | o.encode() | o.replace('a', 'b') | 'ab'.startswith(o) | 'xab'.find(o) | 'xaby'.split(o)
'%(a)s' % o | '{a}'.format_map(o) | '{0[a]}'.format(o) | json.dumps(o) | json.dumps({'k': o}) | json.dumps([o]) | json.dumps({o: 1})
math.floor(o) | math.ceil(o) | math.sqrt(o) | math.isnan(o) | math.gcd(o, 4) | list(range(o)) | [1, 2, 3][o] | [1, 2, 3][:o] | 'abc'[o]
bytes([o]) | chr(o) | hex(o) | operator.index(o) | operator.length_hint(o) | {base: 1}.get(o) | o in {base} | base in [o]
[base].count(o) | isinstance(o, type(base)) | list(itertools.chain(o, o)) | list(itertools.islice(o, 1)) | collections.Counter(o)
collections.deque(o) | collections.OrderedDict(o) | dict.fromkeys(o) | statistics.mean(o) | random.Random(0).choice(o)
random.Random(0).sample(o, 1) | heapq.nlargest(1, o) | bisect.bisect(o, 'a') | pprint.pformat(o) | re.findall('.', o) | re.sub('a', o, 'xax')
Fraction(o) | Decimal(o) | (lambda *a: a)(*o) | (lambda **k: k)(**o) | {k: 1 for k in o} | next(iter(o)) | getattr(o, 'x', 'none')
o.append('z') | o.add('z') | o.extend('z') | o.sort() | o.clear() | o.setdefault('a', 2) | o.popitem() | o.remove('a') | o.insert(0, 'z')
o.reverse() | o.real | o.is_integer() | o.as_integer_ratio() | o.conjugate() | o.most_common() | list(o.elements()) | o.move_to_end('a')
o.appendleft('z') | o.popleft() | o.rotate(1) | o.tolist() | o.args | o.__reduce_ex__(4)[1:3] | o() | o << 1 | (lambda a, *b: (a, b))(*o)
str.join(',', o) | list.__len__(o) | dict.__getitem__(o, 'a') | sum([o, o], start=base) | sum([1.5, o]) | sorted([o, base]) | pow(o, 2)
pow(2, o) | round(2.567, o) | [0] * o | 'a' * o | '%d' % o | '%f' % o | '%x' % o | '%5s' % o | f'{o:.1f}' | f'{o:d}' | 2.5 + o | o + 2
o - 2 | 2 - o | True + o | o and 1 | o or 2 | type(str(o)) | type(int(o)) | type(o + 0) | type(o[:]) | type(+o) | type(o.real)
isinstance(o, collections.abc.Iterable) | isinstance(o, collections.abc.Sequence) | callable(o) | sorted(vars(o)) | sorted(vars(B))
pickle.loads(pickle.dumps(base)) | o.random() | o.choice('abc') | o.randint(1, 6) | o.shuffle([1, 2, 3]) | o.gauss() | dir(o)[:2]
o.subtract('a') | o.total() | o.difference('a') | o.intersection('ab') | o.isdisjoint('q') | o.discard('a') | o.fget | o.__get__(5)
"""
CHANGES = """
x = [1, 2]; x += o; out.append(x) | x = [1, 2]; x[0:1] = o; out.append(x) | x = [1, 2]; x.extend(o); out.append(x)
x = {1}; x \\x7c= o; out.append(sorted(x, key=repr)) | x = {1}; x.update(o); out.append(sorted(x, key=repr)) | x = {}; x.update(o); out.append(x)
x = {}; x \\x7c= o; out.append(x) | x = 'q'; x += o; out.append(x) | x = bytearray(b'q'); x += o; out.append(x)
a, *b = o; out.append((a, b)) | a, b = o; out.append((a, b)) | o += 'z' | o *= 2 | o -= 1 | o \\x7c= base | o += o | o['n'] = 5 | del o['a']
del o['zz'] | o[0] = 9 | del o[0] | del o[0:1] | o[0:1] = 'yz' | o.y = 3; del o.y | for v in o: out.append(v) | x = collections.Counter('q'); x.update(o); out.append(x)
x = collections.Counter('q'); x.subtract(o); out.append(x) | x = collections.deque('q'); x.extend(o); out.append(x)
x = collections.defaultdict(int); x.update(o); out.append(x) | with o as x: out.append(x) | match o:\n            case [a, *b]: out.append((a, b))\n            case {'a': a}: out.append(a)
"""


def _cells(table: str) -> list[str]:
    """A table's cells; `\\x7c` stands for the bar that is no edge of one."""
    rows = table.strip().replace("\n     ", "\0").splitlines()
    return [cell.strip().replace("\\x7c", "|").replace("\0", "\n     ") for row in rows for cell in row.split(" | ")]


_QUESTIONS, _CHANGES = _cells(QUESTIONS), _cells(CHANGES)


def item(rng: Random) -> str:
    """Lines that define `g`: a class with one to three methods of its own, and what is asked of its object."""

    def pick(items: Sequence[str]) -> str:
        return items[int(rng.random() * len(items))]

    base = pick(list(BASES))
    given = pick(BASES[base])
    lines = ["def g(out):", f"    class A({base}):"]
    for _ in range(1 + int(rng.random() ** 2 * 3)):
        lines += _method(pick(list(METHODS)))
    lines.append("    class B(A):")
    lines += _method(pick(list(METHODS))) if rng.random() < 0.3 else ["        pass"]
    made = "B" if rng.random() < 0.6 else "A"
    lines.append(f"    o, base = {made}({given}), {base}({given})")
    for _ in range(4):
        asked = pick(_CHANGES).split("; ") if rng.random() < 0.3 else [f"out.append({pick(_QUESTIONS)})"]
        lines += ["    try:", *(f"        {line}" for line in asked)]
        lines.append("    except Exception as e: out.append(type(e).__name__)")
    return "\n".join([*lines, "    return out, o"])


def _method(name: str) -> list[str]:
    first = "cls" if name == "__new__" else "self"
    return [f"        def {name}({first}, *a, **k): return {METHODS[name]}"]
