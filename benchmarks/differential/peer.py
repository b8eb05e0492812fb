"""The CPython that is compared with, as a process that goes on when a program ends its child."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

REFERENCE = Path(__file__).parent / "reference.py"
SECONDS = 0.3
MOST_DEATHS = 12
"""Of one batch: what is drawn seldom ends the process, what is shrunk towards a process's end does again and again."""
NEWEST = ("python3.14", "python3.13")


class NoReference(Exception):
    """No CPython that will do."""


def find(name: str | None) -> str:
    """The command of a CPython of version 3.13 or newer."""
    for command in (name,) if name else NEWEST:
        code = "import sys; print(sys.implementation.name, sys.version_info >= (3, 13))"
        try:
            said = subprocess.run([command, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        except (OSError, subprocess.CalledProcessError):
            continue
        if said == ["cpython", "True"]:
            return command
    raise NoReference(f"no CPython 3.13 or newer as {name or ' or '.join(NEWEST)}: name one by --python")


class Peer:
    """Answers in order. A program that ends the process ends as `died`; `hash_seed` is that of text's hashes."""

    def __init__(self, command: str, hash_seed: int = 0) -> None:
        self._process = subprocess.Popen(
            [command, "-X", "int_max_str_digits=4300", str(REFERENCE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PYTHONHASHSEED": str(hash_seed)},
        )

    def ask_drawn(self, first: int, count: int, kinds: Sequence[str]) -> None:
        self._ask({"draw": [first, count], "kinds": list(kinds), "seconds": SECONDS})

    def drawn(self, first: int, count: int, kinds: Sequence[str]) -> list[dict[str, object]]:
        """Answers to `ask_drawn`; a seed whose program ended the process has no items."""
        rows: list[dict[str, object]] = []
        while len(rows) < count:
            row = self._read()
            if row is None:
                rows.append({"none": "died", "items": []})
                if len(rows) < count:
                    self.ask_drawn(first + len(rows), count - len(rows), kinds)
                continue
            rows.append(row)
        return rows

    def run(self, programs: Sequence[Sequence[str]], seconds: float = SECONDS) -> list[dict[str, object]]:
        """How the items of each program end; each program may take some seconds of processor time."""
        rows: list[dict[str, object]] = []
        deaths = 0
        while len(rows) < len(programs):
            if deaths == MOST_DEATHS:
                return rows + [{"none": "not tried"}] * (len(programs) - len(rows))
            self._ask({"run": programs[len(rows) :], "seconds": seconds})
            while len(rows) < len(programs):
                row = self._read()
                if row is None:
                    rows.append({"none": "died"})
                    deaths += 1
                    break
                rows.append(row)
        return rows

    def smaller(self, items: Sequence[tuple[str, int]]) -> list[tuple[list[str], bool]]:
        """What is smaller than each item, by shrink.py: its syntax may be newer than this Python's."""
        self._ask({"smaller": list(items)})
        found = self._read()
        assert isinstance(found, list), "shrinking runs nothing that could end the process"
        return [(texts, more) for texts, more in found]

    def shapes(self, items: Sequence[str]) -> list[str]:
        self._ask({"shapes": list(items)})
        found = self._read()
        assert isinstance(found, list), "nothing is run that could end the process"
        return [str(shape) for shape in found]

    def _ask(self, what: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _read(self) -> Any:
        """The next answer; None where the program ended the process. A line that it began is worth nothing."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            return None if isinstance(row, dict) and "died" in row else row
        raise NoReference("the CPython that is compared with ended by itself")

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
