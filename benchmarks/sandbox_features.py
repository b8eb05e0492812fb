"""What sessions of the sandbox cost, beside pydantic-monty, eryx and plain CPython: CPU time and memory, in one run.

    python benchmarks/sandbox_features.py [--rounds 5] [--json benchmarks/sandbox_features.json]

Measures the first result of a fresh process, a new session, ten commands in one, a call of a host function, a snapshot,
its return in a fresh session, a branch, and the memory of an idle session. All sides take turns. CPU time counts all
threads and all worker processes, and is read from Linux. A ratio is the median over the rounds of the other side's
figure by ours of the same round. A peer that is not installed is named and left out.

Plain CPython isolates nothing. It is there as the lower bound.
"""

import argparse
import contextlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from azr import _azr
from azr.sandbox import Sandbox, Session

REPEATS = 100
"""How often a round does what it measures."""
SLOW_REPEATS = 5
"""How often it does what takes some tenths of a second."""
CALL_RUNS = 10
"""Programs in a round that call a host function."""
CALLS = 500
"""Calls of a host function in one program; eryx allows 1,000 of them."""
IDLE = 8
"""Sessions held at once, for their memory."""
STARTS = 3
"""Fresh processes in a round."""

COMMANDS = (
    "orders = [('ada', 'tea', 3, 250), ('bob', 'coffee', 1, 400), ('ada', 'cake', 2, 325), ('eve', 'tea', 5, 250)]",
    "def price(order):\n    return order[2] * order[3]",
    "totals = {}",
    "for order in orders:\n    totals[order[0]] = totals.get(order[0], 0) + price(order)",
    "best = sorted(totals, key=lambda name: (-totals[name], name))",
    "import json",
    "text = json.dumps(totals)",
    "kinds = {kind: sum([price(order) for order in orders if order[1] == kind]) for _, kind, _, _ in orders}",
    "numbers = [n * n for n in range(1000)]",
)
QUESTION = "f'{best[0]} {totals[best[0]]} {kinds} {len(numbers)} {len(text)}'"
"""The tenth command. Every side must give the same answer."""
ANSWER = "ada 1400 {'tea': 2000, 'coffee': 400, 'cake': 650} 1000 38"


class Side(ABC):
    """A way to run programs in sessions. The answers that a peer has no way to give are None."""

    name: ClassVar[str]
    package: ClassVar[str | None] = None
    module: ClassVar[str | None] = None
    first: ClassVar[str]
    """A program that a fresh Python runs to print 2, as the sandbox found it."""
    saves: ClassVar[bool] = True
    """Whether a session can be written to bytes."""
    slow: ClassVar[bool] = False
    """Whether a return from a snapshot takes some tenths of a second."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def version(self) -> str:
        return importlib.metadata.version(self.package) if self.package else platform.python_version()

    @abstractmethod
    def open(self, snapshot: bytes | None = None) -> Any:
        """A session, as it was at the snapshot."""

    def close(self, session: Any) -> None:
        return None

    @abstractmethod
    def run(self, session: Any, text: str) -> None:
        """Run a command."""

    @abstractmethod
    def ask(self, session: Any, expression: str) -> Any:
        """The value of an expression."""

    def call(self, session: Any, times: int) -> None:
        """Have a program call the host's `lookup` this often."""
        self.run(session, f"for i in range({times}):\n    found = lookup(i)")

    def snapshot(self, session: Any) -> bytes:
        raise NotImplementedError(f"{self.name} has no snapshots: look at `saves`")

    def branch(self, session: Any) -> Any:
        """Another session in the same state: by a snapshot, where there is no other way."""
        return self.open(self.snapshot(session))


class Azr(Side):
    """Ours."""

    name = "azr"
    first = (
        "from azr.sandbox import Sandbox, Session\nprint(Session(Sandbox(threads=1)).run('1 + 1').value.to_python())"
    )

    def __init__(self) -> None:
        self._sandbox = Sandbox(threads=1)

    def version(self) -> str:
        return _azr.VERSION

    def open(self, snapshot: bytes | None = None) -> Any:
        return Session(self._sandbox, functions={"lookup": double}, snapshot=snapshot)

    def run(self, session: Any, text: str) -> None:
        outcome = session.run(text, mode="script")
        assert outcome.exception is None and outcome.limit is None, outcome

    def ask(self, session: Any, expression: str) -> Any:
        outcome = session.run(expression)
        assert outcome.value is not None, outcome
        return outcome.value.to_python()

    def snapshot(self, session: Any) -> bytes:
        found: bytes = session.snapshot()
        return found

    def branch(self, session: Any) -> Any:
        return session.branch()


