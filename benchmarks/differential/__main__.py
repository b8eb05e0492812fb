"""Draws programs from seeds, runs them in the sandbox and under CPython, sorts and shrinks what differs."""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import compare
import kinds
from draw import ALL_KINDS, KINDS
from peer import NoReference, Peer, find

CHUNK = 500


def main() -> None:
    options = _options()
    try:
        python = find(options.python)
    except NoReference as error:
        sys.exit(str(error))
    wanted = options.kinds.split(",")
    rules = [rule for path in [Path(__file__).parent / "known.txt", *options.known] for rule in kinds.known(path)]
    tally = compare.Tally()
    first, last = options.seed, options.seed + options.programs
    if options.out and options.resume and options.out.exists():
        first = _resumed(options.out, first)
    started = time.monotonic()
    shrunk: list[compare.Difference] = []
    with compare.Sides(python, options.guest) as sides, Peer(python) as drawer:
        _ask(drawer, first, last, wanted)
        for start in range(first, last, CHUNK):
            count = min(CHUNK, last - start)
            rows = drawer.drawn(start, count, wanted)
            _ask(drawer, start + count, last, wanted)
            found = compare.compare(sides, range(start, start + count), rows, tally)
            new = _unlike(_named(rules, found), shrunk)[: options.shrink]
            compare.shrink(sides, new)
            shrunk += _named(rules, new)
            _write(options.out, start + count, found)
            _progress(tally, start + count, last, started)
    _print(tally, shrunk)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000, help="how many (10,000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's seed; the others follow")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of items, of " + ", ".join(ALL_KINDS))
    parser.add_argument("--python", help="a CPython 3.13 or newer")
    parser.add_argument("--guest", type=Path, help="a guest of your own")
    parser.add_argument("--known", type=Path, action="append", default=[], help="more rules as in known.txt: not shown")
    parser.add_argument("--shrink", type=int, default=20, help="differences shrunk, of each 500 programs (20)")
    parser.add_argument("--out", type=Path, help="JSON lines: differences, and how far it came")
    parser.add_argument("--resume", action="store_true", help="go on after the last seed in --out")
    return parser.parse_args()


def _ask(peer: Peer, first: int, last: int, wanted: list[str]) -> None:
    if first < last:
        peer.ask_drawn(first, min(CHUNK, last - first), wanted)


def _named(rules: list[kinds.Known], found: list[compare.Difference]) -> list[compare.Difference]:
    """Those that are not known; the others get their names."""
    for one in found:
        one.known = one.known or kinds.name_of(rules, one.kind, one.item, one.there, one.here)
    return [one for one in found if one.known is None]


def _unlike(found: list[compare.Difference], shrunk: list[compare.Difference]) -> list[compare.Difference]:
    """Those that no shrunk difference seems to be; the others take its shape."""
    unlike = []
    for one in found:
        other = compare.presumed(one, shrunk)
        if other is None:
            unlike.append(one)
        else:
            one.shape = other.shape
    return unlike


def _write(out: Path | None, done: int, found: list[compare.Difference]) -> None:
    if out is None:
        return
    with out.open("a") as file:
        for one in found:
            row = {"seed": one.seed, "kind": one.kind, "item": one.item, "cpython": one.there, "sandbox": one.here,
                   "shape": one.shape, "known": one.known, "drawn": one.original}  # fmt: skip
            file.write(json.dumps(row) + "\n")
        file.write(json.dumps({"done": done}) + "\n")


def _resumed(out: Path, first: int) -> int:
    done = [json.loads(line)["done"] for line in out.read_text().splitlines() if line.startswith('{"done"')]
    return max([first, *done])


def _progress(tally: compare.Tally, done: int, last: int, started: float) -> None:
    rate = tally.programs / max(time.monotonic() - started, 1e-9)
    left = (last - done) / rate / 60
    print(
        f"{tally.programs} programs, {rate:.0f}/s, {left:.0f} min left, {len(tally.differences)} differences",
        file=sys.stderr,
        flush=True,
    )


def _print(tally: compare.Tally, shrunk: list[compare.Difference]) -> None:
    groups: dict[tuple[str, str], list[compare.Difference]] = defaultdict(list)
    for one in tally.differences:
        if one.known is None:
            groups[one.kind, one.shape].append(one)
    small = {(one.kind, one.shape): one for one in sorted(shrunk, key=lambda one: -len(one.item))}
    for group, some in sorted(groups.items(), key=lambda group: (group[0][0], -len(group[1]))):
        one = small.get(group, some[0])
        item = one.item.replace("\n", "\n    ")
        print(
            f"[{one.kind}] {len(some)} times, seed {one.seed}\n    {item}\n    CPython {one.there[:200]}\n"
            f"    sandbox {one.here[:200]}"
        )
    counts = Counter(one.known or f"new: {one.kind}" for one in tally.differences)
    print(
        f"{tally.programs} programs, {tally.items} items compared; {tally.unanswered} programs without an answer of"
        f" CPython's; {tally.resources} ended here for want of resources"
    )
    for name, count in counts.most_common():
        print(f"{count:7} {name}")


if __name__ == "__main__":
    main()
