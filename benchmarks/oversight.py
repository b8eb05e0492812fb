"""What oversight and metrics cost: their share of a step, on the scripted engine and on a small model.

    python benchmarks/oversight.py [--steps 20] [--model FOLDER] [--set KEY=VALUE ...]

Every call of the loop into oversight (monitors, alarms, traces, numbers) and every measuring of a step is timed from
the inside, and divided by the time from one step's beginning to the next, so that both are of the same run: wall
times, and processor times (of all threads for the step), which other work on the machine disturbs less. The watchdog's
thread runs all the while. Prints medians over the steps, as JSON.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

import azr.loop
from azr.config import load_config, resolve
from azr.oversight.overseer import Overseer
from azr.run.events import Quiet
from azr.run.train import start_run

SPENT: dict[str, float] = defaultdict(float)
METHODS = ("begin", "proposed", "answered", "stepped", "goes_on")


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its time added up under a name."""

    @wraps(function)
    def call(*given: Any, **more: Any) -> Any:
        begin, busy = time.perf_counter(), time.thread_time()
        try:
            return function(*given, **more)
        finally:
            SPENT[name] += time.perf_counter() - begin
            SPENT[f"{name} cpu"] += time.thread_time() - busy

    return call


class Steps(Quiet):
    """Wall time and oversight's part of every step."""

    def __init__(self) -> None:
        self._begin = self._busy = 0.0
        self.rows: list[dict[str, float]] = []

    def started(self, step: int, steps: int) -> None:
        self._begin, self._busy = time.perf_counter(), time.process_time()
        SPENT.clear()

    def stepped(self, report: Any, numbers: Any) -> None:
        now, busy = time.perf_counter(), time.process_time()
        self.rows.append({"step": now - self._begin, "step cpu": busy - self._busy, **SPENT})
        self._begin, self._busy = now, busy
        SPENT.clear()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--model")
    options.add_argument("--set", dest="overrides", action="append", default=[])
    given = options.parse_args()
    for name in METHODS:
        setattr(Overseer, name, timed(name, getattr(Overseer, name)))
    azr.loop.measure = timed("measure", azr.loop.measure)
    own = ["engine.name=scripted", "engine.script=azr.rollouts.demo:answer"]
    if given.model:
        own = [f"model.name={given.model}"]
    steps = Steps()
    with tempfile.TemporaryDirectory() as folder:
        base = [*own, f"run.steps={given.steps}", f"run.folder={folder}/run", "run.save_every=1000", *given.overrides]
        config = load_config(None, base) if given.model else resolve({}, base)
        start_run(config, steps, lambda: False)
    rows = steps.rows[1:]
    parts = {name: statistics.median(row.get(name, 0.0) for row in rows) for name in ("measure", *METHODS)}
    shares = [sum(row.get(name, 0.0) for name in parts) / row["step"] for row in rows]
    busy = [sum(row.get(f"{name} cpu", 0.0) for name in parts) / row["step cpu"] for row in rows]
    cpu = {name: statistics.median(row.get(f"{name} cpu", 0.0) for row in rows) for name in parts}
    result = {
        "steps": len(rows), "step_ms": round(1000 * statistics.median(row["step"] for row in rows), 2),
        "oversight_ms": round(1000 * sum(parts.values()), 3),
        "share": round(statistics.median(shares), 4), "worst_share": round(max(shares), 4),
        "step_cpu_ms": round(1000 * statistics.median(row["step cpu"] for row in rows), 2),
        "oversight_cpu_ms": round(1000 * sum(cpu.values()), 3), "cpu_share": round(statistics.median(busy), 4),
        "parts_cpu_ms": {name: round(1000 * spent, 3) for name, spent in cpu.items()},
    }  # fmt: skip
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
