"""Runs items on both sides, finds where they differ, and shrinks what differs."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import kinds
from azr.sandbox import Limits, Outcome, OutcomeKind, Request, Sandbox
from draw import source
from kinds import Kind
from peer import SECONDS, Peer

LIMITS = Limits(fuel=8_000_000_000, value_bytes=1 << 20, wall_seconds=1200)
QUICK, QUICK_SECONDS = replace(LIMITS, fuel=1_000_000_000), 0.05
"""While shrinking, where a change may make a loop endless."""
DIFFER = Path(__file__).parent / "differ.py"
RESOURCES = {
    OutcomeKind.OUT_OF_FUEL: "MemoryError fuel",
    OutcomeKind.OUT_OF_MEMORY: "MemoryError memory",
    OutcomeKind.STACK_OVERFLOW: "RecursionError stack",
    OutcomeKind.OUTPUT_TOO_LONG: "MemoryError output",
    OutcomeKind.NOT_A_TASK_VALUE: "MemoryError value",
}
ROUNDS = 60
AT_ONCE = 80
TOGETHER = 8


@dataclass(slots=True)
class Difference:
    """An item that ends in two ways."""

    seed: int
    kind: Kind
    item: str
    there: str
    here: str
    shape: str = ""
    original: str = ""
    known: str | None = None


@dataclass(slots=True)
class Tally:
    """What was compared."""

    programs: int = 0
    items: int = 0
    unanswered: int = 0
    """Programs that CPython did not end in time, or not at all."""
    resources: int = 0
    """Programs that end for want of fuel, memory or stack in the sandbox and not under CPython."""
    differences: list[Difference] = field(default_factory=list)


class Sides:
    """The sandbox, and CPython twice: what differs with the seed of its hashes is not determined."""

    def __init__(self, python: str, guest: Path | None = None) -> None:
        self.box = sandbox(guest)
        with ExitStack() as stack:
            self.peer = stack.enter_context(Peer(python))
            self.other = stack.enter_context(Peer(python, hash_seed=1))
            self._close = stack.pop_all().close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def ends(self, items: Sequence[str], quick: bool = False) -> list[tuple[str, str] | None]:
        """How each item ends there and here; None where CPython has no answer, or two.

        Some run together, which costs less; where they do not come to their end, each runs alone.
        """
        groups = [list(items[at : at + TOGETHER]) for at in range(0, len(items), TOGETHER)]
        together = self._ends(groups, quick)
        lone = [item for group, ended in zip(groups, together, strict=True) if ended is None for item in group]
        alone = iter(self._ends([[item] for item in lone], quick))
        pairs: list[tuple[str, str] | None] = []
        for group, ended in zip(groups, together, strict=True):
            pairs += ended if ended is not None else [(next(alone) or [None])[0] for _ in group]
        return pairs

    def _ends(self, programs: list[list[str]], quick: bool) -> list[list[tuple[str, str] | None] | None]:
        """For each program how its items end on both sides; None for one that does not come to its end."""
        seconds = QUICK_SECONDS if quick else SECONDS
        outcomes = self.box.run_batch(requests(programs, QUICK if quick else None))
        found: list[list[tuple[str, str] | None] | None] = []
        for items, row, again, outcome in zip(
            programs, self.peer.run(programs, seconds), self.other.run(programs, seconds), outcomes, strict=True
        ):
            there, twin, here = row.get("ends"), again.get("ends"), ends(outcome, len(items))
            if len(items) == 1:
                here = [lone_end(outcome)]
            if isinstance(there, list) and isinstance(twin, list) and here is not None:
                found.append(
                    [(one, other) if one == its else None for one, its, other in zip(there, twin, here, strict=True)]
                )
            else:
                found.append(None)
        return found


def sandbox(guest: Path | None = None) -> Sandbox:
    return Sandbox(threads=1, limits=LIMITS, guest=guest, modules={"differ": DIFFER.read_text()})


def requests(programs: Sequence[Sequence[str]], limits: Limits | None = None) -> list[Request]:
    return [Request(program=source(items), call="0", limits=limits) for items in programs]


def ends(outcome: Outcome, count: int) -> list[str] | None:
    """How the items of a program ended, if it came that far."""
    if outcome.value is None:
        return None
    found = outcome.value.to_python()
    return [str(end) for end in found] if isinstance(found, list) and len(found) == count else None


def lone_end(outcome: Outcome) -> str:
    """How a program of one item ended."""
    found = ends(outcome, 1)
    if found is not None:
        return found[0]
    if outcome.kind in RESOURCES:
        return "!" + RESOURCES[outcome.kind]
    return f"!<{outcome.kind.value} {outcome.exception or ''}>"


def kind_of(there: str, here: str) -> Kind | None:
    if here.startswith("!<"):
        return Kind.SYNTAX if here.startswith("!<syntax") else Kind.CRASHED
    return kinds.kind(there, here)


def compare(sides: Sides, seeds: range, rows: Sequence[dict[str, object]], tally: Tally) -> list[Difference]:
    """The differences of programs that CPython has answered."""
    outcomes = sides.box.run_batch(requests([_items(row) for row in rows]))
    suspects: list[tuple[int, str]] = []
    for seed, row, outcome in zip(seeds, rows, outcomes, strict=True):
        items = _items(row)
        tally.programs += 1
        there, here = row.get("ends"), ends(outcome, len(items))
        if not isinstance(there, list):
            tally.unanswered += 1
        elif here is None:
            tally.resources += outcome.kind in RESOURCES
            suspects += [(seed, item) for item in items]
        else:
            tally.items += len(items)
            suspects += [(seed, item) for item, one, other in zip(items, there, here, strict=True) if one != other]
    found = _alone(sides, suspects)
    tally.differences += found
    return found


def _items(row: dict[str, object]) -> list[str]:
    items = row["items"]
    assert isinstance(items, list)
    return items


def _alone(sides: Sides, suspects: Sequence[tuple[int, str]]) -> list[Difference]:
    """Differences of items, each run alone."""
    pairs = sides.ends([item for _, item in suspects])
    found = []
    for (seed, item), pair in zip(suspects, pairs, strict=True):
        kind = kind_of(*pair) if pair else None
        if pair and kind is not None:
            found.append(Difference(seed, kind, item, *pair, original=item))
    return found


def shrink(sides: Sides, found: Sequence[Difference]) -> None:
    """Makes every difference as small as it gets with its kind kept, and with the exceptions' names where there are."""
    growing = [(one, 0) for one in found]
    for _ in range(ROUNDS):
        if not growing:
            break
        options = sides.peer.smaller([(one.item, part) for one, part in growing])
        pairs = iter(sides.ends([text for texts, _ in options for text in texts[:AT_ONCE]], quick=True))
        still = []
        for (one, part), (texts, more) in zip(growing, options, strict=True):
            ended = [(text, next(pairs)) for text in texts[:AT_ONCE]]
            better = next(((text, pair) for text, pair in ended if pair and _same(one, pair)), None)
            if better is not None:
                one.item, (one.there, one.here) = better
                still.append((one, 0 if part == 0 else 1))
            elif more:
                still.append((one, part + 1))
        growing = still
    for one, shape in zip(found, sides.peer.shapes([one.item for one in found]), strict=True):
        one.shape = shape


def _same(one: Difference, pair: tuple[str, str]) -> bool:
    return kind_of(*pair) == one.kind and _raised(pair) == _raised((one.there, one.here))


def _raised(pair: tuple[str, str]) -> tuple[str, str]:
    there, here = (end.partition(" ")[0] if end[0] == "!" else "=" for end in pair)
    return there, here


def words(text: str) -> frozenset[str]:
    """Names in an item."""
    return frozenset(re.findall(r"[a-z_][\w]{2,}", text))


def presumed(one: Difference, shrunk: Sequence[Difference]) -> Difference | None:
    """A shrunk difference that this one most likely is: all of its names, the same kind and the same exceptions."""
    mine = words(one.item)
    for other in shrunk:
        named = words(other.shape)
        if (
            named
            and named <= mine
            and other.kind == one.kind
            and _raised((other.there, other.here)) == _raised((one.there, one.here))
        ):
            return other
    return None