class Monty(Side):
    """An interpreter of its own in worker processes, one for each open session."""

    name = package = "pydantic-monty"
    module = "pydantic_monty"
    first = (
        "from pydantic_monty import Monty\n"
        "with Monty() as pool, pool.checkout() as session:\n    print(session.feed_run('1 + 1'), flush=True)"
    )

    def __enter__(self) -> Self:
        self._pool = importlib.import_module("pydantic_monty").Monty(max_processes=IDLE + 4)
        self._pool.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.__exit__(None, None, None)

    def open(self, snapshot: bytes | None = None) -> Any:
        # A session is stopped at 1,000 calls of the host's functions unless it is told another number.
        session = self._pool.checkout(limits={"max_suspensions": 1_000_000})
        session.__enter__()
        if snapshot is not None:
            session.load_session(snapshot)
        return session

    def close(self, session: Any) -> None:
        session.__exit__(None, None, None)

    def run(self, session: Any, text: str) -> None:
        session.feed_run(text, external_lookup={"lookup": double})

    def ask(self, session: Any, expression: str) -> Any:
        return session.feed_run(expression)

    def snapshot(self, session: Any) -> bytes:
        found: bytes = session.dump()
        return found


class Eryx(Side):
    """CPython in WebAssembly. A snapshot holds the variables that pickle can write, and no functions."""

    name, package, module = "eryx", "pyeryx", "eryx"
    slow = True
    first = "import eryx\nprint(eryx.Session().execute('result = 1 + 1').result, flush=True)"

    def __enter__(self) -> Self:
        self._eryx = importlib.import_module("eryx")
        return self

    def open(self, snapshot: bytes | None = None) -> Any:
        callbacks = [{"name": "lookup", "fn": double, "description": "twice a number"}]
        session = self._eryx.Session(callbacks=callbacks)
        if snapshot is not None:
            session.restore_state(snapshot)
        return session

    def run(self, session: Any, text: str) -> None:
        session.execute(text)

    def ask(self, session: Any, expression: str) -> Any:
        return session.execute(f"result = {expression}").result

    def call(self, session: Any, times: int) -> None:
        self.run(session, f"for i in range({times}):\n    found = await lookup(x=i)")

    def snapshot(self, session: Any) -> bytes:
        found: bytes = session.snapshot_state()
        return found


SERVER = """
import json, sys
def say(what):
    sys.stdout.write(json.dumps(what) + "\\n")
    sys.stdout.flush()
def lookup(x):
    say({"call": x})
    return json.loads(sys.stdin.readline())
sessions = {}
for line in sys.stdin:
    number, work, text = json.loads(line)
    if work == "close":
        sessions.pop(number, None)
        continue
    names = sessions.setdefault(number, {"lookup": lookup})
    say({"value": eval(text, names) if work == "ask" else exec(text, names)})
"""


class Plain(Side):
    """A warm process of CPython that runs commands with exec, each session in a namespace. It protects nothing."""

    name = "CPython with exec"
    first = "print(eval('1 + 1'))"
    saves = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._opened = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def open(self, snapshot: bytes | None = None) -> Any:
        self._opened += 1
        return self._opened

    def close(self, session: Any) -> None:
        self._say([session, "close", ""])

    def run(self, session: Any, text: str) -> None:
        self._answer([session, "run", text])

    def ask(self, session: Any, expression: str) -> Any:
        return self._answer([session, "ask", expression])

    def _answer(self, request: list[Any]) -> Any:
        self._say(request)
        assert self._process.stdout is not None
        while "value" not in (said := json.loads(self._process.stdout.readline())):
            self._say(double(said["call"]))
        return said["value"]

    def _say(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()


SIDES: tuple[type[Side], ...] = (Azr, Monty, Eryx, Plain)


def double(x: int) -> int:
    """The host's function."""
    return 2 * x


def children() -> list[int]:
    """The processes that this one has started and that have not ended."""
    return [int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text("ascii").split()]


def cpu() -> float:
    """CPU seconds of this process, of its children that have ended, and of those that have not."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The clock of another process: what clock_getcpuclockid of the C library makes of its number.
    alive = sum(time.clock_gettime((~pid << 3) | 2) for pid in children())
    return time.process_time() + ended.ru_utime + ended.ru_stime + alive


def memory() -> int:
    """Bytes of memory that this process and its children hold, what they share counted once (Pss)."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text("ascii") for pid in (os.getpid(), *children())]
    return sum(int(kib) << 10 for text in texts for kib in re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE))


