"""Headline figures of a version, each a ratio within one run, kept beside those of the versions before.

    python benchmarks/history.py [--rounds 5]      measures, writes history/VERSION.json and docs/benchmarks.md
    python benchmarks/history.py --check VERSION   fails where a figure is worse than the last version's, beyond noise

Seconds of two machines say little of two versions, so a figure divides what azr takes by what something else takes
beside it. Every figure is measured several times: the middle one counts, and how far the rounds lie apart is its noise.
"""

import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HISTORY = ROOT / "benchmarks" / "history"
PAGE = ROOT / "docs" / "benchmarks.md"
# Rounds that lie close together by chance are no proof that a figure is that steady.
LEAST_NOISE = 0.05

# name -> (what it says, whether more is better)
FIGURES = {
    "sandbox_warm_process": ("Programs per CPU-second, against `exec` in a warm CPython process", True),
    "sandbox_subprocess": ("Programs per CPU-second, against a CPython process for each", True),
    "sandbox_monty": ("Programs per CPU-second, against pydantic-monty", True),
    "sandbox_kernels": ("Time of long loops, against CPython (geometric mean of eight)", False),
    "sandbox_two_threads": ("Programs per second of two threads, against one", True),
    "sandbox_tail": ("Slowest in a hundred calls, against the middle one", False),
    "buffer_mutex": ("Publications of two threads, against a map behind a mutex", True),
    "buffer_dict": ("Publications of two threads, against a Python dict behind a lock", True),
}


def asked(*command: str) -> dict[str, Any]:
    """What a Python command says as JSON."""
    whole = [sys.executable, *command]
    answer = subprocess.run(whole, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)  # type: ignore[no-any-return]


def round_of_figures(tasks: int) -> dict[str, float]:
    """All figures, once."""
    sandbox = asked("-m", "azr", "sandbox", "bench", "--peers", "--json")
    rate = sandbox["programs_per_cpu_s"]
    peers = {name: rate / peer["programs_per_cpu_s"] for name, peer in sandbox["peers"].items()}
    buffer = asked(str(Path(__file__).with_name("buffer.py")), "--tasks", str(tasks))
    # The largest table: it takes long enough for the threads to be spread over the cores.
    two = max((row for row in buffer["threads"] if row["threads"] == 2), key=lambda row: row["tasks"])
    kernels = sandbox["kernels"].values()
    return {
        "sandbox_warm_process": peers["warm process with exec"],
        "sandbox_subprocess": peers["cpython subprocess"],
        "sandbox_monty": peers["pydantic-monty"],
        "sandbox_kernels": math.exp(statistics.mean(math.log(ratio) for ratio in kernels)),
        "sandbox_two_threads": sandbox["two_threads"],
        "sandbox_tail": sandbox["p99_ms"] / sandbox["p50_ms"],
        "buffer_mutex": two["against_mutex"],
        "buffer_dict": two["against_python_dict"],
    }


def version() -> str:
    """Of the workspace."""
    found = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text("utf-8"), re.MULTILINE)
    assert found, "Cargo.toml says no version"
    return found[1]


def measure(rounds: int, tasks: int) -> dict[str, Any]:
    """The record of this version."""
    measured = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        measured.append(round_of_figures(tasks))
    figures = {}
    for name in FIGURES:
        values = [one[name] for one in measured]
        figures[name] = {"value": statistics.median(values), "rounds": values}
    machine = {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "platform": platform.platform()}
    return {"version": version(), "machine": machine, "python": platform.python_version(), "figures": figures}


def noise(figure: dict[str, Any]) -> float:
    """How far its rounds lie apart, as a part of it."""
    return max(LEAST_NOISE, (max(figure["rounds"]) - min(figure["rounds"])) / figure["value"])


