"""A long scripted run: does a step get slower, does memory grow, are the newest tasks still served?

    python benchmarks/long_run.py [--steps 1000]

Prints the median seconds of a step over the first and the last tenth and their ratio, the slope of a line through all
steps' seconds, the same of the process's CPU time, which other work on the machine does not stretch, the growth of
resident memory over the second half and its slope, the share of a step's time that the sandbox and the buffer take,
tasks stored, and the share of the last steps' solve batches that were made one step before. Steps that write a
checkpoint are no longer than others in `seconds/step`: saving is not part of a step.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from azr.config import resolve
from azr.metrics.step import Numbers, StepReport
from azr.run.events import Quiet
from azr.run.train import start_run


class Recorder(Quiet):
    """Keeps a few numbers of each step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu: list[float] = []
        self._since = time.process_time()
        self.memory: list[int] = []
        self.fresh: list[float] = []
        self.shares: list[float] = []
        self.stored = 0

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.seconds.append(numbers["seconds/step"])
        now = time.process_time()
        self.cpu.append(now - self._since)
        self._since = now
        self.memory.append(resident())
        made = [row[0].task.step for row in report.answers]
        self.fresh.append(sum(step == report.step - 1 for step in made) / len(made))
        self.stored = sum(report.stored.values())
        verified = sum(numbers.get(f"seconds/{stage}", 0.0) for stage in ("validate", "buffer", "solve"))
        self.shares.append(verified / numbers["seconds/step"])


def resident() -> int:
    """Bytes of this process in memory now."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def slope(values: list[float] | list[int]) -> float:
    """Of the least-squares line through the values, per step."""
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 1 else 0.0


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steps", type=int, default=1000)
    steps = options.parse_args().steps
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        config = resolve(
            {},
            [
                "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=8", "solve.batch=8",
                "solve.trials=4", f"run.steps={steps}", f"run.folder={folder}/run", "run.save_every=50",
                "run.trace_rate=0.1", "buffer.cap=4096",
            ],
        )  # fmt: skip
        start_run(config, recorder, lambda: False)
    tenth, half = max(1, steps // 10), steps // 2
    first, last = statistics.median(recorder.seconds[:tenth]), statistics.median(recorder.seconds[-tenth:])
    cpu_first, cpu_last = statistics.median(recorder.cpu[:tenth]), statistics.median(recorder.cpu[-tenth:])
    result = {
        "steps": steps, "first_tenth_s": round(first, 4), "last_tenth_s": round(last, 4),
        "slowdown": round(last / first, 2), "stored": recorder.stored,
        "slope_ms_per_1000_steps": round(1e6 * slope(recorder.seconds), 2),
        "first_tenth_cpu_s": round(cpu_first, 4), "last_tenth_cpu_s": round(cpu_last, 4),
        "slope_cpu_ms_per_1000_steps": round(1e6 * slope(recorder.cpu[1:]), 2),
        "growth_second_half_mib": round((recorder.memory[-1] - recorder.memory[half]) / 2**20, 1),
        "slope_mib_per_1000_steps": round(1e3 * slope(recorder.memory[half:]) / 2**20, 2),
        "sandbox_and_buffer_share": round(statistics.median(recorder.shares), 3),
        "load_average": round(os.getloadavg()[2], 1),
        "fresh_share_at_end": round(statistics.mean(recorder.fresh[-tenth:]), 3),
    }  # fmt: skip
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
