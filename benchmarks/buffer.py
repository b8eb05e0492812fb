"""Measure the task buffer: canonical forms, threads, sampling, log, similarity, duplicates. JSON on stdout.

    python benchmarks/buffer.py [--data FILE.jsonl] [--tasks N] [--only PART ...]

Every comparison is a ratio within one run, best of several rounds.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from azr import _azr
from azr.buffer.client import Duplicate, Inserted, TaskBuffer, canonical
from azr.types import Kind, Task

THREADS = (1, 2, 4, 8)
ROUNDS = 5
PUBLISHED = (100_000, 1_000_000)
"""Tasks of the thread table. 100,000 are published within 20 ms, in which the operating system may not have spread the
threads over the cores yet; a million take long enough for that."""
INSERTS = 100_000
MEMORY = 100_000
"""Tasks that similarity is looked up among."""

Program = tuple[str, list[str]]

SAMPLES: list[Program] = [
    (
        "def f(xs):\n    total = 0\n    for x in xs:\n        if x % 2:\n            total += x * x\n    return total",
        ["[1, 2, 3]"],
    ),
    ("def f(text):\n    words = text.split()\n    return {word: words.count(word) for word in words}", ["'a b a'"]),
    ("def f(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a", ["30"]),
]
"""Programs to measure with where no data is given."""


PARTS = ("canonical", "duplicates", "threads", "canonical_inserts", "similarity", "end_to_end", "large")
"""What there is to measure."""


def measure(data: Path | None, tasks: int, say: Callable[[str], None], parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """The figures of these parts, as JSON."""
    programs = read_programs(data) if data else SAMPLES
    work: dict[str, Callable[[], Any]] = {
        "canonical": lambda: canonical_rate(programs),
        "duplicates": lambda: duplicates(programs) | behavioural(programs),
        "threads": thread_table,
        "canonical_inserts": lambda: canonical_inserts(programs),
        "similarity": lambda: similarity(programs),
        "end_to_end": lambda: end_to_end(programs),
        "large": lambda: large(programs, tasks),
    }
    chosen = "" if set(parts) == set(PARTS) else "".join(f" --only {part}" for part in parts)
    results: dict[str, Any] = {
        "command": f"python benchmarks/buffer.py --tasks {tasks}" + (f" --data {data.name}" if data else "") + chosen,
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "platform": platform.platform()},
        "programs": len(programs),
    }
    for part in parts:
        say(part)
        results[part] = work[part]()
    return results


def read_programs(path: Path) -> list[Program]:
    """Programs and the argument texts of their calls."""
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [(row["code"], list(row.get("inputs") or [row["input"]])) for row in rows]


def canonical_rate(programs: Sequence[Program]) -> dict[str, float]:
    """Canonical forms a second on one core, of programs with one input each."""
    one_input = [(program, inputs[:1]) for program, inputs in programs]
    seconds = min(_azr.measure_canonical(one_input, 5) for _ in range(ROUNDS))
    return {"per_second": 5 * len(programs) / seconds, "microseconds": seconds * 1e6 / (5 * len(programs))}


def duplicates(programs: Sequence[Program]) -> dict[str, int]:
    """How many programs repeat an earlier one, as text and in canonical form."""
    exact: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    unparsed = 0
    for program, _ in programs:
        exact[program] += 1
        try:
            forms[canonical(program)[0]] += 1
        except ValueError:
            unparsed += 1
    return {
        "exact": exact.total() - len(exact),
        "canonical": forms.total() - len(forms),
        "unparsed": unparsed,
    }


def behavioural(programs: Sequence[Program]) -> dict[str, int]:
    """How many programs do what an earlier one does (`azr.buffer.fingerprint`); canonical repeats count too."""
    from azr.buffer.fingerprint import signatures
    from azr.sandbox import Sandbox

    found = signatures(Sandbox(), [program for program, _ in programs])
    signed = [number for number in found if number is not None]
    return {"behavioural": len(signed) - len(set(signed)), "without_signature": len(found) - len(signed)}


def end_to_end(programs: Sequence[Program]) -> dict[str, float]:
    """Validate the programs in one call, insert what is valid in one call; the buffer's share of the time."""
    from azr.sandbox import Sandbox, ValidRun

    sandbox = Sandbox()
    items = [(program, inputs[:1]) for program, inputs in programs]
    sandbox.validate(items[:8])  # what is compiled once is not what is measured
    best: dict[str, float] = {"buffer_share": 1.0}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(3):
            with TaskBuffer.open(Path(folder) / str(turn)) as buffer:
                start = time.perf_counter()
                verdicts = sandbox.validate(items)
                checked = time.perf_counter()
                valid = [
                    Task(kind=Kind.DEDUCTION, program=program, inputs=tuple(inputs), outputs=(result.value,))
                    for (program, inputs), verdict in zip(items, verdicts, strict=True)
                    for result in verdict.results
                    if isinstance(result, ValidRun)
                ]
                made = time.perf_counter()
                inserted = buffer.insert_many(valid, threads=os.cpu_count() or 1)
                stored = time.perf_counter()
                buffer.commit()
                ended = time.perf_counter()
            share = (stored - made) / (stored - start)
            if share < best["buffer_share"]:
                best = {
                    "programs": len(items), "valid": len(valid),
                    "stored": sum(isinstance(verdict, Inserted) for verdict in inserted),
                    "validate_seconds": checked - start, "insert_seconds": stored - made,
                    "commit_seconds": ended - stored, "buffer_share": share,
                }  # fmt: skip
    return best


