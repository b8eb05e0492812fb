"""Memory of warm instances, and that it stays flat over many programs.

    python benchmarks/sandbox_memory.py cruxeval.jsonl [--programs 1000000] [--threads 2]

Prints the resident bytes that each further instance adds once it has run every row, then the process's resident size
after each twentieth of the programs.
"""

import argparse
import json
import re
from pathlib import Path

from azr.sandbox import Request, Sandbox


def resident() -> int:
    """Bytes of this process in memory that are its own: what it maps of files others share."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE)) << 10


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--programs", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.data.read_text().splitlines()]
    requests = [Request(program=row["code"], call=row["input"]) for row in rows]
    Sandbox(threads=1).run_batch(requests)
    before, warm = resident(), []
    for _ in range(8):
        warm.append(Sandbox(threads=1))
        warm[-1].run_batch(requests * 3)
    print(f"a warm instance: {(resident() - before) / len(warm) / 2**20:.1f} MiB of its own", flush=True)
    del warm
    sandbox, done, step = Sandbox(threads=args.threads), 0, args.programs // 20
    while done < args.programs:
        target = min(done + step, args.programs)
        while done < target:
            done += len(sandbox.run_batch(requests))
        print(f"{done:>9,} programs: {resident() / 2**20:.1f} MiB", flush=True)


if __name__ == "__main__":
    main()
