"""Kinds of program over which fuel is compared with time, and the sandbox with CPython.

Each is a text with a function `f(n)` and a size at which it takes some tenths of a second at most. Sizes serve to
compare rates: imports and set-up are small beside the work.
"""

from typing import Final

# Native work: one call does much.
NATIVE: Final = {
    "multiply 300 digits": ("def f(n):\n    a = 3 ** 600\n    for _ in range(n):\n        a * a", 100_000),
    "multiply 10,000 digits": ("def f(n):\n    a = 3 ** 20_000\n    for _ in range(n):\n        a * a", 600),
    "multiply 1,000,000 digits": ("def f(n):\n    a = 3 ** 2_000_000\n    for _ in range(n):\n        a * a", 2),
    "multiply unequal": (
        "def f(n):\n    a = 3 ** 200_000\n    b = 7 ** 3_000\n    for _ in range(n):\n        a * b",
        40,
    ),
    "multiply by a digit": ("def f(n):\n    a = 3 ** 20_000\n    for _ in range(n):\n        a * 7", 50_000),
    "power": ("def f(n):\n    for _ in range(n):\n        7 ** 30_000", 100),
    "power modulo": ("def f(n):\n    m = 10 ** 300 + 7\n    for _ in range(n):\n        pow(3, m - 2, m)", 20),
    "divide": (
        "def f(n):\n    a = 3 ** 40_000\n    b = 7 ** 7_000\n    for _ in range(n):\n        a // b\n        a % b",
        100,
    ),
    "divide by a digit": ("def f(n):\n    a = 3 ** 20_000\n    for _ in range(n):\n        a % 97", 10_000),
    "gcd": (
        "import math\ndef f(n):\n    a = 3 ** 4_000 * 7 ** 50\n    b = 5 ** 3_000 * 7 ** 60\n"
        "    for _ in range(n):\n        math.gcd(a, b)",
        200,
    ),
    "isqrt": ("import math\ndef f(n):\n    a = 3 ** 20_001\n    for _ in range(n):\n        math.isqrt(a)", 200),
    "factorial": ("import math\ndef f(n):\n    for _ in range(n):\n        math.factorial(2_000)", 100),
    "int to text": ("def f(n):\n    a = 7 ** 5_000\n    for _ in range(n):\n        str(a)", 100),
    "text to int": ("def f(n):\n    a = '7' * 4_000\n    for _ in range(n):\n        int(a)", 200),
    "hex text": ("def f(n):\n    a = 7 ** 50_000\n    for _ in range(n):\n        int(hex(a), 16)", 40),
    "add and shift": (
        "def f(n):\n    a = 7 ** 20_000\n    for _ in range(n):\n        (a + a) >> 17 ^ a << 5",
        10_000,
    ),
    "fibonacci": ("def f(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b", 50_000),
    "decimal": (
        "from decimal import Decimal, getcontext\ndef f(n):\n    t = Decimal(0)\n"
        "    for i in range(1, n):\n        t += Decimal(1) / i",
        20_000,
    ),
    "decimal of 2,000 digits": (
        "from decimal import Decimal, getcontext\ndef f(n):\n    getcontext().prec = 2_000\n    t = Decimal(2)\n"
        "    for i in range(n):\n        t.sqrt() * t",
        60,
    ),
    "fractions": (
        "from fractions import Fraction\ndef f(n):\n    t = Fraction(0)\n"
        "    for i in range(1, n):\n        t += Fraction(1, i)",
        2_000,
    ),
    "sumprod": (
        "import math\ndef f(n):\n    xs = [float(i) for i in range(1000)]\n"
        "    for _ in range(n):\n        math.sumprod(xs, xs)",
        2_000,
    ),
    "floats": (
        "import math\ndef f(n):\n    t = 0.0\n    for i in range(n):\n"
        "        t += math.sin(i) * math.exp(-i / n) ** 0.3",
        100_000,
    ),
    "sha256": (
        "import hashlib\ndef f(n):\n    data = b'x' * 100_000\n    for _ in range(n):\n"
        "        hashlib.sha256(data).digest()",
        50,
    ),
    "md5": (
        "import hashlib\ndef f(n):\n    data = b'x' * 100_000\n    for _ in range(n):\n"
        "        hashlib.md5(data).digest()",
        100,
    ),
    "sha3": (
        "import hashlib\ndef f(n):\n    data = b'x' * 100_000\n    for _ in range(n):\n"
        "        hashlib.sha3_256(data).digest()",
        20,
    ),
    "crc32": (
        "import zlib\ndef f(n):\n    data = b'x' * 100_000\n    for _ in range(n):\n        zlib.crc32(data)",
        200,
    ),
    "compress": (
        "import zlib\ndef f(n):\n    data = bytes(i * i % 251 for i in range(20_000))\n    for _ in range(n):\n"
        "        zlib.decompress(zlib.compress(data))",
        200,
    ),
    "base64": (
        "import base64\ndef f(n):\n    data = b'x' * 100_000\n    for _ in range(n):\n"
        "        base64.b64decode(base64.b64encode(data))",
        50,
    ),
    "regex scan": (
        "import re\ndef f(n):\n    text = 'the cat sat on 12 mats, and 7 dogs; ' * 100\n    for _ in range(n):\n"
        "        re.findall(r'[a-z]+|\\d+', text)",
        40,
    ),
    "regex backtracking": ("import re\ndef f(n):\n    re.match(r'(a+)+$', 'a' * n + 'b')", 18),
    "regex substitution": (
        "import re\ndef f(n):\n    text = 'a1b22c333' * 500\n    for _ in range(n):\n"
        "        re.sub(r'\\d+', '#', text)",
        60,
    ),
    "sort integers": (
        "def f(n):\n    xs = [i * 7919 % 100_003 for i in range(20_000)]\n    for _ in range(n):\n        sorted(xs)",
        10,
    ),
    "sort text": (
        "def f(n):\n    xs = [str(i * 7919 % 100_003) for i in range(20_000)]\n    for _ in range(n):\n"
        "        sorted(xs)",
        10,
    ),
    "sort by key": (
        "def f(n):\n    xs = [(i * 7919 % 100_003, i) for i in range(20_000)]\n    for _ in range(n):\n"
        "        sorted(xs, key=lambda p: p[0])",
        10,
    ),
    "text search": (
        "def f(n):\n    text = 'ab' * 100_000 + 'c'\n    for _ in range(n):\n        text.find('abc')\n"
        "        text.count('ba')\n        'bb' in text",
        50,
    ),
    "text replace": (
        "def f(n):\n    text = 'abc' * 20_000\n    for _ in range(n):\n        text.replace('b', 'xx')",
        100,
    ),
    "text split and join": (
        "def f(n):\n    text = 'one two three ' * 3_000\n    for _ in range(n):\n        '-'.join(text.split())",
        60,
    ),
    "text case": (
        "def f(n):\n    text = 'Hello, World' * 2_000\n    for _ in range(n):\n        text.upper().lower()",
        1_000,
    ),
    "text encode": (
        "def f(n):\n    text = 'Grüße, 世界' * 4_000\n    for _ in range(n):\n        text.encode().decode()",
        100,
    ),
    "text repeat": ("def f(n):\n    for _ in range(n):\n        'abc' * 300_000", 300),
    "text comparison": (
        "def f(n):\n    a = 'a' * 300_000\n    b = a[:-1] + 'b'\n    for _ in range(n):\n        a < b\n        a == b",
        500,
    ),
    "bytes translate": (
        "def f(n):\n    data = b'abc' * 30_000\n    table = bytes(range(255, -1, -1))\n"
        "    for _ in range(n):\n        data.translate(table)",
        200,
    ),
    "copy and fill": (
        "def f(n):\n    data = bytearray(1_000_000)\n    for _ in range(n):\n        data[:] = bytes(data)",
        100,
    ),
    "list repeat": ("def f(n):\n    for _ in range(n):\n        [0] * 100_000", 200),
    "list copy and reverse": (
        "def f(n):\n    xs = list(range(50_000))\n    for _ in range(n):\n        xs[:].reverse()",
        100,
    ),
    "list search": ("def f(n):\n    xs = list(range(10_000))\n    for _ in range(n):\n        -1 in xs", 60),
    "sum of a list": ("def f(n):\n    xs = list(range(100_000))\n    for _ in range(n):\n        sum(xs)", 60),
    "sum of a range": ("def f(n):\n    for _ in range(n):\n        sum(range(100_000))", 50),
    "set operations": (
        "def f(n):\n    a = set(range(0, 20_000, 2))\n    b = set(range(0, 20_000, 3))\n"
        "    for _ in range(n):\n        a & b\n        a | b",
        20,
    ),
    "dict copy": ("def f(n):\n    d = {i: i for i in range(10_000)}\n    for _ in range(n):\n        dict(d)", 100),
    "permutations": (
        "from itertools import permutations\ndef f(n):\n    for _ in range(n):\n"
        "        sum(1 for p in permutations(range(7)))",
        20,
    ),
    "json": (
        "import json\ndef f(n):\n    data = [{'name': 'x' * 10, 'value': i, 'ok': True} for i in range(300)]\n"
        "    for _ in range(n):\n        json.loads(json.dumps(data))",
        100,
    ),
    "random numbers": ("import random\ndef f(n):\n    for _ in range(n):\n        random.randint(1, 100)", 20_000),
}

