"""Runs CPython's own tests in the sandbox, each test in a fresh interpreter, from a copy of Lib/test at hand."""

import argparse
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from azr.errors import SandboxError
from azr.sandbox import Limits, Outcome, OutcomeKind, Request, Sandbox
from files import FILES
from modules import absent, given
from needs import WORDING, needed

LIMITS = Limits(fuel=60_000_000_000, value_bytes=1 << 20, source_bytes=1 << 20, nesting=200, wall_seconds=1200)
LIST = "def f(x):\n    import collected\n    return list(collected.TESTS), collected.FAULT"
RUN = "def f(name):\n    import collect_tests, collected\n    return collect_tests.run(collected.TESTS[name])"
ALONE = "def f(name):\n    import collect_tests, collected\n    return collect_tests.run_alone(collected.TESTS[name])"
PATIENT = replace(LIMITS, fuel=20 * LIMITS.fuel)
"""For the few tests that work for longer than three seconds."""

Row = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=FILES, help="test modules, such as test_list; all that are known")
    parser.add_argument("--library", type=Path, help="folder with test/ and unittest/ (a CPython's Lib)")
    parser.add_argument("--python", default="python3.13", help="a CPython that is asked for its library")
    parser.add_argument("--out", type=Path, help="JSON lines, one a test")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    library = options.library or _library(options.python)
    plain = Sandbox(threads=1)
    names = absent(plain)
    rows: list[Row] = []
    for file in options.files:
        mine = list(run_file(library, names, file, options.threads))
        rows += mine
        print(_line(file, mine), flush=True)
        for row in mine:
            if row["status"] == "failed":
                print("   ", row["test"], row["said"])
        if options.out:
            options.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(_line("all", rows))
    wording = sum(row["status"] == "failed" and bool(WORDING.search(str(row["said"]))) for row in rows)
    print(f"of the failed, {wording} over the text of an exception alone")


def _library(python: str) -> Path:
    """The library of a CPython at hand; leaves with a plain line if there is none."""
    command = [python, "-c", "import os; print(os.path.dirname(os.__file__))"]
    try:
        found = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"no CPython at hand as {python} ({error}): name one by --python, or its Lib by --library")
    if not (found / "test" / "support").is_dir():
        sys.exit(f"{found} has no test/support: some distributions pack CPython's tests apart")
    return found


def run_file(library: Path, names: list[str], file: str, threads: int) -> list[Row]:
    """One row for each test of a file."""
    sources = given(library, names, file)
    if sources is None:
        return []
    try:
        sandbox = Sandbox(threads=threads, limits=LIMITS, modules=sources)
        listed = sandbox.run(LIST, call="0")
        if listed.value is None:
            return [{"file": file, "test": "", "status": "failed", "said": _end(listed)}]
        tests, fault = listed.value.to_python()  # type: ignore[misc]
    except SandboxError as error:
        return [{"file": file, "test": "", "status": "failed", "said": str(error)}]
    if fault is not None:
        return [_judged(file, "", "failed", fault)]
    try:
        rows = _run(sandbox, file, tests, RUN)
        # What fails is run again with threads that do not start. A test that then asks for one is set aside.
        alone = _run(sandbox, file, _failed(rows), ALONE)
        rows = _replaced(rows, [row for row in alone if "needs threads" in str(row["said"])])
        slow = [str(row["test"]) for row in rows if str(row["said"]).startswith("out_of_fuel")]
        patient = Sandbox(threads=threads, limits=PATIENT, modules=sources) if slow else sandbox
        return _replaced(rows, _run(patient, file, slow, RUN))
    except SandboxError as error:
        return [{"file": file, "test": "", "status": "failed", "said": f"the sandbox itself failed: {error}"}]


def _run(sandbox: Sandbox, file: str, tests: list[str], program: str) -> list[Row]:
    outcomes = sandbox.run_batch([Request(program=program, call=repr(test)) for test in tests])
    return [_row(file, test, outcome) for test, outcome in zip(tests, outcomes, strict=True)]


def _failed(rows: list[Row]) -> list[str]:
    return [str(row["test"]) for row in rows if row["status"] == "failed"]


def _replaced(rows: list[Row], newer: list[Row]) -> list[Row]:
    by_name = {row["test"]: row for row in newer}
    return [by_name.get(row["test"], row) for row in rows]


def _row(file: str, test: str, outcome: Outcome) -> Row:
    if outcome.value is None:
        status, said = "failed", _end(outcome)
    else:
        status, said = outcome.value.to_python()  # type: ignore[misc]
    return _judged(file, test, status, said)


def _judged(file: str, test: str, status: str, said: object) -> Row:
    need = needed(file, test, status, str(said))
    if need is not None:
        status, said = "skipped", need
    return {"file": file, "test": test, "status": status, "said": said}


def _end(outcome: Outcome) -> str:
    ended = outcome.exception if outcome.kind is OutcomeKind.RAISED else outcome.kind.value
    return f"{ended}: {(outcome.message or '')[:300]}"


def _line(name: str, rows: list[Row]) -> str:
    count = Counter(str(row["status"]) for row in rows)
    ran = count["passed"] + count["failed"]
    share = f"{100 * count['passed'] / ran:.2f}%" if ran else "-"
    return f"{name}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped, {share} of {ran}"


if __name__ == "__main__":
    main()