def timed(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """CPU and wall seconds of one piece of work, the mean of many."""
    busy, begin = cpu(), time.perf_counter()
    for _ in range(repeats):
        work()
    wall = time.perf_counter() - begin
    return {"cpu": (cpu() - busy) / repeats, "wall": wall / repeats}


def first_result(side: Side) -> dict[str, float]:
    """CPU of a fresh Python that gets one result and ends, and the wall seconds until the result."""
    found = []
    for _ in range(STARTS):
        begin = time.perf_counter()
        with subprocess.Popen([sys.executable, "-c", side.first], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            wall = time.perf_counter() - begin
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert line == "2\n" and process.returncode == 0, (side.name, line, process.returncode)
        found.append({"cpu": usage.ru_utime + usage.ru_stime, "wall": wall})
    return {clock: statistics.median(one[clock] for one in found) for clock in ("cpu", "wall")}


@contextlib.contextmanager
def worked(side: Side, snapshot: bytes | None = None) -> Iterator[Any]:
    """A session, new or from a snapshot, that is closed in the end."""
    session = side.open(snapshot)
    try:
        yield session
    finally:
        side.close(session)


def ten(side: Side, session: Any) -> None:
    """The ten commands."""
    for command in COMMANDS:
        side.run(session, command)
    check(side, session)


def check(side: Side, session: Any) -> None:
    """That the session is in the state in which the ten commands leave it."""
    answer = side.ask(session, QUESTION)
    assert answer == ANSWER, f"{side.name}: {answer}"


def one(side: Side, session: Any) -> None:
    """One command."""
    side.run(session, "x = 1")


def created(side: Side, commands: Callable[[Side, Any], None] = one) -> None:
    with worked(side) as session:
        commands(side, session)


def restored(side: Side, snapshot: bytes) -> None:
    with worked(side, snapshot) as session:
        check(side, session)


def branched(side: Side, session: Any) -> None:
    other = side.branch(session)
    check(side, other)
    side.close(other)


def idle_bytes(side: Side) -> float:
    """Memory that each further session holds, in a process that has not freed any before."""
    command = [sys.executable, __file__, "--idle", side.name, str(IDLE)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def held(side: Side, sessions: int) -> float:
    """Bytes that a session holds after the ten commands, by what this process and its children hold."""
    with contextlib.ExitStack() as stack:
        ten(side, stack.enter_context(worked(side)))
        before = memory()
        for _ in range(sessions):
            ten(side, stack.enter_context(worked(side)))
        return (memory() - before) / sessions


Figures = dict[str, Any]
"""By what was measured: seconds by clock, or bytes. None where the side has no such thing."""


def figures(side: Side) -> Figures:
    """One round of one side."""
    found: Figures = {"first_result": first_result(side), "session": timed(lambda: created(side), REPEATS)}
    found["session_ten"] = timed(lambda: created(side, ten), REPEATS)
    with worked(side) as session:
        ten(side, session)
        found["ten_commands"] = timed(lambda: ten(side, session), REPEATS)
    with worked(side) as session:
        calls = timed(lambda: side.call(session, CALLS), CALL_RUNS)
        found["host_call"] = {clock: seconds / CALLS for clock, seconds in calls.items()}
    found |= saved(side) if side.saves else dict.fromkeys(("snapshot", "restore", "branch", "snapshot_bytes"))
    found["idle_bytes"] = idle_bytes(side)
    return found


def saved(side: Side) -> Figures:
    """What snapshots and branches of a session after the ten commands cost."""
    with worked(side) as session:
        ten(side, session)
        snapshot, repeats = side.snapshot(session), SLOW_REPEATS if side.slow else REPEATS
        return {
            "snapshot": timed(lambda: side.snapshot(session), repeats),
            "restore": timed(lambda: restored(side, snapshot), repeats),
            "branch": timed(lambda: branched(side, session), repeats),
            "snapshot_bytes": len(snapshot),
        }


ROWS: dict[str, tuple[str, str | None]] = {
    "first result of a fresh process": ("first_result", "cpu"),
    "the same by the wall clock": ("first_result", "wall"),
    "a session with one command": ("session", "cpu"),
    "a session with ten commands": ("session_ten", "cpu"),
    "ten commands in a session that has run them": ("ten_commands", "cpu"),
    "a call of a host function": ("host_call", "cpu"),
    "snapshot": ("snapshot", "cpu"),
    "a session from the snapshot, with one command": ("restore", "cpu"),
    "a branch, with one command": ("branch", "cpu"),
    "bytes of the snapshot": ("snapshot_bytes", None),
    "bytes of an idle session": ("idle_bytes", None),
}


def values(rounds: Sequence[Mapping[str, Figures]], side: str, row: str) -> list[float] | None:
    """A row's figures of one side, a round each."""
    what, clock = ROWS[row]
    found = [one[side][what] for one in rounds]
    if found[0] is None:
        return None
    return [one[clock] if clock else one for one in found]


def shown(value: float, row: str) -> str:
    """A figure with its unit."""
    if ROWS[row][1] is None:
        return f"{value / 1000:,.1f} KB"
    return f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} us"


def times(ratio: float) -> str:
    """A ratio with two digits, or as a whole number."""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def table(rounds: Sequence[Mapping[str, Figures]]) -> str:
    """Markdown: our figures, and of every other side how often it has ours, with its own."""
    others = [name for name in rounds[0] if name != Azr.name]
    lines = ["| | azr | " + " | ".join(others) + " |", "|---" * (len(others) + 2) + "|"]
    for row in ROWS:
        ours = values(rounds, Azr.name, row)
        assert ours is not None
        cells = [row, shown(statistics.median(ours), row)]
        for name in others:
            theirs = values(rounds, name, row)
            if theirs is None:
                cells.append("has none")
                continue
            ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
            cells.append(f"**{times(ratio)}x** ({shown(statistics.median(theirs), row)})")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Where this was measured."""
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    return {
        "processor": names[0] if names else platform.machine(),
        "cpus": os.cpu_count(),
        "page_bytes": resource.getpagesize(),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def installed(sides: Sequence[type[Side]]) -> list[type[Side]]:
    """The sides that can be had here. Names the others."""
    found = []
    for side in sides:
        if side.module is None or importlib.util.find_spec(side.module) is not None:
            found.append(side)
        else:
            print(f"{side.name} is not installed (package {side.package}): left out", file=sys.stderr)
    return found


def measure(rounds: int, sides: Sequence[type[Side]] = SIDES) -> dict[str, Any]:
    """The record: machine, versions, and all rounds. Each side has workers only while it has its turn."""
    kinds, versions, found = installed(sides), {}, []
    where = machine()
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        one: dict[str, Figures] = {}
        for kind in kinds:
            with kind() as side:
                versions[side.name] = side.version()
                one[side.name] = figures(side)
        found.append(one)
    return {"machine": where | {"load_after": round(os.getloadavg()[0], 2)}, "versions": versions, "rounds": found}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the record there")
    parser.add_argument("--idle", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("CPU time of worker processes is read from Linux: there is none here")
    if given.idle:
        with next(side for side in SIDES if side.name == given.idle[0])() as side:
            print(held(side, int(given.idle[1])))
        return
    record = measure(given.rounds)
    if given.json:
        given.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(table(record["rounds"]))
    print(json.dumps({name: record[name] for name in ("machine", "versions")}))


if __name__ == "__main__":
    main()