# Bytecode: the interpreter's own work.
INTERPRETED: Final = {
    "empty loop": ("def f(n):\n    while n:\n        n -= 1", 1_000_000),
    "int loop": ("def f(n):\n    s = 0\n    for i in range(n):\n        s += i * i % 7\n    return s", 300_000),
    "recursion": ("def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)", 25),
    "sieve": (
        "def f(n):\n    p = [True] * n\n    for i in range(2, n):\n        if p[i]:\n"
        "            for j in range(i * i, n, i):\n                p[j] = False\n    return sum(p)",
        100_000,
    ),
    "dict counting": (
        "def f(n):\n    d = {}\n    for i in range(n):\n        k = str(i % 1000)\n        d[k] = d.get(k, 0) + 1\n"
        "    return len(d)",
        60_000,
    ),
    "objects": (
        "class P:\n    def __init__(self, x):\n        self.x = x\n    def up(self):\n        self.x += 1\n"
        "def f(n):\n    for _ in range(n):\n        p = P(0)\n        p.up()\n    return p.x",
        50_000,
    ),
    "generators": ("def f(n):\n    return sum(i * i for i in range(n) if i % 3)", 200_000),
    "comprehensions": ("def f(n):\n    return len([i * i for i in range(n) if i % 3])", 200_000),
    "exceptions": (
        "def f(n):\n    for i in range(n):\n        try:\n            [][i]\n        except IndexError:\n"
        "            pass",
        50_000,
    ),
    "f-strings": ("def f(n):\n    for i in range(n):\n        f'{i}: {i * 2:>8} {i / 3:.2f}'", 40_000),
    "strings by character": (
        "def f(n):\n    t = ''\n    for c in 'hello world' * n:\n        t += c.upper() if c in 'aeiou' else c\n"
        "    return t",
        8_000,
    ),
    "closures": (
        "def f(n):\n    add = lambda k: lambda x: x + k\n    one = add(1)\n    x = 0\n"
        "    for _ in range(n):\n        x = one(x)\n    return x",
        100_000,
    ),
    "matrix": (
        "def f(n):\n    a = [[i + j for j in range(n)] for i in range(n)]\n"
        "    return [[sum(a[i][k] * a[k][j] for k in range(n)) for j in range(n)] for i in range(n)]",
        40,
    ),
    "compile": (
        "def f(n):\n    for i in range(n):\n        compile(f'x = {i}\\ny = [x + 1, x * 2]', 'm', 'exec')",
        1_000,
    ),
}

KINDS: Final = NATIVE | INTERPRETED