def regressions(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Figures that are worse than they were by more than the noise of both."""
    worse = []
    for name, (text, more_is_better) in FIGURES.items():
        old, new = before["figures"].get(name), now["figures"].get(name)
        if old is None or new is None:
            continue
        change = new["value"] / old["value"] - 1
        bound = noise(old) + noise(new)
        if (-change if more_is_better else change) > bound:
            worse.append(
                f"{text}: {old['value']:.3g} in {before['version']}, now {new['value']:.3g}, noise {bound:.0%}"
            )
    return worse


def key(name: str) -> tuple[int, ...]:
    """Versions in their order."""
    return tuple(map(int, name.split(".")))


def records() -> list[dict[str, Any]]:
    """All versions, oldest first."""
    found = [json.loads(file.read_text("utf-8")) for file in HISTORY.glob("*.json")]
    return sorted(found, key=lambda record: key(record["version"]))


def page(history: list[dict[str, Any]]) -> str:
    """The site's page: a row a figure, a column a version."""
    versions = [record["version"] for record in history] or ["no version yet"]
    lines = [
        "# Benchmarks by version",
        "",
        "Every figure is a ratio within one run on one machine, the middle one of several rounds; behind it stands",
        "how far the rounds lie apart. `make bench-all` measures them and writes this page; a release is refused where",
        "one is worse than in the version before by more than the noise of both. How they are measured:",
        "`benchmarks/history.py`. Figures of single parts, with circumstances, are in the files of `benchmarks/`.",
        "",
        "| | better | " + " | ".join(versions) + " |",
        "|---|---|" + "---:|" * len(versions),
    ]
    for name, (text, more_is_better) in FIGURES.items():
        cells = [shown(record["figures"].get(name)) for record in history] or [""]
        lines.append(f"| {text} | {'more' if more_is_better else 'less'} | " + " | ".join(cells) + " |")
    machines = {record["version"]: record["machine"] for record in history}
    lines += ["", "Measured on:", ""] if history else []
    lines += [
        f"- {name}: {one['platform']}, {one['cpus']} CPUs, load {one['load']:.1f}" for name, one in machines.items()
    ]
    return "\n".join(lines) + "\n"


def comparison(last: list[dict[str, Any]], now: dict[str, Any]) -> str:
    """This beside the last version's, and what is worse than noise explains."""
    both = [*last, {**now, "version": "this"}]
    table = page(both).split("\n")
    start = next(at for at, line in enumerate(table) if line.startswith("|"))
    worse = regressions(last[0], now) if last else []
    said = [f"- {line}" for line in worse] or [
        "None is worse than before." if last else "There is no version before it."
    ]
    return "\n".join(["### Benchmarks", "", *table[start:], *said])


def shown(figure: dict[str, Any] | None) -> str:
    """A figure with its noise."""
    if figure is None:
        return ""
    apart = (max(figure["rounds"]) - min(figure["rounds"])) / figure["value"]
    return f"{figure['value']:.3g} ({apart:.0%})"


def check(wanted: str) -> None:
    """Fail where the version was not measured, or is worse than the one before it."""
    history = records()
    now = next((record for record in history if record["version"] == wanted), None)
    if now is None:
        sys.exit(f"benchmarks/history/{wanted}.json is missing: make bench-all")
    if not PAGE.exists() or PAGE.read_text("utf-8") != page(history):
        sys.exit("docs/benchmarks.md is not of these figures: make bench-all")
    before = [record for record in history if key(record["version"]) < key(wanted)]
    worse = regressions(before[-1], now) if before else []
    if worse:
        sys.exit("; ".join(worse))
    print(f"none worse than in {before[-1]['version']}" if before else "measured; no version before it")


def main() -> None:
    """Measure and write, or check."""
    parser = argparse.ArgumentParser(description="Headline figures by version.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--check", metavar="VERSION")
    parser.add_argument("--against-last", action="store_true", help="Only print, beside the last version's.")
    given = parser.parse_args()
    if given.check:
        check(given.check)
        return
    record = measure(given.rounds, given.tasks)
    if given.against_last:
        print(comparison(records()[-1:], record))
        return
    HISTORY.mkdir(exist_ok=True)
    (HISTORY / f"{record['version']}.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(records()), "utf-8")


if __name__ == "__main__":
    main()
