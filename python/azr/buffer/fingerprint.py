"""What a program does on a fixed set of probe inputs, as one number.

Renaming, padding and reordering do not change it, so `TaskBuffer.open(deduplicate="behaviour")` sees through them.
Equal numbers mean equal on the probes, no more: whether that makes a duplicate is a choice.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from azr.sandbox import Outcome, Sandbox
    from azr.types import Kind, Task

PROBES: Final[tuple[str, ...]] = (
    "0", "7", "2.5", "True", "''", "'b a 3'", "'hello world'", "[]", "[3, 1, 2]", "[-1, 0, 5, 5]", "['b', 'a']",
    "[[1, 2], [3]]", "(4, 2)", "{}", "{'a': 1, 'b': 2}", "{1: [2], 3: []}", "2, 3", "5, -2", "'ab', 'b'",
    "[3, 1, 2], 2", "[1, 2], [2, 4]", "'a b', 2", "{'a': 1}, 'a'", "1, 2, 3",
)  # fmt: skip
"""Argument texts. Changing them changes every number: a buffer's numbers are then no longer comparable."""

MIN_ANSWERS: Final = 3
"""A program that returns on fewer probes than this has no signature: failing alike is no likeness."""

FUEL: Final = 200_000_000
"""Of one probe. A program that needs more counts as out of fuel there, always."""


def signatures(sandbox: "Sandbox", programs: Sequence[str]) -> list[int | None]:
    """One 128-bit number for each program, in order; None where too few probes get an answer."""
    from azr.sandbox import Request

    limits = replace(sandbox.limits, fuel=min(FUEL, sandbox.limits.fuel))
    requests = [Request(program=program, call=probe, limits=limits) for program in programs for probe in PROBES]
    outcomes = sandbox.run_batch(requests)
    width = len(PROBES)
    return [signature(outcomes[start : start + width]) for start in range(0, len(outcomes), width)]


def signatures_of(sandboxes: "Callable[[Kind], Sandbox]", tasks: "Sequence[Task]") -> list[int | None]:
    """The numbers of tasks' programs, each run where its kind's programs run; one program is run once."""
    places: dict[int, tuple[Sandbox, dict[str, None]]] = {}
    for task in tasks:
        sandbox = sandboxes(task.kind)
        places.setdefault(id(sandbox), (sandbox, {}))[1][task.program] = None
    found = {
        (place, program): number
        for place, (sandbox, programs) in places.items()
        for program, number in zip(programs, signatures(sandbox, list(programs)), strict=True)
    }
    return [found[id(sandboxes(task.kind)), task.program] for task in tasks]


def signature(outcomes: Sequence["Outcome"]) -> int | None:
    """The number of a program's outcomes on all probes; None also where the sandbox failed at one of them."""
    if any(outcome.failed is not None for outcome in outcomes):
        return None
    if sum(outcome.value is not None for outcome in outcomes) < MIN_ANSWERS:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for outcome in outcomes:
        value = outcome.value
        part = f"{outcome.kind} {outcome.exception}".encode() if value is None else value.encoded
        digest.update(len(part).to_bytes(8, "little") + bytes([value is None]) + part)
    return int.from_bytes(digest.digest(), "little")
