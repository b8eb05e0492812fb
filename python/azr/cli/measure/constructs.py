"""Ordinary Python constructs compared with CPython: each is linear in its size there, so it must be here."""

from typing import Final

CONSTRUCTS: Final = {
    "append to text": ("def f(n):\n    s = ''\n    for i in range(n):\n        s += 'x'\n    return len(s)", 20_000),
    "add to text": ("def f(n):\n    s = ''\n    for i in range(n):\n        s = s + 'xy'\n    return len(s)", 20_000),
    "append to a global text": (
        "s = ''\ndef f(n):\n    global s\n    for i in range(n):\n        s += 'x'\n    return len(s)",
        20_000,
    ),
    "append to a captured text": (
        "def f(n):\n    s = ''\n    def add():\n        nonlocal s\n        s += 'x'\n    for i in range(n):\n"
        "        add()\n    return len(s)",
        10_000,
    ),
    "append to bytes": (
        "def f(n):\n    b = bytearray()\n    for i in range(n):\n        b.append(i & 255)\n        b += b'xy'\n"
        "    return len(b)",
        20_000,
    ),
    "append to a list": (
        "def f(n):\n    xs = []\n    for i in range(n):\n        xs.append(i)\n    return len(xs)",
        40_000,
    ),
    "extend a list": (
        "def f(n):\n    xs = []\n    for i in range(n):\n        xs += [i, i]\n    return len(xs)",
        20_000,
    ),
    "pop from a list": ("def f(n):\n    xs = list(range(n))\n    while xs:\n        xs.pop()", 40_000),
    "index a list": ("def f(n):\n    xs = list(range(n))\n    return sum([xs[i] for i in range(n)])", 40_000),
    "slice a list": ("def f(n):\n    xs = list(range(20))\n    for i in range(n):\n        xs[2:15]", 40_000),
    "assign to a slice": (
        "def f(n):\n    xs = list(range(20))\n    for i in range(n):\n        xs[2:5] = [1, 2, 3]",
        30_000,
    ),
    "join tuples": ("def f(n):\n    for i in range(n):\n        (i, i) + (1, 2)", 40_000),
    "unpack tuples": (
        "def f(n):\n    t = 0\n    for a, (b, c) in [(i, (i, 1)) for i in range(n)]:\n        t += a + b + c\n"
        "    return t",
        20_000,
    ),
    "a deque as a queue": (
        "from collections import deque\ndef f(n):\n    d = deque()\n    for i in range(n):\n        d.append(i)\n"
        "    while d:\n        d.popleft()",
        40_000,
    ),
    "index text outside ASCII": (
        "def f(n):\n    s = 'aé世😀' * n\n    return len([s[i] for i in range(len(s))])",
        8_000,
    ),
    "slice text outside ASCII": (
        "def f(n):\n    s = 'aé世😀' * n\n    return len([s[i : i + 3] for i in range(n)])",
        15_000,
    ),
    "walk text outside ASCII": ("def f(n):\n    return sum(c == '世' for c in 'aé世😀' * n)", 8_000),
    "walk text": (
        "def f(n):\n    t = 0\n    for c in 'hello' * n:\n        if c == 'l':\n            t += 1\n    return t",
        10_000,
    ),
    "find in text": (
        "def f(n):\n    s = 'ab' * n + 'c'\n    return s.find('c'), s.count('ba'), 'abc' in s, s.rfind('ab')",
        100_000,
    ),
    "replace in text": ("def f(n):\n    return len(('abc' * n).replace('b', 'xx'))", 20_000),
    "split and join text": ("def f(n):\n    return len('-'.join(('one two ' * n).split()))", 15_000),
    "f-strings": ("def f(n):\n    for i in range(n):\n        f'{i}: {i!r:>8}'", 20_000),
    "format": ("def f(n):\n    for i in range(n):\n        '{} {:.2f}'.format(i, i)", 20_000),
    "percent": ("def f(n):\n    for i in range(n):\n        '%d %s' % (i, i)", 20_000),
    "numbers to text and back": ("def f(n):\n    return sum([int(str(i)) for i in range(n)])", 30_000),
    "dict comprehension": ("def f(n):\n    return len({i: i * i for i in range(n)})", 40_000),
    "count in a dict": (
        "def f(n):\n    d = {}\n    for i in range(n):\n        k = i % 100\n        d[k] = d.get(k, 0) + 1\n"
        "    return len(d)",
        40_000,
    ),
    "counter": (
        "from collections import Counter\ndef f(n):\n    return Counter('abracadabra' * n).most_common(2)",
        8_000,
    ),
    "default dict": (
        "from collections import defaultdict\ndef f(n):\n    d = defaultdict(list)\n    for i in range(n):\n"
        "        d[i % 50].append(i)\n    return len(d)",
        40_000,
    ),
    "set of tuples": ("def f(n):\n    return len({(i % 100, i % 7) for i in range(n)})", 30_000),
    "sort with a key": ("def f(n):\n    return sorted(range(n), key=lambda i: -i)[0]", 30_000),
    "sum of a generator": ("def f(n):\n    return sum(i * i for i in range(n))", 50_000),
    "all of a generator": ("def f(n):\n    return all(i >= 0 for i in range(n))", 50_000),
    "any of a generator": ("def f(n):\n    return any(i < 0 for i in range(n))", 50_000),
    "greatest of a generator": ("def f(n):\n    return max(i % 100 for i in range(n))", 50_000),
    "join a generator": ("def f(n):\n    return len(''.join(str(i) for i in range(n)))", 30_000),
    "list of a generator": ("def f(n):\n    return len(list(i for i in range(n)))", 50_000),
    "zip, enumerate, map and filter": (
        "def f(n):\n    xs = range(n)\n"
        "    return sum(a for a, b in zip(xs, map(abs, xs))), len(list(filter(None, xs))), "
        "sum(i for i, x in enumerate(xs))",
        20_000,
    ),
    "call a function": (
        "def g(a, b=1):\n    return a + b\ndef f(n):\n    for i in range(n):\n        g(i)\n        g(i, b=2)",
        40_000,
    ),
    "call a method": (
        "class C:\n    k = 3\n    def __init__(self):\n        self.x = 0\n    def up(self, d):\n"
        "        self.x += d * self.k\n"
        "def f(n):\n    c = C()\n    for i in range(n):\n        c.up(i)\n    return c.x",
        40_000,
    ),
    "properties": (
        "class C:\n    def __init__(self):\n        self._x = 0\n    @property\n    def x(self):\n"
        "        return self._x\n"
        "    @x.setter\n    def x(self, v):\n        self._x = v\ndef f(n):\n    c = C()\n    for i in range(n):\n"
        "        c.x = c.x + 1\n    return c.x",
        20_000,
    ),
    "make objects": (
        "class C:\n    def __init__(self, a, b):\n        self.a, self.b = a, b\ndef f(n):\n"
        "    return len([C(i, i) for i in range(n)])",
        15_000,
    ),
    "dataclasses": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int\ndef f(n):\n"
        "    return sum([P(i, 1) == P(i, 1) for i in range(n)])",
        10_000,
    ),
    "named tuples": (
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(n):\n"
        "    return sum([P(i, 1).x for i in range(n)])",
        20_000,
    ),
    "exceptions": (
        "def f(n):\n    for i in range(n):\n        try:\n            {}[i]\n        except KeyError:\n"
        "            pass",
        20_000,
    ),
    "recursion": (
        "def g(n):\n    return 0 if n == 0 else 1 + g(n - 1)\ndef f(n):\n    for i in range(n):\n        g(400)",
        60,
    ),
    "a cached function": (
        "from functools import lru_cache\n@lru_cache(None)\ndef g(k):\n    return k\ndef f(n):\n"
        "    for i in range(n):\n        g(i % 1000)",
        40_000,
    ),
    "heaps and bisection": (
        "import heapq, bisect\ndef f(n):\n    h = []\n    for i in range(n):\n"
        "        heapq.heappush(h, i * 7919 % 10007)\n"
        "    xs = [heapq.heappop(h) for _ in range(n)]\n    return sum([bisect.bisect(xs, i) for i in range(n)])",
        8_000,
    ),
    "itertools": (
        "from itertools import chain, product, combinations, islice, accumulate\ndef f(n):\n"
        "    return sum(1 for p in product(range(n), range(10))), len(list(accumulate(chain(range(n), range(n)))))",
        6_000,
    ),
    "regular expressions": (
        "import re\ndef f(n):\n    return len(re.findall(r'[a-z]+\\d', 'abc1 de2 fgh ' * n))",
        3_000,
    ),
    "json": (
        "import json\ndef f(n):\n"
        "    return len(json.loads(json.dumps([{'a': i, 'b': [str(i), None, 1.5]} for i in range(n)])))",
        3_000,
    ),
    "deep copies": (
        "import copy\ndef f(n):\n    return len(copy.deepcopy([[i, {'a': i}] for i in range(n)]))",
        1_000,
    ),
    "structs": (
        "import struct\ndef f(n):\n    for i in range(n):\n        struct.unpack('<IH', struct.pack('<IH', i, 7))",
        15_000,
    ),
    "bits": (
        "def f(n):\n    t = 0\n    for i in range(n):\n        t ^= (i << 3) & 0xffff | i >> 2\n    return t",
        40_000,
    ),
    "nested loops": (
        "def f(n):\n    t = 0\n    for i in range(n):\n        for j in range(100):\n"
        "            if (i + j) % 3 == 0:\n                t += 1\n    return t",
        500,
    ),
    "match": (
        "def f(n):\n    t = 0\n    for i in range(n):\n        match (i % 3, i):\n            case (0, x):\n"
        "                t += x\n"
        "            case (1, _):\n                t += 1\n            case _:\n                t -= 1\n    return t",
        20_000,
    ),
}
