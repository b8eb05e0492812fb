"""Runs programs in the installed azr and prints each outcome with its fuel, as JSON lines: the same on every machine.

    python tools/outcomes.py [FILE.jsonl ...] [--every N]

Without files: the texts of rust/sandbox/tests/programs and those below. Files hold rows {code, input} or
{code, inputs}, in JSON lines.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from azr.sandbox import Limits, Request, Sandbox

ROOT = Path(__file__).resolve().parent.parent
# Some programs run until it is spent; slow machines take part.
LIMITS = Limits(fuel=2_000_000_000)

# What processors do differently unless someone sees to it: bits of NaNs, conversions, shifts, rounding, the size of pages.
# fmt: off
# ruff: noqa: E501
OWN = [
    ("def f(n):\n    return fib(n)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)", "18"),
    ("import math, struct\ndef f(x):\n    n = x - x\n    return struct.pack('>d', n), math.copysign(1.0, n)", "float('inf')"),
    ("import struct\ndef f(x):\n    return [struct.pack('>d', g).hex() for g in (x * 0, -(x * 0), abs(x * 0), x / x, x % 2)]",
     "float('inf')"),
    ("import math, struct\ndef f(x):\n    def bits(g):\n        return struct.pack('>d', g).hex()\n"
     "    return bits(math.nan + 1), bits(math.fmod(5, math.nan)), bits(float('-nan') * 2), bits(max(x, 1.0))",
     "float('nan')"),
    ("import struct\ndef f(x):\n    return struct.pack('>f', x).hex(), struct.unpack('>f', b'\\xff\\xc0\\x00\\x01')[0] != 0", "1e-45"),
    ("def f(x):\n    return [int(y) for y in (x, -x, x / 3)], round(x, -3), divmod(-x, 7.5)", "1e18"),
    ("import math\ndef f(x):\n    return [g(x) for g in (math.sin, math.exp, math.log, math.tan, math.erf, math.gamma)]", "1.7"),
    ("def f(x):\n    return x ** 0.5, x ** -1.5, 2.0 ** x, (-x) ** (1 / 3)", "3.3"),
    ("def f(n):\n    big = [bytearray(1000) for _ in range(n)]\n    return len(big)", "20000"),
    ("def f(n):\n    xs = []\n    while True:\n        xs.append(bytearray(n))", "100000"),
    ("def f(n):\n    while True:\n        n += 1", "0"),
    ("def f(n):\n    return f(n + 1)", "0"),
    ("def f(n):\n    return eval('-' * n + '1')", "100000"),
    ("def f(xs):\n    return sorted(xs), {x: hash(x) for x in xs}, hash('text')", "[3.5, -1, 10**30]"),
    ("import random\ndef f(n):\n    random.seed(n)\n    return [random.random(), random.gauss(0, 1), random.sample(range(99), 5)]", "7"),
    ("from decimal import Decimal\ndef f(x):\n    return Decimal(x).sqrt(), Decimal(1) / 3, Decimal(x).exp()", "'2'"),
    ("import re, json\ndef f(s):\n    return re.findall(r'(\\w)(\\d+)', s), json.dumps({'s': s, 'f': 0.1 + 0.2})", "'a12 b3'"),
    ("def f(n):\n    return pow(3, n, 10**40 + 7), str(7 ** n)[-30:], (1 << n) % 1000003", "5000"),
    ("def f(x):\n    raise KeyError(x)", "'gone'"),
    ("def f(x)\n    return x", "1"),
]
# fmt: on


def own() -> Iterator[tuple[str, str]]:
    """Those above, and the crate's."""
    yield from OWN
    for text in sorted((ROOT / "rust" / "sandbox" / "tests" / "programs").glob("*determined.txt")):
        for program in text.read_text("utf-8").split("# ---\n"):
            yield program, "None"


def rows(file: Path) -> Iterator[tuple[str, str]]:
    """Programs of a file, with every input."""
    for line in file.read_text("utf-8").split("\n"):
        if line.strip():
            row = json.loads(line)
            for call in row["inputs"] if "inputs" in row else [row["input"]]:
                yield row["code"], call


def main() -> None:
    """Run them all, and print."""
    parser = argparse.ArgumentParser(description="Outcomes and fuel, to compare machines by.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=1, help="Only every N-th program.")
    given = parser.parse_args()
    programs = [pair for file in given.files for pair in rows(file)] if given.files else list(own())
    programs = programs[:: given.every]
    outcomes = Sandbox(limits=LIMITS).run_batch([Request(program=program, call=call) for program, call in programs])
    for (program, call), outcome in zip(programs, outcomes, strict=True):
        value = outcome.value.repr if outcome.value is not None else outcome.exception
        row = {
            "program": program,
            "call": call,
            "kind": outcome.kind,
            "value": value,
            "fuel": outcome.fuel_used,
            "peak_memory": outcome.peak_memory,
            "message": outcome.message,
            "stdout": outcome.stdout,
        }
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
