"""Behavioural fingerprint of a program: a hash of its outcomes on fixed inputs.

Renaming, padding and reordering do not change it, so `TaskBuffer.open(deduplicate="behaviour")` is not fooled by them.
Equal fingerprints mean equal outcomes on these inputs and no more; whether that makes a duplicate is a choice.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from azr.sandbox import Outcome
    from azr.tasks.base import ProgramSandbox
    from azr.types import Kind, Task

INPUTS: Final[tuple[str, ...]] = (
    "0", "7", "2.5", "True", "''", "'b a 3'", "'hello world'", "[]", "[3, 1, 2]", "[-1, 0, 5, 5]", "['b', 'a']",
    "[[1, 2], [3]]", "(4, 2)", "{}", "{'a': 1, 'b': 2}", "{1: [2], 3: []}", "2, 3", "5, -2", "'ab', 'b'",
    "[3, 1, 2], 2", "[1, 2], [2, 4]", "'a b', 2", "{'a': 1}, 'a'", "1, 2, 3",
)  # fmt: skip
"""Argument texts. A change changes every fingerprint, so those in existing buffers no longer compare."""

MIN_ANSWERS: Final = 3
"""A program that returns on fewer inputs than this has no fingerprint: failing alike is no similarity."""

KEPT: Final = 10_000
"""Programs whose numbers are kept."""

FUEL: Final = 200_000_000
"""Fuel of one input. A program that needs more always counts as out of fuel there."""


def signatures(sandbox: "ProgramSandbox", programs: Sequence[str]) -> list[int | None]:
    """One 128-bit fingerprint for each program, in order; None where it returns on too few inputs."""
    from azr.sandbox import Request

    limits = replace(sandbox.limits, fuel=min(FUEL, sandbox.limits.fuel))
    requests = [Request(program=program, call=text, limits=limits) for program in programs for text in INPUTS]
    outcomes = sandbox.run_batch(requests)
    width = len(INPUTS)
    return [signature(outcomes[start : start + width]) for start in range(0, len(outcomes), width)]


class Fingerprints:
    """The numbers of tasks' programs, each run where its kind's programs run.

    A program is run once: an induction task is about a program that another task brought before.
    """

    def __init__(self, sandboxes: "Callable[[Kind], ProgramSandbox]") -> None:
        """`sandboxes`: where the programs of a kind run, the same for all kinds of a domain."""
        self._sandboxes = sandboxes
        self._known: dict[tuple[str, str], int | None] = {}
        """By domain and program, the latest last."""

    def __call__(self, tasks: "Sequence[Task]") -> list[int | None]:
        """One number for each task, in order."""
        wanted: dict[str, dict[str, Kind]] = {}
        for task in tasks:
            if (task.kind.domain, task.program) not in self._known:
                wanted.setdefault(task.kind.domain, {})[task.program] = task.kind
        for domain, programs in wanted.items():
            sandbox = self._sandboxes(next(iter(programs.values())))
            numbers = signatures(sandbox, list(programs))
            self._known |= {(domain, program): n for program, n in zip(programs, numbers, strict=True)}
        found = [self._known[task.kind.domain, task.program] for task in tasks]
        for key in list(self._known)[: max(0, len(self._known) - KEPT)]:
            del self._known[key]
        return found


def signature(outcomes: Sequence["Outcome"]) -> int | None:
    """The hash of a program's outcomes on all inputs; None also where the sandbox failed at one."""
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