def dict_behind_a_lock(threads: int, count: int) -> float:
    """Seconds for the same work in Python: a dict and a list behind a lock."""
    keys = [f"def f(x):\n    return x + {number}" for number in range(count)]
    table: dict[str, int] = {}
    entries: list[str] = []
    lock = threading.Lock()
    ready = threading.Barrier(threads + 1)

    def work(first: int) -> None:
        ready.wait()
        for key in keys[first::threads]:
            with lock:
                if key not in table:
                    table[key] = len(entries)
                    entries.append(key)
        ready.wait()

    workers = [threading.Thread(target=work, args=(first,)) for first in range(threads)]
    for worker in workers:
        worker.start()
    ready.wait()
    start = time.perf_counter()
    ready.wait()
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.join()
    return seconds


def thread_table() -> list[dict[str, float]]:
    """Map and append, millions of tasks a second: lock-free, behind one mutex, and a Python dict behind a lock."""
    return [thread_row(tasks, threads) for tasks in PUBLISHED for threads in THREADS]


def thread_row(tasks: int, threads: int) -> dict[str, float]:
    """The rates of so many tasks from so many threads."""
    best = dict.fromkeys(("lock_free", "mutex", "mutex_map", "python_dict"), float("inf"))
    for _ in range(ROUNDS):
        # In turn, so that whatever else runs here slows all alike.
        for sharing in ("lock_free", "mutex", "mutex_map"):
            best[sharing] = min(best[sharing], _azr.measure_publish(sharing, threads, tasks))
        best["python_dict"] = min(best["python_dict"], dict_behind_a_lock(threads, tasks))
    row: dict[str, float] = {"tasks": tasks, "threads": threads}
    row |= {name: tasks / seconds / 1e6 for name, seconds in best.items()}
    row["against_mutex"] = best["mutex"] / best["lock_free"]
    row["against_python_dict"] = best["python_dict"] / best["lock_free"]
    return row


def task(program: Program, number: int) -> Task:
    """A task of the program that no other number gives."""
    code, inputs = program
    return Task(
        kind=Kind.DEDUCTION, program=f"{code}\n\nN = {number}\n", inputs=(inputs[0],), outputs=(), step=number // 200
    )


def rows(programs: Sequence[Program], numbers: range) -> list[Any]:
    """Rows for `_azr.TaskBuffer.insert_many`, without the cost of dataclasses."""
    made = [task(programs[number % len(programs)], number) for number in numbers]
    return [
        (t.kind, t.program, list(t.inputs), [(b"\x03\x01", "1")], "", [], t.step, t.role, [], [], None) for t in made
    ]


