"""Speed of the sandbox beside other ways to run Python programs, measured in one run."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from azr.cli.measure.clock import cpu_seconds
from azr.cli.measure.peers import PEERS
from azr.sandbox import Request, Sandbox, whole

Say = Callable[[str], None]

TRIVIAL: Final = ("def f(x):\n    return x", "1")

BUILT_IN: Final = [
    TRIVIAL,
    ("def f(text, value):\n    out = list(text)\n    out.append(value)\n    return ''.join(out)", "'abc', 'd'"),
    ("def f(d):\n    return {k: sorted(v) for k, v in d.items()}", "{'a': [3, 1], 'b': [2]}"),
    ("def f(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a", "50"),
    ("def f(words):\n    return sorted({w.lower() for w in words}, key=len)", "['Tree', 'a', 'Be']"),
]

KERNELS: Final = {
    "int loop": ("def f(n):\n    s = 0\n    for i in range(n):\n        s += i * i % 7\n    return s", "300000"),
    "fib": ("def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)", "22"),
    "sieve": (
        "def f(n):\n    p = [True] * n\n    for i in range(2, n):\n        if p[i]:\n"
        "            for j in range(i * i, n, i):\n                p[j] = False\n    return sum(p)",
        "200000",
    ),
    "dict of strings": (
        "def f(n):\n    d = {}\n    for i in range(n):\n        k = str(i % 1000)\n"
        "        d[k] = d.get(k, 0) + 1\n    return len(d)",
        "100000",
    ),
    "lcs table": (
        "def f(a, b):\n    t = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]\n    for i in range(len(a)):\n"
        "        for j in range(len(b)):\n"
        "            t[i + 1][j + 1] = t[i][j] + 1 if a[i] == b[j] else max(t[i][j + 1], t[i + 1][j])\n"
        "    return t[-1][-1]",
        "'abcde' * 60, 'badce' * 60",
    ),
    "sort": (
        "def f(n):\n    x = 1\n    xs = []\n    for _ in range(n):\n        x = x * 1103515245 % 2147483648\n"
        "        xs.append(x)\n    return sorted(xs)[n // 2]",
        "60000",
    ),
    "string building": (
        "def f(n):\n    return len(''.join(chr(97 + i % 26) for i in range(n)).replace('a', 'bb'))",
        "100000",
    ),
    "objects": (
        "class P:\n    def __init__(self, x):\n        self.x = x\n    def up(self):\n        self.x += 1\n"
        "def f(n):\n    p = P(0)\n    for _ in range(n):\n        p.up()\n    return p.x",
        "100000",
    ),
}


def measure(data: Path | None, *, peers: bool, threads: int | None, say: Say) -> dict[str, Any]:
    """All figures, as `azr sandbox bench --json` prints them. Rates are per second; times are milliseconds."""
    programs = _programs(data)
    started = time.perf_counter()
    sandbox = Sandbox(threads=threads)
    sandbox.run(TRIVIAL[0], call=TRIVIAL[1])
    report: dict[str, Any] = {"start_s": time.perf_counter() - started, "programs": len(programs)}
    say("throughput ...")
    report |= rate(lambda: _run(sandbox, programs), len(programs), seconds=3.0)
    report |= _latency(Sandbox(threads=1))
    say("one thread and two ...")
    one, two = Sandbox(threads=1), Sandbox(threads=2)
    pairs = [
        (rate(lambda: _run(one, programs), len(programs), 1.0), rate(lambda: _run(two, programs), len(programs), 1.0))
        for _ in range(3)
    ]
    report["two_threads"] = max(b["programs_per_s"] / a["programs_per_s"] for a, b in pairs)
    say("hot loops against CPython ...")
    report["kernels"], report["fuel_per_ms"] = _kernels(one)
    report["peers"] = {}
    for name, peer in PEERS.items() if peers else ():
        say(f"{name} ...")
        report["peers"][name] = peer(programs)
    return report


def rate(work: Callable[[], None], programs: int, seconds: float) -> dict[str, float]:
    """Programs per second and per CPU-second of this process and its ended children, over at least `seconds`."""
    work()
    done, wall, cpu = 0, time.perf_counter(), cpu_seconds()
    while time.perf_counter() - wall < seconds:
        work()
        done += programs
    return {
        "programs_per_s": done / (time.perf_counter() - wall),
        "programs_per_cpu_s": done / (cpu_seconds() - cpu),
    }


def _programs(data: Path | None) -> list[tuple[str, str]]:
    if data is None:
        # Distinct texts: equal programs would be loaded once for many calls.
        return [(f"{program}\n# {number}", call) for number in range(40) for program, call in BUILT_IN]
    rows = [json.loads(line) for line in data.read_bytes().splitlines()]
    return [(row["code"], row["input"] if "input" in row else row["inputs"][0]) for row in rows]


def _run(sandbox: Sandbox, programs: Sequence[tuple[str, str]]) -> None:
    whole(sandbox.run_batch([Request(program=program, call=call) for program, call in programs]))


def _latency(sandbox: Sandbox) -> dict[str, float]:
    """The median of five rounds, since one 20 ms pause of the machine decides a round's p99."""
    rounds = [_round(sandbox) for _ in range(5)]
    p50, p99 = (sorted(figures)[2] for figures in zip(*rounds, strict=True))
    return {"p50_ms": p50, "p99_ms": p99}


def _round(sandbox: Sandbox) -> tuple[float, float]:
    times = []
    for _ in range(2_000):
        started = time.perf_counter()
        sandbox.run(TRIVIAL[0], call=TRIVIAL[1])
        times.append((time.perf_counter() - started) * 1e3)
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]


def _kernels(sandbox: Sandbox) -> tuple[dict[str, float], float]:
    """Time relative to CPython for each kernel, best of three in turn; and the mean fuel per millisecond."""
    ratios, rates = {}, []
    for name, (program, call) in KERNELS.items():
        namespace: dict[str, Any] = {}
        # Text of azr above, not of a model.
        exec(program, namespace)
        ours, theirs = [], []
        for _ in range(3):
            started = time.perf_counter()
            outcome = sandbox.run(program, call=call)
            ours.append(time.perf_counter() - started)
            started = time.perf_counter()
            eval(f"f({call})", namespace)
            theirs.append(time.perf_counter() - started)
            rates.append(outcome.fuel_used / ours[-1] / 1e3)
        ratios[name] = min(ours) / min(theirs)
    return ratios, sum(rates) / len(rates)
