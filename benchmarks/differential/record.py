"""Records how CPython ends drawn programs, for the tests: a bounded part of what the instrument draws.

One JSON line a program, compressed: its seed, its items, how each ends. An item whose end differs with the seed of
text's hashes, or takes CPython long, is left out.
"""

import argparse
import json
import sys
from pathlib import Path

import zstandard
from draw import KINDS
from peer import NoReference, Peer, find

RECORDED = Path(__file__).parents[2] / "tests" / "differential" / "recorded.jsonl.zst"
CHUNK = 500
MOST_CHARACTERS = 400
"""Of an item and its end: longer ones say little more."""


def rows(python: str, first: int, count: int) -> list[dict[str, object]]:
    """What is recorded of programs."""
    found = []
    with Peer(python) as one, Peer(python, hash_seed=1) as other:
        for start in range(first, first + count, CHUNK):
            number = min(CHUNK, first + count - start)
            one.ask_drawn(start, number, KINDS)
            drawn = one.drawn(start, number, KINDS)
            again = other.run([row["items"] for row in drawn])
            for seed, row, twin in zip(range(start, start + number), drawn, again, strict=True):
                if "ends" in row and "ends" in twin:
                    triples = zip(row["items"], row["ends"], twin["ends"], strict=True)
                    kept = [
                        (item, end)
                        for item, end, its in triples
                        if end == its and len(item) + len(end) < MOST_CHARACTERS
                    ]
                    found.append({"seed": seed, "items": [item for item, _ in kept], "ends": [end for _, end in kept]})
            print(f"{start + number - first} of {count}", file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=3_000, help="how many (3,000)")
    parser.add_argument(
        "--seed", type=int, default=10**9, help="the first one's seed: far from those that are explored"
    )
    parser.add_argument("--python", help="a CPython 3.13 or newer")
    parser.add_argument("--out", type=Path, default=RECORDED)
    options = parser.parse_args()
    try:
        found = rows(find(options.python), options.seed, options.programs)
    except NoReference as error:
        sys.exit(str(error))
    text = "".join(json.dumps(row) + "\n" for row in found)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(zstandard.ZstdCompressor(level=19).compress(text.encode()))
    print(
        f"{len(found)} programs, {sum(len(str(row['items'])) for row in found)} characters,"
        f" {options.out.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