def canonical_inserts(programs: Sequence[Program], threads: int = 8) -> dict[str, float]:
    """Insert from 8 Python threads, each task by two of them; check that none is lost or doubled."""
    parsed = [program for program in programs if is_parsed(program)]
    buffer = TaskBuffer.in_memory(similarity=False)
    made = [task(parsed[number % len(parsed)], number) for number in range(INSERTS // 2)]
    found: list[list[Any]] = [[] for _ in range(threads)]

    def work(index: int) -> None:
        mine = made[index % (threads // 2) :: threads // 2]
        for start in range(0, len(mine), 100):
            found[index] += buffer.insert_many(mine[start : start + 100])

    workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - start
    verdicts = [verdict for part in found for verdict in part]
    ids = sorted(verdict.id for verdict in verdicts if isinstance(verdict, Inserted))
    doubled = sum(isinstance(verdict, Duplicate) for verdict in verdicts)
    assert ids == list(range(len(made))), "no task is lost or doubled"
    assert doubled == len(made), "every repeat is refused"
    return {
        "inserts": len(verdicts),
        "seconds": seconds,
        "per_second": len(verdicts) / seconds,
        "lost": 0,
        "doubled": 0,
    }


def is_parsed(program: Program) -> bool:
    """Whether the program and its first input have a canonical form."""
    try:
        canonical(program[0], program[1][:1])
    except ValueError:
        return False
    return True


def similarity(programs: Sequence[Program]) -> dict[str, float]:
    """Microseconds for one program's neighbours among 100,000 variants of real programs."""
    parsed = [program for program in programs if is_parsed(program)]
    buffer = TaskBuffer.in_memory(deduplicate="exact")
    # Variants of few programs are much more alike than what is proposed: long lists, the hard case.
    for start in range(0, MEMORY, 5000):
        made = [task(varied(parsed[n % len(parsed)], n), n) for n in range(start, start + 5000)]
        buffer.insert_many(made, threads=os.cpu_count() or 1)
    ids = [int(task_id) for task_id in buffer.uniform([], 1000, seed=1)]
    codes = [stored.program for stored in buffer_tasks(buffer, ids)]
    by_id = best_of(lambda: buffer.neighbours_of(ids)) / len(ids)
    by_text = best_of(lambda: buffer.neighbours(codes)) / len(codes)
    found = buffer.neighbours_of(ids)
    return {
        "tasks": len(buffer),
        "microseconds_by_id": by_id * 1e6,
        "microseconds_by_program": by_text * 1e6,
        "counted_share": sum(around.exact for around in found) / len(found),
    }


def buffer_tasks(buffer: TaskBuffer, ids: Sequence[int]) -> list[Task]:
    """Tasks without their outputs, which need the sandbox."""
    return [Task(kind=Kind(row[0]), program=row[1], inputs=tuple(row[2]), outputs=()) for row in buffer.rows(ids)]


def varied(program: Program, number: int) -> Program:
    """The program with other literals: as alike as real programs of one family are."""
    code, inputs = program
    extra = "".join(
        f"\ndef g{k}(x):\n    return x * {number * 31 % 9973} + {(number * 17 + k) % 997}\n" for k in range(3)
    )
    return code + "\n" + extra, inputs


def best_of(work: Callable[[], object], rounds: int = 5) -> float:
    """Least seconds."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def large(programs: Sequence[Program], tasks: int) -> dict[str, float]:
    """Sampling, checkpoint, reopen and memory of a large buffer, with canonical keys and the similarity index."""
    parsed = [program for program in programs if is_parsed(program)]
    with tempfile.TemporaryDirectory() as folder:
        buffer = TaskBuffer.open(Path(folder))
        start = time.perf_counter()
        text = 0
        for first in range(0, tasks, 10_000):
            made = rows(parsed, range(first, min(first + 10_000, tasks)))
            text += sum(len(row[1].encode()) + sum(len(given.encode()) for given in row[2]) + 3 for row in made)
            buffer._inner.insert_many(made, os.cpu_count() or 1)
            if first % 100_000 == 0:
                buffer.commit()
        filled = time.perf_counter() - start
        buffer.commit()
        buffer.mark_served(range(1000))
        start = time.perf_counter()
        buffer.checkpoint()
        checkpoint = time.perf_counter() - start
        seeds = iter(range(1_000_000))
        kinds = [Kind.DEDUCTION]
        sampled = {
            "uniform": best_of(lambda: buffer.uniform([], 64, next(seeds)), 200),
            "max_new": best_of(lambda: buffer.max_new(kinds, 64, next(seeds), since=tasks // 200 - 1), 200),
            "weighted": best_of(lambda: buffer.weighted(kinds, 64, next(seeds)), 200),
            "prioritised": best_of(lambda: buffer.prioritised(kinds, 64, next(seeds)), 200),
        }
        buffer.close()
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        reopened = min((reopen(Path(folder)) for _ in range(3)), key=lambda found: float(found["seconds"]))
    return {
        "tasks": tasks,
        "fill_seconds": filled,
        "checkpoint_seconds": checkpoint,
        "reopen_seconds": reopened["seconds"],
        "sample_64_microseconds": {name: seconds * 1e6 for name, seconds in sampled.items()},  # type: ignore[dict-item]
        "text_bytes_per_task": text / tasks,
        "log_overhead_bytes_per_task": (size - text) / tasks,
        "memory_overhead_bytes_per_task": (reopened["bytes"] - text) / tasks,
    }


REOPEN = """
import json, sys, time
from pathlib import Path
from azr.buffer.client import TaskBuffer
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
before = resident()
start = time.perf_counter()
buffer = TaskBuffer.open(Path(sys.argv[1]))
print(json.dumps({"seconds": time.perf_counter() - start, "bytes": resident() - before, "tasks": len(buffer)}))
"""


def reopen(folder: Path) -> dict[str, float]:
    """Seconds to open the buffer in a fresh process, and the memory that it then holds."""
    done = subprocess.run(
        [sys.executable, "-c", REOPEN, str(folder)], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the task buffer; JSON on stdout.")
    parser.add_argument("--data", type=Path, help="JSON lines with `code` and `inputs`")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="tasks of the large buffer")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; repeatable")
    given = parser.parse_args()
    numbers = measure(given.data, given.tasks, lambda text: print(text, file=sys.stderr), given.only or PARTS)
    print(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
