"""Run a command several times, some of them on busy cores; green is green each time.

python repeat.py --times 5 --busy 2 -- make test
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

LOGS = Path("target", "repeat")
SPIN = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how often")
    parser.add_argument("--busy", type=int, default=2, help="how many of them, the last ones, on busy cores")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    codes = []
    for number in range(given.times):
        busy = number >= given.times - given.busy
        log = LOGS / f"{number + 1}.log"
        begin = time.monotonic()
        with log.open("wb") as file, load() if busy else nullcontext():
            codes.append(subprocess.run(given.command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode)
        minutes = (time.monotonic() - begin) / 60
        cores = f"{len(os.sched_getaffinity(0))} {'busy' if busy else 'idle'} cores"
        sys.stdout.write(f"{number + 1}: exit code {codes[-1]}, {minutes:.1f} min on {cores}, in {log}\n")
        sys.stdout.flush()
    return int(any(codes))


@contextmanager
def load() -> Iterator[None]:
    """Another process on each core."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN, str(core)]) for core in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
