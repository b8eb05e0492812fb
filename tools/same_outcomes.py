#!/usr/bin/env python3
"""Holds what tools/outcomes.py printed on several machines to each other, to the last unit of fuel.

python3 tools/same_outcomes.py FILE_OR_FOLDER ...
"""

import json
import sys
from pathlib import Path


def read(file: Path) -> list[dict[str, object]]:
    """The rows of a file; only a newline ends one."""
    return [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]


def differences(first: list[dict[str, object]], other: list[dict[str, object]]) -> list[str]:
    """What differs, in words."""
    if len(first) != len(other):
        return [f"{len(first)} programs and {len(other)}"]
    return [
        f"{a['program']!r} on {a['call']}: { ({k: a[k] for k in a if a[k] != b.get(k)}) } and "
        f"{ ({k: b.get(k) for k in a if a[k] != b.get(k)}) }"
        for a, b in zip(first, other, strict=True)
        if a != b
    ]


def main(places: list[str]) -> int:
    """Compare all with the first."""
    found = [Path(place) for place in places]
    files = sorted(file for place in found for file in (place.rglob("*.jsonl") if place.is_dir() else [place]))
    if len(files) < 2:
        sys.exit(f"nothing to compare: {len(files)} files")
    first, wrong = read(files[0]), 0
    for file in files[1:]:
        differ = differences(first, read(file))
        wrong += len(differ)
        print(f"{file.name} and {files[0].name}: {len(differ)} of {len(first)} differ")
        print("".join(f"  {line}\n" for line in differ[:20]), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
