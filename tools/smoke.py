#!/usr/bin/env python3
"""Installs the wheel of a folder into an environment of its own, without this repository, and runs programs.

    python3 tools/smoke.py FOLDER [--python PYTHON] [--out target/outcomes/PLATFORM.jsonl]

Says how long installing took and how long the first answer, and writes outcomes that tools/same_outcomes.py compares.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 40 * 10**6
PROGRAM = "def f(xs):\n    return sorted(xs)\n"


def ran(command: list[str | Path], **variables: str) -> str:
    """What a command prints. A failure ends the smoke test, with what the command said."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env={**environment, **variables}
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def installed(wheel: Path, folder: Path, python: str) -> Path:
    """The Python of a fresh environment with the wheel in it."""
    started = time.monotonic()
    ran([python, "-m", "venv", folder])
    own = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ran([own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel])
    print(f"installed, with an environment, in {time.monotonic() - started:.1f} s")
    return own


def main() -> None:
    """Install, run, write."""
    parser = argparse.ArgumentParser(description="A wheel's smoke test.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "outcomes" / f"{platform.platform()}.jsonl")
    given = parser.parse_args()
    wheels = sorted(given.folder.glob("azr-*.whl"))
    if len(wheels) != 1:
        sys.exit(f"{given.folder} has {len(wheels)} wheels of azr, not one: {[wheel.name for wheel in wheels]}")
    size = wheels[0].stat().st_size
    print(f"{wheels[0].name}: {size / 1e6:.1f} MB")
    if size > MOST_BYTES:
        sys.exit("that is more than 40 MB")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        python = installed(wheels[0].resolve(), folder / "environment", given.python)
        (folder / "program.py").write_text(PROGRAM, "utf-8")
        azr = python.with_name("azr.exe" if os.name == "nt" else "azr")
        started = time.monotonic()
        said = ran([azr, "sandbox", "run", folder / "program.py", "--call", "f([3, 1, 2])"])
        print(f"azr sandbox run answered in {time.monotonic() - started:.2f} s")
        if said.split("\n")[0] != "[1, 2, 3]":
            sys.exit(f"azr sandbox run said {said!r}")
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(ran([python, ROOT / "tools" / "outcomes.py"], PYTHONUTF8="1"), "utf-8")
    print(f"outcomes: {given.out}")


if __name__ == "__main__":
    main()
