"""How much of the sandbox's throughput is left behind HTTP, with 64 clients on the same machine.

    python benchmarks/http_grader.py [--items 32] [--seconds 4] [--rounds 3]

The server (examples/http_grader/serve.py) and the clients are processes of their own and share the cores with the
sandbox. In-process: `Grader.grade` on the same items in batches of 256. Rounds alternate; the ratios are of medians.
Where other work shares the machine, rates depend on how many processes ask for a core; the processor's own time for an
item does not, so its ratio is printed too: what throughput would be if all cores were full with nothing else.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from azr.grading import Grader
from azr.tasks.io import verify
from azr.types import Draft, Kind, Task

SERVER = Path(__file__).parents[1] / "examples" / "http_grader" / "serve.py"
CLIENTS, BATCH = 64, 256
HEAD = b"POST /grade HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
PROGRAMS = (
    "def f(a):\n    found = []\n    for n in range(2, 60 + a):\n        if all(n % p for p in found):\n"
    "            found.append(n)\n    return found[-3:]",
    "def f(a):\n    words = {}\n    for n in range(40 + a):\n        words.setdefault(n % 7, []).append(str(n))\n"
    "    return {key: '-'.join(value) for key, value in words.items()}",
    "def f(a):\n    grid = [[(x * y + a) % 9 for x in range(9)] for y in range(9)]\n"
    "    return sum(grid[n][n] for n in range(9)), max(map(sum, grid))",
)


def make_items(grader: Grader) -> list[tuple[str, str]]:
    """Answers to tasks of the three kinds, most of them right."""
    several = tuple(str(n) for n in range(10))
    drafts = [
        (kind, Draft(program=program, inputs=several if kind is Kind.INDUCTION else (str(n),), message="m"))
        for n in range(4)
        for program in PROGRAMS
        for kind in (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)
    ]
    items = []
    for number, task in enumerate(verify(drafts, grader.kinds, grader.sandbox)):
        assert isinstance(task, Task)
        blocks = {
            Kind.DEDUCTION: f"```output\n{task.outputs[0].repr if number % 4 else 0}\n```",
            Kind.ABDUCTION: f"```input\n{task.inputs[0]}\n```",
            Kind.INDUCTION: f"```python\n{task.program}\n```",
        }
        items.append((grader.row(task)["task"], f"Let me think.\n<answer>\n{blocks[task.kind]}\n</answer>"))
    return items


Measured = tuple[float, float]
"""Items a second, and milliseconds of processor time for an item."""


def in_process(grader: Grader, items: list[tuple[str, str]], seconds: float) -> Measured:
    """Without HTTP."""
    batch = (items * (BATCH // len(items) + 1))[:BATCH]
    begin, used = time.perf_counter(), time.process_time()
    done = 0
    while time.perf_counter() - begin < seconds:
        grader.grade(batch)
        done += len(batch)
    return done / (time.perf_counter() - begin), 1e3 * (time.process_time() - used) / done


def cpu_of(process: int) -> float:
    """Seconds of processor time that a running process has used."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _client(port: int, bodies: list[bytes], until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    while time.perf_counter() < until:
        body = bodies[answered % len(bodies)]
        writer.write(HEAD % len(body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 200"), head
        answered += 1
    writer.close()
    return answered


def _clients(
    port: int, bodies: list[bytes], seconds: float, found: "multiprocessing.Queue[tuple[float, int, float]]"
) -> None:
    """64 clients in one process, each with one connection, sending as soon as they are answered."""

    async def all_of_them() -> tuple[float, int, float]:
        begin, used = time.perf_counter(), time.process_time()
        turns = [bodies[n % len(bodies) :] + bodies[: n % len(bodies)] for n in range(CLIENTS)]
        answered = await asyncio.gather(*[_client(port, turn, begin + seconds) for turn in turns])
        return time.perf_counter() - begin, sum(answered), time.process_time() - used

    found.put(asyncio.run(all_of_them()))


def over_http(server: int, port: int, items: list[tuple[str, str]], size: int, seconds: float) -> Measured:
    """With 64 clients, `size` items a request; processor time of the server and the clients together."""
    rows = [{"task": task, "completion": text} for task, text in items]
    bodies = [json.dumps({"items": rows[at : at + size]}).encode() for at in range(0, len(rows), size)]
    context = multiprocessing.get_context("spawn")
    found: multiprocessing.Queue[tuple[float, int, float]] = context.Queue()
    before = cpu_of(server)
    process = context.Process(target=_clients, args=(port, bodies, seconds, found))
    process.start()
    took, answered, clients = found.get()
    process.join()
    used = cpu_of(server) - before + clients
    return answered * size / took, 1e3 * used / (answered * size)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, nargs="+", default=[36, 9, 1], help="of one request, divisors of 36")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    grader = Grader()
    items = make_items(grader)
    server = subprocess.Popen(
        [sys.executable, str(SERVER), "--port", "0", "--capacity", "1000000"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    port = int(server.stdout.readline().rsplit(" ", 1)[1])
    try:
        for size in options.items:
            inside, outside = [], []
            for _ in range(options.rounds):
                inside.append(in_process(grader, items, options.seconds))
                outside.append(over_http(server.pid, port, items, size, options.seconds))
            rates, costs = ([statistics.median(row[at] for row in side) for side in (outside, inside)] for at in (0, 1))
            sys.stdout.write(
                f"{size:4} items a request, {CLIENTS} clients: {rates[0]:.0f}/s over HTTP, {rates[1]:.0f}/s in process:"
                f" {rates[0] / rates[1]:.2f}; processor time {costs[0]:.2f} and {costs[1]:.2f} ms an item:"
                f" {costs[1] / costs[0]:.2f}\n"
            )
            sys.stdout.flush()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
