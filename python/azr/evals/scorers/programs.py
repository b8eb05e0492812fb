"""Programs checked by what they print or return: LiveCodeBench.

Tests run in rounds, and a program that fails one is dropped: most wrong programs fail the first.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from io import StringIO
from itertools import zip_longest

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Item
from azr.evals.benchmarks.livecodebench import decode
from azr.evals.scorers import harness
from azr.evals.scorers.base import CORRECT, Reason, Tools, Verdict, wrong
from azr.evals.scorers.code import read_program
from azr.evals.scorers.outcomes import failed
from azr.sandbox import Outcome, Request, Value

FUEL = 200_000_000_000
"""Fuel of one test, about ten seconds. The original allows six seconds of CPython, which is several times faster."""
ROUNDS = (1, 2, 5, 1_000_000)
WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Case:
    """One hidden test, ready to run against any answer."""

    stdin: str | None
    call: str | None
    """Argument text, where a method is tested."""
    wanted: str | Value


class ProgramScorer:
    """Runs each answer on every test of its item, until it fails one."""

    def __init__(self, tools: Tools) -> None:
        self._sandbox = harness.sandbox_of(tools.sandbox)
        self._limits = replace(
            tools.sandbox.limits,
            fuel=tools.fuel or FUEL,
            memory_bytes=max(tools.sandbox.limits.memory_bytes, 512 << 20),
            source_bytes=harness.LIMIT_BYTES,
            output_bytes=32 << 20,
            value_bytes=16 << 20,
            wall_seconds=600.0,
        )

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        program = read_program(text, "Solution" if item.facts["method"] else "", stops)
        if program is None or stops is None:
            return program
        return item.stem + program if item.facts["method"] else program

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        tests = {name: cases_of(item) for name, item in {item.id: item for item, _ in answers}.items()}
        verdicts: dict[int, Verdict] = {}
        begin = 0
        for size in ROUNDS:
            todo = [
                (at, item, answer, test)
                for at, (item, answer) in enumerate(answers)
                if at not in verdicts
                for test in tests[item.id][begin : begin + size]
            ]
            outcomes = self._sandbox.run_batch([self._request(item, answer, test) for _, item, answer, test in todo])
            for (at, _, _, test), outcome in zip(todo, outcomes, strict=True):
                verdict = _verdict(outcome, test)
                if verdict is not CORRECT:
                    verdicts.setdefault(at, verdict)
            begin += size
        return [verdicts.get(at, CORRECT) for at in range(len(answers))]

    def _request(self, item: Item, answer: str, test: Case) -> Request:
        if test.stdin is not None:
            return Request(program=harness.script_program(answer, test.stdin), limits=self._limits)
        return Request(
            program=harness.method_program(answer, item.facts["method"]), call=test.call, limits=self._limits
        )


def cases_of(item: Item) -> list[Case]:
    """The public and the hidden tests of an item.

    Raises:
        BenchmarkError: it has none, or they cannot be read.
    """
    number = int(item.facts["row"])
    cases = [*decode(item.facts["public"], number), *decode(item.facts["private"], number)]
    if not cases:
        raise BenchmarkError(f"row {number} has no tests")
    if not item.facts["method"]:
        return [Case(str(case["input"]), None, str(case["output"])) for case in cases]
    try:
        return [Case(None, _arguments(str(case["input"])), Value.of(json.loads(case["output"]))) for case in cases]
    except ValueError as error:
        raise BenchmarkError(f"row {number}: a test's input or output is no JSON: {error}") from error


def _arguments(text: str) -> str:
    """One JSON value a line, as Python's argument text."""
    return ", ".join(repr(json.loads(line)) for line in text.split("\n") if line.strip())


def _verdict(outcome: Outcome, test: Case) -> Verdict:
    if isinstance(test.wanted, str):
        return _printed(outcome, test.wanted)
    if outcome.value is None:
        return failed(outcome)
    return CORRECT if outcome.value.equals(test.wanted) else wrong(detail=f"returned {outcome.value.repr[:100]}")


def _printed(outcome: Outcome, wanted: str) -> Verdict:
    from azr.sandbox import OutcomeKind

    if outcome.kind is not OutcomeKind.RETURNED:
        return failed(outcome)
    if same_text(outcome.stdout, wanted):
        return CORRECT
    return wrong(Reason.WRONG, f"printed {outcome.stdout[:100]!r}")


def same_text(printed: str, wanted: str) -> bool:
    """Line by line, without spaces at the ends; lines of numbers as numbers. Holds one word at a time."""
    return all(
        ours is not None and theirs is not None and (ours == theirs or _same_numbers(ours, theirs))
        for ours, theirs in zip_longest(_lines(printed), _lines(wanted))
    )


def _lines(text: str) -> Iterator[str]:
    """Those of the text without the spaces around it, each without its own."""
    return (line.strip() for line in StringIO(text.strip()))


def _same_numbers(ours: str, theirs: str) -> bool:
    """Whether both lines have words, all words are finite numbers, and they are equal in turn."""
    words = zip_longest(WORD.finditer(ours), WORD.finditer(theirs))
    return bool(ours) and all(a and b and _equal(a.group(), b.group()) for a, b in words)


def _equal(ours: str, theirs: str) -> bool:
    try:
        a, b = Decimal(ours), Decimal(theirs)
    except InvalidOperation:
        return False
    return a.is_finite() and b.is_finite() and a == b
